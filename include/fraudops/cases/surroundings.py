"""What is around a case: what its subject usually does, and who else has to do with the same accounts or terminals.

Everything is as it was stored; nothing after the case's last partition is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from statistics import mean, median
from typing import Any

import pyarrow as pa

from fraudops.portfolio import Portfolio, Role
from fraudops.store import Among
from fraudops.workspace import Workspace

NORMAL = timedelta(days=90)
"""How far back it is looked for what is usual."""
LINKS = timedelta(days=30)
"""How far back it is looked for what is linked."""
AMOUNTS = 200
"""Of a subject's usual transactions, so many are listed one by one."""
_SHOWN = 5
_MOST_VALUES = 20
_ID = "transaction_id"


@dataclass(frozen=True)
class Normal:
    """What a subject did in the days before its case.

    Attributes
    ----------
    first, last
        Partitions that were looked at.
    transactions, active_days
        How many, on how many days.
    currency
        The one that most amounts are in; the others are not counted below. Empty: the portfolio names none.
    mean_minor, median_minor, largest_minor
        Of amounts in that currency, in whole minor units; None where there are none.
    hours
        Hour of the day → transactions, the most frequent first, in ``timezone``.
    usual
        Column → its most frequent values, with how often.
    amounts
        When and how much, in that currency and in minor units, by time: the newest :data:`AMOUNTS` of them.
    """

    first: str
    last: str
    transactions: int
    active_days: int
    currency: str
    mean_minor: int | None
    median_minor: int | None
    largest_minor: int | None
    timezone: str
    hours: tuple[tuple[int, int], ...]
    usual: dict[str, tuple[tuple[str, int], ...]]
    amounts: tuple[tuple[datetime, int], ...] = ()


@dataclass(frozen=True)
class Link:
    """Transactions of others that have something in common with the case.

    Attributes
    ----------
    entity, value
        What: the same terminal, counterparty, card …; as it is stored.
    transactions, subjects
        Of others: how many, of how many.
    ids
        All of these transactions, the newest first.
    """

    entity: str
    value: str
    transactions: int
    subjects: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """Where to look: partitions, and the columns that mean something there."""

    ws: Workspace
    portfolio: Portfolio
    subject_kind: str
    subject: str
    first: str
    """Partition of the case's first item."""
    last: str
    """That of its last one."""

    def normal(self) -> Normal | None:
        """What the subject usually does; None where cases are about single transactions, or nothing is known."""
        column = self.portfolio.entities.get(self.subject_kind)
        keys = self._keys(NORMAL, before=self.first)
        if column is None or not keys:
            return None
        told = {"event_time", "amount_minor", *self._categories}
        rows = self._rows(keys, column, [self.subject], told)
        return _normal(self.portfolio, keys, rows) if rows else None

    def links(self, transactions: Sequence[dict[str, Any]]) -> Iterator[Link]:
        """Who else has to do with what the case's transactions have to do with."""
        own = self.portfolio.entities.get(self.subject_kind, _ID)
        mine = {row[_ID] for row in transactions}
        keys = self._keys(LINKS)
        for entity, column in self.portfolio.entities.items():
            values = sorted({row[column] for row in transactions if row.get(column) is not None})[:_MOST_VALUES]
            if column == own or not values:
                continue
            rows = [
                row
                for row in self._rows(keys, column, values, {_ID, "event_time", own})
                if row[own] != self.subject and row[_ID] not in mine
            ]
            for value in values:
                same = [row for row in rows if row[column] == value]
                if same:
                    ids = tuple(row[_ID] for row in sorted(same, key=lambda r: (r["event_time"], r[_ID]), reverse=True))
                    yield Link(entity, value, len(same), len({row[own] for row in same}), ids)

    def rows_of(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Some transactions of the case's partitions and of those before them, by time: without what is personal."""
        left, found = set(ids), list[dict[str, Any]]()
        for key in reversed(self._keys(NORMAL)):
            if not left:
                break
            rows = self._rows([key], _ID, sorted(left))
            left -= {row[_ID] for row in rows}
            found += rows
        return sorted(found, key=lambda row: (row["event_time"], row[_ID]))

    def _keys(self, back: timedelta, *, before: str | None = None) -> list[str]:
        partitioning = self.portfolio.partitioning
        earliest = partitioning.start(self.first) - back
        begins = partitioning.key_of(earliest)
        is_cut = partitioning.start(begins) < earliest
        # Keys are in the order of time: none of the many others needs to be read as a date.
        keys = self.ws.store.keys("transactions", self.portfolio.name)
        keys = [key for key in keys if key > begins or (key == begins and not is_cut)]
        return [key for key in keys if (key < before if before is not None else key <= self.last)]

    def _rows(
        self, keys: Sequence[str], column: str, values: Sequence[str], told: Set[str] | None = None
    ) -> list[dict[str, Any]]:
        """Rows with one of some values in a column; what is told of them, as far as they have it (None: everything)."""
        chosen, among = Among(column, pa.array(values, pa.string())), list[dict[str, Any]]()
        for key in keys:
            manifest = self.ws.store.manifest("transactions", self.portfolio.name, key)
            if manifest is None:
                continue
            names = [item for item in manifest.columns if told is None or item in told or item == column]
            repeating = [item for item in self._categories if item in names]
            among += self.ws.store.read(manifest, names, among=chosen, repeating=repeating).to_pylist()
        return among

    @cached_property
    def _categories(self) -> set[str]:
        """Columns of few different texts, the currency among them."""
        found = {self.portfolio.stored_name(name) for name in self.portfolio.named(Role.CATEGORY)}
        if self.portfolio.currency in self.portfolio.columns:
            found.add(self.portfolio.stored_name(self.portfolio.currency))
        return found


# -- inside -------------------------------------------------------------------------------------------


def _normal(portfolio: Portfolio, keys: Sequence[str], rows: Sequence[dict[str, Any]]) -> Normal:
    local = [row["event_time"].astimezone(portfolio.zone) for row in rows]
    column = portfolio.stored_name(portfolio.currency) if portfolio.currency in portfolio.columns else None
    currency = _frequent(row[column] for row in rows)[0][0] if column else portfolio.currency
    counted = sorted(
        (row["event_time"], row["amount_minor"])
        for row in rows
        if row.get("amount_minor") is not None and (column is None or str(row[column]) == currency)
    )
    amounts = [minor for _, minor in counted]
    categories = [portfolio.stored_name(name) for name in portfolio.named(Role.CATEGORY)]
    return Normal(
        first=keys[0],
        last=keys[-1],
        transactions=len(rows),
        active_days=len({moment.date() for moment in local}),
        currency=currency if amounts else "",
        mean_minor=round(mean(amounts)) if amounts else None,
        median_minor=round(median(amounts)) if amounts else None,
        largest_minor=max(amounts, default=None),
        timezone=portfolio.zone.key,
        hours=tuple((int(hour), count) for hour, count in _frequent(moment.hour for moment in local)),
        usual={name: _frequent(row[name] for row in rows if name in row) for name in categories if name != column},
        amounts=tuple(counted[-AMOUNTS:]),
    )


def _frequent(values: Any) -> tuple[tuple[str, int], ...]:
    """The most frequent values, of equally frequent ones the first by name."""
    counts = Counter("" if value is None else str(value) for value in values)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN])
