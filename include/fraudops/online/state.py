"""A portfolio's online state: features of transactions, one after the other, each seeing what came before it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from fraudops.features.columns import feature_names
from fraudops.online import tables
from fraudops.online.kinds import CALENDAR, Key, Kind, Wanted, kinds_of
from fraudops.online.memory import PAYMENTS, Memory
from fraudops.online.reports import Report
from fraudops.online.timeline import Timeline
from fraudops.online.transactions import Transaction
from fraudops.online.view import TimelineView
from fraudops.portfolio import Portfolio

_MISSING = math.nan
_FEW = 10_000
"""Decisions of other processes that are taken over one by one; after more of them nothing is remembered."""


class _Added(NamedTuple):
    """A payment that a transaction has put into a timeline, and that is not committed yet."""

    turn: int
    timeline: Timeline
    time: int
    transaction_id: str
    amount: int
    others: dict[str, str | None] | None


class OnlineState:
    """What the entities of a portfolio did, and the features of whatever they do next.

    The tables in PostgreSQL are what is true; a process remembers the entities that it saw last. All that is done
    between :meth:`begin` and :meth:`committed` is one database transaction, under the lock of the portfolio's row: so
    transactions are seen one after the other, by however many processes.

    Parameters
    ----------
    portfolio
        Whose features are computed.
    payments
        How many payments are remembered at most (each once for every kind of entity).

    Attributes
    ----------
    number
        Of the latest decision, once :meth:`begin` was called.
    """

    def __init__(self, portfolio: Portfolio, *, payments: int = PAYMENTS) -> None:
        self._portfolio = portfolio.name
        names = feature_names(portfolio)
        self._width = len(names)
        self._calendar = [(names.index(name), CALENDAR[name]) for name in portfolio.features.calendar]
        self._kinds = kinds_of(portfolio)
        self._plan: list[tuple[Kind, tuple[Wanted, ...]]] = [(kind, kind.wanted) for kind in self._kinds]
        self._memory = Memory(portfolio, self._kinds, payments)
        self.number, self._epoch = 0, -1
        self._added: list[_Added] = []
        self._used: dict[Key, None] = {}
        self._turn = 0
        self._moved_to = 0
        self._believed = False
        """Whether something is remembered that the database does not have."""

    def begin(self, connection: Connection | None, transactions: Iterable[Transaction]) -> None:
        """Make ready for some transactions.

        Parameters
        ----------
        connection
            In a transaction, or about to begin one; the portfolio's row stays locked until its end. None: only what is
            remembered is known, and what is added is known until there is a database again.
        transactions
            Those that will be added.
        """
        if self._added:
            self.rolled_back()
        self._used = {key: None for transaction in transactions for key in self._keys(transaction)}
        self._turn, self._moved_to = 0, self.number
        if connection is None:
            for key in self._memory.missing(self._used):
                self._memory.hold(key)
            self._believed = True
            return
        self._catch_up(connection)
        missing = {self._memory.entity(key): key for key in self._memory.missing(self._used)}
        if missing:
            for entity, told in tables.told_of(connection, [*missing]).items():
                self._memory.hold(missing[entity], told)

    def add(self, transaction: Transaction) -> list[float]:
        """Features of a transaction, which later ones then see.

        One that is late (others of its entities have a later moment) is put where it belongs: it sees what is before
        it. What was computed from the later ones stays what it was. One that is there already is not put in again.

        Returns
        -------
        list of float
            In the order of :func:`fraudops.features.feature_names`; not a number where missing.

        Raises
        ------
        KeyError
            It was not among those that :meth:`begin` was told of.
        """
        time, transaction_id, row = transaction.event_time, transaction.id, transaction.row
        amount = transaction.amount_minor or 0
        values = [_MISSING] * self._width
        for slot, calendar in self._calendar:
            values[slot] = float(calendar(time))
        for kind, wanted in self._plan:
            key = kind.key(row)
            if key is None:
                continue
            timeline = self._memory[key]
            others = kind.others_of(row) if kind.others else None
            if timeline.put(time, transaction_id, amount, others):
                self._added.append(_Added(self._turn, timeline, time, transaction_id, amount, others))
            if wanted:
                view = TimelineView(timeline, timeline.place(time, transaction_id))
                for slot, formula, window, of, divisor in wanted:
                    view.of = of
                    values[slot] = formula(view, window) / divisor
        self._turn += 1
        return values

    def finish(self, connection: Connection, numbers: Sequence[int]) -> None:
        """Write what was added.

        Parameters
        ----------
        numbers
            Of the decisions on the transactions, in the order in which they were added.
        """
        rows = [
            tables.PaymentRow(
                a.timeline.entity, a.time, a.transaction_id, self._portfolio, a.amount, a.others, numbers[a.turn]
            )
            for a in self._added
        ]
        if numbers:
            self._moved_to = max(numbers)
            tables.write(connection, self._portfolio, rows, self._moved_to)

    def committed(self) -> None:
        """What was added is there to stay."""
        self.number = self._moved_to
        self._memory.payments += len(self._added)
        self._added.clear()
        self._memory.shrink(self._used)

    def rolled_back(self) -> None:
        """Forget what was added."""
        for added in reversed(self._added):
            added.timeline.remove(added.time, added.transaction_id)
        self._added.clear()
        self._moved_to = self.number

    def say(self, transactions: Iterable[Transaction], reports: Iterable[Report]) -> None:
        """Know what was said of some transactions, without a database: instead of what was known of their entities.

        Parameters
        ----------
        transactions
            Those that the reports are about; some of their entities are remembered.
        reports
            In the order in which they became known.
        """
        keys_of = {transaction.id: self._keys(transaction) for transaction in transactions}
        said: dict[Key, list[Report]] = {}
        for report in reports:
            for key in keys_of[report.transaction_id]:
                said.setdefault(key, []).append(report)
        for key, own in said.items():
            if key in self._memory:
                self._memory[key].say(own)
        self._believed = True

    def _catch_up(self, connection: Connection) -> None:
        """Know what other processes have decided since, or nothing."""
        head = tables.lock(connection, self._portfolio)
        if self._believed or head.epoch != self._epoch or not 0 <= head.number - self.number <= _FEW:
            self._memory.forget()
        elif head.number > self.number:
            self._memory.take_over(tables.paid_since(connection, self._portfolio, self.number))
        self.number = self._moved_to = head.number
        self._epoch, self._believed = head.epoch, False

    def _keys(self, transaction: Transaction) -> list[Key]:
        return [key for kind in self._kinds if (key := kind.key(transaction.row)) is not None]
