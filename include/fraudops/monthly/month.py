"""A calendar month (UTC) and the partitions that belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from fraudops.errors import ContractError
from fraudops.portfolio import Partitioning, Portfolio

_FORM = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True)
class Month:
    """Named by its key, such as ``2026-03``.

    Examples
    --------
    >>> month = Month.parse("2026-12")
    >>> month.end.isoformat(), Month.parse("2026-01").before.key
    ('2027-01-01T00:00:00+00:00', '2025-12')
    """

    key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key.

        Raises
        ------
        ContractError
            It is none.
        """
        if not _FORM.fullmatch(text.strip()):
            raise ContractError(f"{text!r} is not a month", where="month", remedy="write it such as 2026-03")
        return cls(text.strip())

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """The month that an aware moment lies in."""
        return cls(f"{moment.astimezone(UTC):%Y-%m}")

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime.strptime(self.key, "%Y-%m").replace(tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        year, month = divmod(self.start.year * 12 + self.start.month, 12)
        return datetime(year, month + 1, 1, tzinfo=UTC)

    @property
    def before(self) -> Month:
        """The month before."""
        year, month = divmod(self.start.year * 12 + self.start.month - 2, 12)
        return Month(f"{year:04d}-{month + 1:02d}")

    @property
    def name(self) -> str:
        """For people: ``March 2026``."""
        return f"{_NAMES[self.start.month - 1]} {self.start.year}"

    def partitions(self, partitioning: Partitioning) -> list[str]:
        """Keys of the partitions that start in it: a week belongs to the month of its Monday."""
        first = partitioning.key_of(self.start)
        if partitioning.start(first) < self.start:
            first = partitioning.key_of(partitioning.end(first))
        last = partitioning.key_of(self.end)
        return [key for key in partitioning.keys(first, last) if partitioning.start(key) < self.end]

    def as_of(self, partitioning: Partitioning) -> datetime:
        """The moment of its first pack: when the last of its partitions ends."""
        return partitioning.end(self.partitions(partitioning)[-1])


def partitions_of(portfolio: Portfolio, month: Month) -> list[str]:
    """Keys of a month's partitions, without those before the portfolio begins or after it ends."""
    partitioning = portfolio.partitioning
    return [
        key
        for key in month.partitions(partitioning)
        if (portfolio.start is None or partitioning.end(key) > portfolio.start)
        and (portfolio.end is None or partitioning.start(key) < portfolio.end)
    ]


def edition_of(as_of: datetime) -> str:
    """What an edition is called among those of its month: ``as-of-2026-04-01T00``."""
    return f"as-of-{as_of.astimezone(UTC):%Y-%m-%dT%H}"


def folder_of(month: Month, as_of: datetime) -> str:
    """What its folder is called: ``2026-03_as-of-2026-04-01T00``."""
    return f"{month.key}_{edition_of(as_of)}"


# Not strftime's, which follow the machine's language.
_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
