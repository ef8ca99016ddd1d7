"""How large the store is, and how much room the disk has left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from fraudops.store import Store
from fraudops.store.files import is_local

LITTLE = 0.1
"""Share of the disk that should be free: below it people are warned."""
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class AreaSize:
    """A dataset, or an area of objects, of one portfolio.

    Attributes
    ----------
    partitions
        Of a dataset: how many; of an area of objects: 0.
    oldest, newest
        Keys of its first and last partition, None where it has none.
    """

    area: str
    portfolio: str
    partitions: int
    files: int
    bytes: int
    oldest: str | None
    newest: str | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True)
class Disk:
    """The disk on which a store lies, in bytes."""

    free: int
    total: int

    @property
    def is_little(self) -> bool:
        """Whether so little is free that somebody should see to it."""
        return self.free < LITTLE * self.total

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{format_bytes(self.free)} of the disk are free ({self.free / self.total:.0%})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"free": self.free, "total": self.total, "is_little": self.is_little}


def measure(store: Store, portfolio: str | None = None) -> list[AreaSize]:
    """Every dataset and area of a store (or of one portfolio in it), sorted by portfolio and name.

    Looks at names and sizes, and opens no file.
    """
    root = store.root
    if not root.exists():
        return []
    found = []
    for area in (path for path in root.iterdir() if not path.name.startswith(".") and path.is_dir()):
        for place in area.iterdir():
            name = place.name.removeprefix("portfolio=")
            if place.name != name and portfolio in (None, name):
                found.append(_measure(area.name, name, place))
    return sorted(found, key=lambda size: (size.portfolio, size.area))


def disk(store: Store) -> Disk | None:
    """The store's disk; None where it lies in a bucket."""
    if not is_local(store.root):
        return None
    place = Path(str(store.root))
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    return Disk(usage.free, usage.total)


@dataclass(frozen=True)
class Storage:
    """What a store takes, by portfolio, and what its disk has left."""

    bytes: dict[str, int]
    disk: Disk

    @property
    def sentence(self) -> str:
        """For people."""
        parts = ", ".join(f"{name} {format_bytes(size)}" for name, size in sorted(self.bytes.items()))
        return (
            f"the store takes {format_bytes(sum(self.bytes.values()))} ({parts or 'nothing yet'}); {self.disk.sentence}"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"bytes": self.bytes, "disk": self.disk.to_dict()}


def storage(store: Store) -> Storage | None:
    """A store's size in short; None where it lies in a bucket, which would have to be listed whole."""
    room = disk(store)
    if room is None:
        return None
    sizes: dict[str, int] = {}
    for area in measure(store):
        sizes[area.portfolio] = sizes.get(area.portfolio, 0) + area.bytes
    return Storage(sizes, room)


def format_bytes(number: float) -> str:
    """A size for people, in powers of a thousand.

    Examples
    --------
    >>> format_bytes(999), format_bytes(1_234_567)
    ('999 B', '1.2 MB')
    """
    for unit in _UNITS:
        if number < 1_000 or unit == _UNITS[-1]:
            break
        number /= 1_000
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def _measure(area: str, portfolio: str, place: UPath) -> AreaSize:
    keys, count, total = [], 0, 0
    for folder, name, size in _files(place):
        count += 1
        total += size
        if name == "manifest.json" and folder.startswith("date="):
            keys.append(folder.removeprefix("date="))
    return AreaSize(area, portfolio, len(keys), count, total, min(keys, default=None), max(keys, default=None))


def _files(place: UPath) -> Iterator[tuple[str, str, int]]:
    """Folder, name and size of every file below a place; one that is removed meanwhile is left out."""
    if is_local(place):
        for folder, _, names in os.walk(str(place)):
            for name in names:
                try:
                    yield Path(folder).name, name, Path(folder, name).stat().st_size
                except FileNotFoundError:
                    continue
        return
    for path in place.rglob("*"):
        if path.is_file():
            yield path.parent.name, path.name, path.stat().st_size
