"""Decides, once a file was read to its end, where rows belong that do not say it themselves or cannot be believed.

* Rows before the first one with a usable time belong to its partition.
* A few rows that lie many years away from all others of their file are wrong: 1970 is where a clock begins that
  nobody set, 2100 a typing error. They go to quarantine. Accepted, they would open a partition of their own, and
  the one of 2100 would be the newest for decades. A portfolio that says ``start`` (for the past) or ``end`` (for
  what is to come) has said what it believes, and no such question is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.feeds import Feed
from fraudops.intake.mapping import LINE, NOWHERE, Rejected
from fraudops.intake.merging import SHA256, raw_rows
from fraudops.intake.quarantine import LEADING, Rejects
from fraudops.intake.spool import Spool
from fraudops.portfolio import Role

_YEARS = 10
_HOURS = 365.25 * 24


@dataclass(frozen=True)
class Unsettled:
    """A file that was read to its end."""

    sha256: str
    feed: Feed
    by_code: Counter[int]
    """Rows of each partition, usable or not; what is settled is changed in place."""
    rejects: Rejects
    first: int
    """Partition of the first row that says its own; :data:`NOWHERE` if none does."""


def settle(
    file: Unsettled,
    spool: Spool,
    key_of: Callable[[int], str | None],
    is_asked: Callable[[int], bool],
    is_kept: Callable[[int], bool],
) -> None:
    """Place the rows that are not placed yet, and take out those that cannot be believed.

    Parameters
    ----------
    spool
        Holds the file's accepted rows, of partitions that were asked for and of those that may be far away.
    key_of, is_asked
        Key of a partition's code, and whether it was asked for.
    is_kept
        Whether the rows of a partition, the rejected ones too, were kept while the file was read. Of one that was
        not, nothing can be said here: its rows lie elsewhere, until somebody asks for them.
    """
    leading = file.by_code.pop(NOWHERE, 0)
    if leading:
        file.by_code[file.first] += leading
        file.rejects.move(LEADING, key_of(file.first))
    for code in filter(is_kept, far_partitions(file.by_code, file.feed)):
        _take_out(file, spool, code, key_of(code))
    for code in file.by_code:
        if code != NOWHERE and not is_asked(code):
            spool.drop(code)
            file.rejects.drop(key_of(code))


def is_years_away(codes: npt.NDArray[np.int64], lowest: int, highest: int, hours: int) -> npt.NDArray[np.bool_]:
    """Whether partitions lie so far from those that were asked for that :func:`settle` wants to see their rows.

    Parameters
    ----------
    lowest, highest
        Codes of the first and the last partition that were asked for.
    hours
        Length of a partition.
    """
    some = int(_YEARS / 2 * _HOURS / hours)
    return (codes < lowest - some) | (codes > highest + some)


def far_partitions(rows: Mapping[int, int], feed: Feed) -> set[int]:
    """Codes of partitions that lie more than ten years away from those which hold most of a file's rows.

    Parameters
    ----------
    rows
        Partition's code → how many rows.
    """
    codes = np.array(sorted(code for code, count in rows.items() if code != NOWHERE and count), np.int64)
    if not len(codes):
        return set()
    runs = np.split(codes, np.flatnonzero(np.diff(codes) > _YEARS * _HOURS / feed.partition_hours) + 1)
    counts = [sum(rows[int(code)] for code in run) for run in runs]
    most = int(np.argmax(counts))
    if 2 * counts[most] <= sum(counts):
        return set()
    before = runs[:most] if feed.start is None else []
    after = runs[most + 1 :] if feed.end is None else []
    return {int(code) for run in [*before, *after] for code in run}


def _take_out(file: Unsettled, spool: Spool, code: int, key: str | None) -> None:
    file.by_code[NOWHERE] += file.by_code.pop(code)
    file.rejects.move(key, None)
    if code not in spool.codes:
        return
    rows = spool.take(code)
    own = pc.equal(rows[SHA256], file.sha256)
    others = rows.filter(pc.invert(own))
    spool.add(others, np.full(others.num_rows, code, np.int64))
    file.rejects.add((item, None) for item in _rejected(rows.filter(own), file.feed))


def _rejected(rows: pa.Table, feed: Feed) -> Iterator[Rejected]:
    column = feed.file_column(feed.of_role(Role.TIME)[0])
    reason = f"a time more than {_YEARS} years away from the file's others"
    for line, raw in zip(rows[LINE].to_pylist(), raw_rows(rows, feed), strict=True):
        yield Rejected(line, column, reason, raw, NOWHERE)
