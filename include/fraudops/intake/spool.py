"""Holds typed rows by partition until their files are read to the end, on disk where memory would grow."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from fraudops.store.files import explained

_IN_MEMORY = 24 << 20


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
        self._written: dict[int, list[tuple[Path, int]]] = defaultdict(list)
        """For each partition, files with rows of it, and which batches of them these are."""
        self._files = 0
        self._bytes = 0

    @property
    def codes(self) -> list[int]:
        """Partitions with rows, in the order of time."""
        return sorted({*self._held, *self._written})

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
        _release_unused()
        tables = []
        for path, number in self._written.pop(code, []):
            with pa.memory_map(str(path)) as file:
                tables.append(pa.Table.from_batches([pa.ipc.open_file(file).get_batch(number)]))
        return pa.concat_tables([*tables, *self._held.pop(code, [])])

    def drop(self, code: int) -> None:
        """Forget a partition's rows, if it has any."""
        self._held.pop(code, None)
        self._written.pop(code, None)

    def _write_out(self) -> None:
        # One file a time, however many partitions there are: ten years of hours in no order would make millions.
        path = self._folder / f"{self._files}.arrow"
        self._files += 1
        schema = next(iter(self._held.values()))[0].schema
        with explained(path), pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for number, (code, tables) in enumerate(self._held.items()):
                (batch,) = pa.concat_tables(tables).combine_chunks().to_batches()
                writer.write_batch(batch)
                self._written[code].append((path, number))
        self._held.clear()
        self._bytes = 0
        _release_unused()


def _release_unused() -> None:
    """Give back memory that held other rows: allocators keep for later what lies between things in use."""
    pa.default_memory_pool().release_unused()
    # That of the system serves NumPy and Python, whose blocks of text come and go on several threads.
    pa.system_memory_pool().release_unused()
