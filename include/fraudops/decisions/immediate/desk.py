"""Where transactions are decided at once: each call is one database transaction, in which they get their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from fraudops.decisions.immediate import known
from fraudops.decisions.immediate.judging import Judge, Verdict
from fraudops.decisions.immediate.known import Known, Remembered
from fraudops.decisions.immediate.records import (
    Arrival,
    Champion,
    Conflict,
    Decided,
    decision_id_of,
    thresholds_told,
)
from fraudops.decisions.immediate.spool import Spool
from fraudops.decisions.immediate.writing import Entry, insert
from fraudops.errors import ConfigurationError
from fraudops.features.partitions import config_of
from fraudops.online import Transaction
from fraudops.portfolio import Portfolio
from fraudops.protection import encrypt
from fraudops.settings import Settings
from fraudops.workspace import Workspace

DATABASE = "database"
"""What was away when a decision was made from memory."""
_HOUR = 3_600_000_000
_MOST_KEYS = 10_000


class State(Protocol):
    """What the desk asks of :class:`fraudops.online.state.OnlineState`."""

    number: int
    """Of the latest decision, once :meth:`begin` was called."""

    def begin(self, connection: Connection | None, transactions: Sequence[Transaction]) -> None:
        """Lock, catch up, load."""

    def add(self, transaction: Transaction) -> list[float]:
        """Features; later transactions see it."""

    def finish(self, connection: Connection, numbers: Sequence[int]) -> None:
        """Write what was added."""

    def committed(self) -> None:
        """It is there to stay."""

    def rolled_back(self) -> None:
        """Forget it."""


class Desk:
    """Decides on the transactions of one portfolio; one thread at a time.

    Parameters
    ----------
    state
        Of the portfolio, in this process (default: a new one).
    spool
        Folder of what is decided without a database (default: ``serving/spool`` in ``FRAUDOPS_STATE``).

    Raises
    ------
    ConfigurationError
        Rows are to be kept as they are received, and there is no key to encrypt them with.
    """

    def __init__(
        self, ws: Workspace, portfolio: Portfolio, *, state: State | None = None, spool: Path | None = None
    ) -> None:
        if portfolio.serving.needs_protection and not ws.protection_keys:
            raise ConfigurationError(
                f"{portfolio.name} is scored at once, and there is no key to encrypt with what is received",
                where="FRAUDOPS_PROTECTION_KEY",
                remedy="'make up' makes one for the local stack; in production set it from your secret store",
            )
        self._ws, self._portfolio = ws, portfolio
        self._state = state if state is not None else _new_state(portfolio)
        self._judge = Judge(ws, portfolio)
        self._config = config_of(portfolio)
        self._spool = Spool(ws, spool or Settings.from_environment().state / "serving" / "spool", portfolio.name)
        self._remembered = Remembered()
        self._keys: dict[int, str] = {}

    def decide(
        self,
        connection: Connection | None,
        arrivals: Sequence[Arrival],
        champion: Champion,
        now: datetime,
        *,
        degraded: Sequence[str] = (),
    ) -> list[Decided | Conflict]:
        """Decide on transactions in the order in which they came; all of them are committed when this returns.

        Parameters
        ----------
        connection
            Not in a transaction: one begins here, and is committed or rolled back. None: the database is away, and
            answers come from memory; they wait in the spool, which the next call with a connection enters first.
        now
            When they are decided.
        degraded
            What else is away, as the decisions are to say.

        Raises
        ------
        ContractError
            The model cannot score them.
        sqlalchemy.exc.DBAPIError
            The database failed; nothing was decided, unless it failed while committing: whoever asks again learns.
        """
        if connection is None:
            return self._decide_from_memory(arrivals, champion, (*degraded, DATABASE))
        if self._spool.waits:
            self.enter_spool(connection)
        with self._together(connection):
            answers, new = self._decide(connection, arrivals, champion, tuple(degraded))
        self._remembered.add(new)
        return answers

    def enter_spool(self, connection: Connection) -> int:
        """Bring into the tables what was decided without them, in its order; returns how many decisions were new.

        What is there already stays what it is: of two answers to one transaction the first that was entered counts.
        """
        if not self._spool.waits:
            return 0
        with self._spool.taken() as entries:
            if not entries:
                return 0
            with self._together(connection):
                return self._enter(connection, entries)

    def warm(self, connection: Connection, transactions: Sequence[Transaction]) -> None:
        """Remember the entities of transactions that are there already, so that nobody has to wait for them later."""
        try:
            self._state.begin(connection, transactions)
            for transaction in transactions:
                self._state.add(transaction)
        finally:
            self._state.rolled_back()
            _roll_back(connection)

    # -- with a database ----------------------------------------------------------------------------------

    def _decide(
        self, connection: Connection, arrivals: Sequence[Arrival], champion: Champion, degraded: tuple[str, ...]
    ) -> tuple[list[Decided | Conflict], list[Known]]:
        self._state.begin(connection, [arrival.transaction for arrival in arrivals])
        before = known.find(connection, self._portfolio.name, [arrival.transaction.id for arrival in arrivals])
        answers, entries, new = self._answered(arrivals, before, champion, degraded)
        self._record(connection, entries)
        return answers, new

    def _enter(self, connection: Connection, entries: Sequence[Entry]) -> int:
        self._state.begin(connection, [entry.transaction for entry in entries])
        seen = set(known.find(connection, self._portfolio.name, [entry.transaction.id for entry in entries]))
        new = []
        for entry in entries:
            if entry.transaction.id not in seen:
                seen.add(entry.transaction.id)
                new.append(entry)
        for entry in new:
            self._state.add(entry.transaction)
        self._record(connection, new)
        return len(new)

    def _record(self, connection: Connection, entries: Sequence[Entry]) -> None:
        if entries:
            first = self._state.number + 1
            insert(connection, self._portfolio.name, first, entries)
            self._state.finish(connection, range(first, first + len(entries)))

    @contextmanager
    def _together(self, connection: Connection) -> Iterator[None]:
        """Commit what the block does, all of it or none; the state remembers no more than the database."""
        try:
            yield
            connection.commit()
        except BaseException:
            self._state.rolled_back()
            _roll_back(connection)
            raise
        self._state.committed()

    # -- without one --------------------------------------------------------------------------------------

    def _decide_from_memory(
        self, arrivals: Sequence[Arrival], champion: Champion, degraded: tuple[str, ...]
    ) -> list[Decided | Conflict]:
        self._state.begin(None, [arrival.transaction for arrival in arrivals])
        try:
            before = self._remembered.find(arrival.transaction.id for arrival in arrivals)
            answers, entries, new = self._answered(arrivals, before, champion, degraded)
            if entries:
                self._spool.append(entries)
        except BaseException:
            self._state.rolled_back()
            raise
        self._state.committed()
        self._remembered.add(new)
        return answers

    # -- both ---------------------------------------------------------------------------------------------

    def _answered(
        self,
        arrivals: Sequence[Arrival],
        before: dict[str, Known],
        champion: Champion,
        degraded: tuple[str, ...],
    ) -> tuple[list[Decided | Conflict], list[Entry], list[Known]]:
        """An answer for each arrival; what is to be recorded, and to be remembered."""
        fresh: dict[str, Arrival] = {}
        for arrival in arrivals:
            if arrival.transaction.id not in before:
                fresh.setdefault(arrival.transaction.id, arrival)
        transactions = [arrival.transaction for arrival in fresh.values()]
        features = [self._state.add(transaction) for transaction in transactions]
        verdicts = self._judge.judge(champion, transactions, features)
        thresholds = thresholds_told(champion.model.thresholds.to_dict())
        entries, new = [], dict[str, Known]()
        for arrival, seen, verdict in zip(fresh.values(), features, verdicts, strict=True):
            entry = self._entry(arrival, seen, verdict, champion, degraded)
            entries.append(entry)
            new[arrival.transaction.id] = Known(arrival.content, _decided(entry, champion, thresholds))
        answers: list[Decided | Conflict] = []
        for arrival in arrivals:
            name = arrival.transaction.id
            if name in before:
                answers.append(before[name].answer(arrival.content))
            elif fresh[name] is arrival:
                answers.append(new[name].decided)
            else:
                answers.append(new[name].answer(arrival.content))
        return answers, entries, [*new.values()]

    def _entry(
        self,
        arrival: Arrival,
        features: Sequence[float],
        verdict: Verdict,
        champion: Champion,
        degraded: tuple[str, ...],
    ) -> Entry:
        transaction = arrival.transaction
        return Entry(
            decision_id=decision_id_of(self._portfolio.name, transaction.id),
            transaction=transaction,
            partition_key=self._key_of(transaction.event_time),
            received_at=arrival.received_at,
            content=arrival.content,
            raw=encrypt(self._ws, arrival.raw) if self._portfolio.serving.collect else None,
            features=features,
            config=self._config,
            model_id=champion.model_id,
            verdict=verdict,
            degraded=degraded,
        )

    def _key_of(self, event_time: int) -> str:
        """Its partition; every one begins at a full hour."""
        hour = event_time // _HOUR
        key = self._keys.get(hour)
        if key is None:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            moment = datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(hours=hour)
            key = self._keys[hour] = self._portfolio.partitioning.key_of(moment)
        return key


def _decided(entry: Entry, champion: Champion, thresholds: dict[str, float | None]) -> Decided:
    verdict = entry.verdict
    return Decided(
        decision_id=entry.decision_id,
        transaction_id=entry.transaction.id,
        score=verdict.score,
        decision=verdict.decision,
        route=verdict.route,
        propensity=verdict.propensity,
        thresholds=thresholds,
        reasons=verdict.reasons,
        model_version=champion.version,
        degraded=entry.degraded,
    )


def _roll_back(connection: Connection) -> None:
    """Whatever became of the connection: what went wrong before is what the caller must hear of."""
    try:
        connection.rollback()
    except Exception:
        connection.invalidate()


def _new_state(portfolio: Portfolio) -> State:
    from fraudops.online.state import OnlineState

    return OnlineState(portfolio)
