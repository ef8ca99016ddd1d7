"""Partition keys: how time is cut, and the text that names each piece.

A key is ``2026-03-05`` where partitions are days, and ``2026-03-05T06`` (the hour at which it starts) where
they are shorter. Keys sort as text in the order of time, and always mean UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_HOURS = (1, 2, 3, 4, 6, 8, 12, 24)


@dataclass(frozen=True)
class Partitioning:
    """Cuts time into partitions of ``hours`` hours, a divisor of a day.

    Examples
    --------
    >>> days = Partitioning(24)
    >>> days.key_of(datetime(2026, 3, 5, 23, 59, tzinfo=UTC))
    '2026-03-05'
    >>> quarters = Partitioning(6)
    >>> quarters.key_of(datetime(2026, 3, 5, 23, 59, tzinfo=UTC))
    '2026-03-05T18'
    >>> list(days.keys("2026-02-27", "2026-03-01"))
    ['2026-02-27', '2026-02-28', '2026-03-01']
    """

    hours: int = 24

    def __post_init__(self) -> None:
        if self.hours not in _HOURS:
            raise ValueError(f"a partition of {self.hours} h does not divide a day; use one of {_HOURS}")

    @property
    def length(self) -> timedelta:
        """How much time a partition covers."""
        return timedelta(hours=self.hours)

    @property
    def key_format(self) -> str:
        """``strftime`` format of a key."""
        return "%Y-%m-%d" if self.hours == 24 else "%Y-%m-%dT%H"

    @property
    def cron(self) -> str:
        """Cron expression of the moments at which a partition ends and the next one starts."""
        if self.hours == 24:
            return "0 0 * * *"
        return f"0 */{self.hours} * * *" if self.hours > 1 else "0 * * * *"

    def key_of(self, moment: datetime) -> str:
        """Key of the partition that contains an aware moment."""
        utc = moment.astimezone(UTC)
        start = utc.replace(hour=utc.hour - utc.hour % self.hours, minute=0, second=0, microsecond=0)
        return start.strftime(self.key_format)

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
        return datetime(2026, 3, 5, tzinfo=UTC).strftime(self.key_format)
