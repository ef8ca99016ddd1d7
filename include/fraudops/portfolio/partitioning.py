"""Partition keys: how time is cut, and the text that names each piece.

A key is ``2026-03-05`` where partitions are days (or weeks: their Monday), and ``2026-03-05T06`` (the hour at
which it starts) where they are shorter. Keys sort as text in the order of time, and always mean UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WEEK = 168
_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, WEEK)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Partitioning:
    """Cuts time into partitions of ``hours`` hours: a divisor of a day, or a week from Monday to Sunday.

    Examples
    --------
    >>> days = Partitioning(24)
    >>> days.key_of(datetime(2026, 3, 5, 23, 59, tzinfo=UTC))
    '2026-03-05'
    >>> quarters = Partitioning(6)
    >>> quarters.key_of(datetime(2026, 3, 5, 23, 59, tzinfo=UTC))
    '2026-03-05T18'
    >>> Partitioning(168).key_of(datetime(2026, 3, 5, tzinfo=UTC))
    '2026-03-02'
    >>> list(days.keys("2026-02-27", "2026-03-01"))
    ['2026-02-27', '2026-02-28', '2026-03-01']
    """

    hours: int = 24

    def __post_init__(self) -> None:
        if self.hours not in _HOURS:
            raise ValueError(f"a partition of {self.hours} h neither divides a day nor is a week; use one of {_HOURS}")

    @property
    def length(self) -> timedelta:
        """How much time a partition covers."""
        return timedelta(hours=self.hours)

    @property
    def epoch(self) -> datetime:
        """Start of the partition with the number 0: they are counted from 1970."""
        return _MONDAY if self.hours == WEEK else _EPOCH

    @property
    def key_format(self) -> str:
        """``strftime`` format of a key."""
        return "%Y-%m-%d" if self.hours >= 24 else "%Y-%m-%dT%H"

    @property
    def cron(self) -> str:
        """Cron expression of the moments at which a partition ends and the next one starts."""
        if self.hours >= 24:
            return "0 0 * * *" if self.hours == 24 else "0 0 * * 1"
        return f"0 */{self.hours} * * *" if self.hours > 1 else "0 * * * *"

    def key_of(self, moment: datetime) -> str:
        """Key of the partition that contains an aware moment."""
        number = (moment - self.epoch) // self.length
        return (self.epoch + number * self.length).strftime(self.key_format)

    def numbers(self, microseconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Numbers of the partitions that moments (microseconds since 1970, UTC) fall into, counted from the epoch."""
        micro = timedelta(microseconds=1)
        return (microseconds - (self.epoch - _EPOCH) // micro) // (self.length // micro)

    def start(self, key: str) -> datetime:
        """First moment of a partition, UTC.

        Raises
        ------
        ValueError
            The key has another format, or names an hour at which no partition starts.
        """
        try:
            start = datetime.strptime(key, self.key_format).replace(tzinfo=UTC)
        except ValueError:
            raise ValueError(f"partition key {key!r} does not look like {self.example!r}") from None
        # strptime also takes "2026-3-5": a key that is not written as key_of writes it would name a second
        # folder for the same day.
        if self.key_of(start) != key:
            raise ValueError(f"no partition is named {key!r}; a key looks like {self.example!r}")
        return start

    def end(self, key: str) -> datetime:
        """First moment after a partition, UTC. This is the partition's own ``as_of``."""
        return self.start(key) + self.length

    def keys(self, first: str, last: str) -> Iterator[str]:
        """Keys from ``first`` to ``last``, both included."""
        moment, stop = self.start(first), self.start(last)
        while moment <= stop:
            yield self.key_of(moment)
            moment += self.length

    @property
    def example(self) -> str:
        """A key to show in messages."""
        return self.key_of(datetime(2026, 3, 5, tzinfo=UTC))
