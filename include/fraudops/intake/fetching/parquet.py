"""Writes what a database gives into Parquet files that appear whole, a bounded number of rows in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class ExtractWriter:
    """One file. The same rows give the same bytes, however they were handed over.

    Parameters
    ----------
    path
        Where the file is to be once :meth:`finish` was called; until then nothing is there.
    group_rows
        Rows held in memory, and in each row group.
    """

    def __init__(self, path: Path, schema: pa.Schema, group_rows: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.rows = 0
        self._part = path.with_name(f".{path.name}.part")
        self._writer = pq.ParquetWriter(str(self._part), schema, compression="zstd")
        self._schema, self._group_rows = schema, group_rows
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        self._held.append(batch)
        self._held_rows += batch.num_rows
        self.rows += batch.num_rows
        while self._held_rows >= self._group_rows:
            self._write(self._group_rows)

    def finish(self, facts: Mapping[str, str] | None = None) -> Path:
        """Make the file appear, with facts in its footer."""
        if self._held_rows:
            self._write(self._held_rows)
        self._writer.add_key_value_metadata(dict(facts or {}))
        self._writer.close()
        with self._part.open("rb") as written:
            os.fsync(written.fileno())
        self._part.replace(self.path)
        return self.path

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._writer.close()
        self._part.unlink(missing_ok=True)

    def _write(self, rows: int) -> None:
        table = pa.Table.from_batches(self._held, self._schema)
        self._writer.write_table(table.slice(0, rows), row_group_size=rows)
        rest = table.slice(rows).combine_chunks()
        self._held, self._held_rows = rest.to_batches(), rest.num_rows


def facts_of(path: Path) -> dict[str, str]:
    """What stands in a file's footer; nothing where there is no such file, or none that is whole."""
    try:
        found = pq.read_metadata(str(path)).metadata or {}
    except (FileNotFoundError, pa.ArrowInvalid):
        return {}
    return {key.decode(): value.decode() for key, value in found.items() if not key.startswith(b"ARROW:")}
