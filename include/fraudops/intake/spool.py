"""Holds typed rows by partition until their files are read to the end, on disk where memory would grow."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

_IN_MEMORY = 64 << 20


class Spool:
    """Rows of many partitions, in the order in which they came.

    Parameters
    ----------
    folder
        Empty folder for temporary files; its owner removes it.
    limit
        Bytes that stay in memory.
    """

    def __init__(self, folder: Path, limit: int = _IN_MEMORY) -> None:
        self._folder = folder
        self._limit = limit
        self._held: dict[int, list[pa.Table]] = defaultdict(list)
        self._files: dict[int, list[Path]] = defaultdict(list)
        self._bytes = 0

    @property
    def codes(self) -> list[int]:
        """Partitions with rows, in the order of time."""
        return sorted({*self._held, *self._files})

    def add(self, rows: pa.Table, codes: npt.NDArray[np.int64]) -> None:
        """Add rows, each with the code of its partition."""
        if not len(codes):
            return
        if (np.diff(codes) < 0).any():
            order = np.argsort(codes, kind="stable")
            rows, codes = rows.take(pa.array(order)), codes[order]
        found, starts = np.unique(codes, return_index=True)
        for code, start, end in zip(found.tolist(), starts, [*starts[1:], len(codes)], strict=True):
            self._held[code].append(rows.slice(start, end - start))
        self._bytes += rows.nbytes
        if self._bytes > self._limit:
            self._write_out()

    def take(self, code: int) -> pa.Table:
        """A partition's rows; they are forgotten here."""
        tables = []
        for path in self._files.pop(code, []):
            with pa.memory_map(str(path)) as file:
                tables.append(pa.ipc.open_file(file).read_all())
            path.unlink()
        return pa.concat_tables([*tables, *self._held.pop(code, [])])

    def drop(self, code: int) -> None:
        """Forget a partition's rows, if it has any."""
        self._held.pop(code, None)
        for path in self._files.pop(code, []):
            path.unlink()

    def _write_out(self) -> None:
        # A file per partition and flush, none held open: ten years of hours are more than a process may open.
        for code, tables in self._held.items():
            table = pa.concat_tables(tables)
            path = self._folder / f"{code}-{len(self._files[code])}.arrow"
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)
            self._files[code].append(path)
        self._held.clear()
        self._bytes = 0
