"""A store that remembers what it has read: for a process that answers many questions about the same partitions.

Nothing that was replaced is told: a manifest counts as long as its file is the same one, and a data file, which is
never changed, bears the digest of its content in its name. One that was altered or is gone is noticed as by
:class:`fraudops.store.Store`, because what is remembered belongs to that very file: its number, its size, and when it
was last changed, which cannot be set. Only a folder of this machine has such numbers; in a bucket nothing is
remembered.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import NamedTuple, TypeVar, cast

import pyarrow as pa
from upath import UPath

from fraudops.store.files import is_local
from fraudops.store.manifest import Manifest, StoredFile
from fraudops.store.rows import Among, Column
from fraudops.store.store import Store

T = TypeVar("T")
ROOM = 128 * 2**20
"""Bytes that a memory holds."""
_LARGEST = 1 / 64
"""Of a memory's room: what is larger is not remembered, else one large bank's day would drive out all others'."""
_OF_ENTRY = 2_048
"""Bytes that something is taken to need beside its content: its name, its schema."""


@dataclass
class Memory:
    """What was read, up to so many bytes; what was not asked for the longest goes first. Safe with threads."""

    room: int = ROOM
    _kept: OrderedDict[Hashable, tuple[object, int]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)
    used: int = 0

    def recall(self, name: Hashable, read: Callable[[], tuple[T, int]]) -> T:
        """What is remembered under a name; else what ``read`` returns, with the bytes that it needs.

        Two threads that ask at once may both read: nobody waits for another's disk.
        """
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return cast(T, self._kept[name][0])
        value, size = read()
        if size <= self.room * _LARGEST:
            self._keep(name, value, size)
        return value

    def _keep(self, name: Hashable, value: object, size: int) -> None:
        with self._lock:
            self.used += size - self._kept.pop(name, (None, 0))[1]
            self._kept[name] = (value, size)
            while self.used > self.room:
                _, (_, freed) = self._kept.popitem(last=False)
                self.used -= freed


class RememberingStore(Store):
    """A store for reading, which asks the disk only for what has changed.

    Parameters
    ----------
    memory
        Outlives the store, and may serve several.
    """

    def __init__(self, root: str | os.PathLike[str], memory: Memory) -> None:
        super().__init__(root)
        self._memory = memory
        self._local = str(self.root) if is_local(self.root) else None

    def manifest(self, dataset: str, portfolio: str, key: str) -> Manifest | None:
        """As :meth:`Store.manifest`."""
        mark = self._mark(dataset, portfolio, key, "manifest.json")

        def read() -> tuple[Manifest | None, int]:
            found = super(RememberingStore, self).manifest(dataset, portfolio, key)
            return found, _OF_ENTRY + 3 * (mark.size if mark else 0)

        return read()[0] if mark is None else self._memory.recall(mark, read)

    def read(
        self,
        manifest: Manifest,
        columns: Sequence[str] | None = None,
        *,
        among: Among | None = None,
        repeating: Sequence[str] = (),
    ) -> pa.Table:
        """As :meth:`Store.read`. Remembered are the rows, and of ``among`` the column, which others ask for too."""
        marks = [self._mark(manifest.dataset, manifest.portfolio, manifest.key, file.name) for file in manifest.files]
        if None in marks:
            return super().read(manifest, columns, among=among, repeating=repeating)

        def read() -> tuple[pa.Table, int]:
            if among is None:
                found = super(RememberingStore, self).read(manifest, columns)
            else:
                folder, chosen = self._folder(manifest.dataset, manifest.portfolio, manifest.key), list(columns or ())
                files = zip(marks, manifest.files, strict=True)
                parts = [self._some(folder / file.name, mark, file, chosen, among, repeating) for mark, file in files]
                found = pa.concat_tables(parts) if len(parts) != 1 else parts[0]
            return found, found.nbytes + _OF_ENTRY

        asked = (tuple(columns or ()), among.name if among is not None else None)
        return self._memory.recall((tuple(marks), manifest.files, *asked), read)

    def _some(
        self,
        path: UPath,
        mark: _Mark | None,
        file: StoredFile,
        columns: list[str],
        among: Among,
        repeating: Sequence[str],
    ) -> pa.Table:
        content = cache(lambda: self._content(path, file))

        def read() -> tuple[Column, int]:
            column = Column.of(content(), among.column)
            return column, column.values.nbytes + _OF_ENTRY

        return self._memory.recall((mark, file, among.column), read).rows(content, columns or None, among, repeating)

    def _mark(self, dataset: str, portfolio: str, key: str, file: str) -> _Mark | None:
        if not self._readable:
            self.path(dataset, portfolio)
        if self._local is None:
            return None
        try:
            place = f"{self._local}/{dataset}/portfolio={portfolio}/date={key}/{file}"
            found = os.stat(place)  # noqa: PTH116 - of thousands of files, of which a path object would cost more
        except OSError:
            return None
        return _Mark(place, found.st_ino, found.st_ctime_ns, found.st_size)


class _Mark(NamedTuple):
    """One file as it is now; another one in its place, or another content, has another mark."""

    place: str
    number: int
    changed: int
    size: int
