"""Finds the real data sets and makes the files that are measured."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

from benchmarks.rows import Absent

ULB = "ulb_creditcard.csv.gz"
HANDBOOK = "handbook_transactions.parquet"
_PERIOD = 172_800
"""Seconds of two days: what the ULB file covers, in whole partitions."""


def locate(folder: Path | None, name: str) -> Path:
    """A file of the data folder.

    Raises
    ------
    Absent
        There is no such folder or file.
    """
    if folder is None:
        raise Absent("FRAUDOPS_DATA names no folder with the real data sets (docs/data.md says how to get them)")
    path = folder / name
    if not path.is_file():
        raise Absent(f"{name} is not in the folder that FRAUDOPS_DATA names (docs/data.md says how to get it)")
    return path


def unpack(archive: Path, folder: Path) -> Path:
    """The CSV of a gzip file, in a folder of its own; one that is there is taken."""
    target = folder / archive.name.removesuffix(".gz")
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(archive, "rb") as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
    return target


def digest(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def longer(csv: Path, target: Path, times: int) -> Path:
    """The ULB file some times over, each copy two days after the one before: as many more partitions."""
    return _repeated(csv, target, [number * _PERIOD for number in range(times)])


def denser(csv: Path, target: Path, times: int) -> Path:
    """The ULB file some times over in the same two days: partitions with as many times the rows."""
    return _repeated(csv, target, [0] * times)


def _repeated(csv: Path, target: Path, shifts: list[int]) -> Path:
    with csv.open("rb") as source, target.open("wb") as sink:
        sink.write(source.readline())
        start = source.tell()
        for shift in shifts:
            source.seek(start)
            if not shift:
                shutil.copyfileobj(source, sink, 1 << 20)
                continue
            for line in source:
                # Time is the first column.
                moment, rest = line.split(b",", 1)
                sink.write(b"%d,%b" % (int(float(moment)) + shift, rest))
    return target
