"""What the batch writes into the online state's tables.

Rows are compared and written without the portfolio's lock, which scoring needs. It is taken at the very end of each
transaction, to say that what processes remember is out of date. Whoever scores in between sees all of it or nothing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

from psycopg2.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, Engine

from fraudops.online.stored import StoredReport, escaped
from fraudops.online.tables import NEW_HEAD

_ATTEMPTS = 20
_WAIT = "500ms"
"""Less than what PostgreSQL waits before it looks for a deadlock: scoring is never the one that has to give way."""

_INCOMING = """
create temporary table if not exists incoming_payment
(entity bytea, event_time bigint, transaction_id text collate "C", portfolio text, amount_minor bigint, others jsonb)
on commit delete rows
"""
_COPY = "copy incoming_payment (entity, event_time, transaction_id, portfolio, amount_minor, others) from stdin"
# What came online stays, unless the batch knows the same transaction.
_REPLACE = """
delete from online_payment p
where p.portfolio = %(name)s and p.event_time >= %(first)s and p.event_time < %(end)s
and (p.number is null or p.transaction_id in (select transaction_id from incoming_payment))
and not exists (
    select from incoming_payment i
    where i.entity = p.entity and i.event_time = p.event_time and i.transaction_id = p.transaction_id
    and i.amount_minor = p.amount_minor and i.others is not distinct from p.others
)
"""
_INSERT = """
insert into online_payment (entity, event_time, transaction_id, portfolio, amount_minor, others)
select entity, event_time, transaction_id, portfolio, amount_minor, others from incoming_payment
on conflict do nothing
"""
_EPOCH = "update online_portfolio set epoch = epoch + 1 where portfolio = %(name)s"
_SEEDED = """
insert into online_seed (portfolio, dataset, partition_key, digest) values (%(name)s, %(dataset)s, %(key)s, %(digest)s)
on conflict (portfolio, dataset, partition_key) do update set digest = excluded.digest
"""
_DIGESTS = "select dataset, partition_key, digest from online_seed where portfolio = %(name)s"
_REPORTS = """
select entity, event_time, transaction_id, amount_minor, known_at, fraud from online_report
where portfolio = %(name)s order by id
"""
_UNSAY = "delete from online_report where portfolio = %(name)s and transaction_id = any(%(ids)s)"
_SAY = "copy online_report (portfolio, entity, event_time, transaction_id, amount_minor, known_at, fraud) from stdin"
_OLD = """
delete from online_payment where ctid = any(array(
    select ctid from online_payment where portfolio = %(name)s and event_time < %(first)s limit %(most)s
))
"""
_OLD_SEEDS = "delete from online_seed where portfolio = %(name)s and dataset = %(dataset)s and partition_key < %(key)s"


class Bringing:
    """The tables of one portfolio, while its batch is brought into them; one process at a time.

    Parameters
    ----------
    connection
        In no transaction.
    portfolio
        Name.
    """

    def __init__(self, connection: Connection, portfolio: str) -> None:
        self._connection, self._name = connection, portfolio

    @classmethod
    @contextmanager
    def of(cls, engine: Engine, portfolio: str) -> Iterator[Bringing]:
        """Wait until no other process brings anything into a portfolio's tables."""
        name = (f"online/{portfolio}",)
        with engine.connect() as connection:
            connection.exec_driver_sql("select pg_advisory_lock(hashtextextended(%s, 0))", name)
            connection.commit()
            try:
                yield cls(connection, portfolio)
            finally:
                connection.rollback()
                connection.exec_driver_sql("select pg_advisory_unlock(hashtextextended(%s, 0))", name)
                connection.commit()

    def digests(self) -> dict[tuple[str, str], str]:
        """Dataset and key of what was brought → its digest then."""
        with self._transaction() as cursor:
            cursor.execute(_DIGESTS, {"name": self._name})
            return {(dataset, key): digest for dataset, key, digest in cursor}

    def payments(self, lines: Iterable[str], first: int, end: int, seeded: Mapping[str, str] | None) -> int:
        """Make the batch's payments of a stretch of time those of the lines.

        Parameters
        ----------
        lines
            For ``copy``.
        first, end
            Microseconds since 1970; the end does not belong to it.
        seeded
            ``dataset``, ``key`` and ``digest`` of a partition that has been brought with it.

        Returns
        -------
        int
            How many rows came and went.
        """
        text, place = "".join(lines), {"name": self._name, "first": first, "end": end}

        def bring(cursor: Any) -> int:
            cursor.execute(_INCOMING)
            cursor.copy_expert(_COPY, io.StringIO(text))
            cursor.execute("analyze incoming_payment")
            cursor.execute(_REPLACE, place)
            gone = cursor.rowcount
            cursor.execute(_INSERT)
            return int(gone + cursor.rowcount)

        return self._patiently(bring, seeded)

    def reports(self) -> dict[str, list[StoredReport]]:
        """Transaction → what is kept of what was said about it."""
        found: dict[str, list[StoredReport]] = {}
        with self._transaction() as cursor:
            cursor.execute(_REPORTS, {"name": self._name})
            for entity, *rest in cursor:
                found.setdefault(rest[1], []).append((bytes(entity), *rest))
        return found

    def say(self, gone: list[str], said: list[StoredReport], seeded: Mapping[str, str]) -> None:
        """Take back what was said about some transactions, and say something else."""
        lines = "".join(_said(self._name, report) for report in said)

        def replace(cursor: Any) -> int:
            cursor.execute(_UNSAY, {"name": self._name, "ids": gone})
            cursor.copy_expert(_SAY, io.StringIO(lines))
            return len(gone) + len(said)

        self._patiently(replace, seeded)

    def drop_before(self, first: int, key: str, dataset: str, at_once: int = 50_000) -> int:
        """Remove payments that are too old to matter; nobody's features change by it."""
        dropped = 0
        while True:
            with self._transaction() as cursor:
                cursor.execute(_OLD, {"name": self._name, "first": first, "most": at_once})
                dropped += cursor.rowcount
                if cursor.rowcount < at_once:
                    cursor.execute(_OLD_SEEDS, {"name": self._name, "dataset": dataset, "key": key})
                    return dropped

    def _patiently(self, change: Callable[[Any], int], seeded: Mapping[str, str] | None) -> int:
        """Change something and say so; begin anew where scoring is in the way."""
        for _ in range(_ATTEMPTS - 1):
            with suppress(LockNotAvailable, DeadlockDetected):
                return self._change(change, seeded)
        return self._change(change, seeded)

    def _change(self, change: Callable[[Any], int], seeded: Mapping[str, str] | None) -> int:
        with self._transaction() as cursor:
            cursor.execute(f"set local lock_timeout = '{_WAIT}'")
            cursor.execute(NEW_HEAD, (self._name,))
            changed = change(cursor)
            if seeded is not None:
                cursor.execute(_SEEDED, {"name": self._name, **seeded})
            if changed:
                cursor.execute(_EPOCH, {"name": self._name})
            return changed

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self._connection.begin(), closing(self._connection.connection.cursor()) as cursor:
            yield cursor


def _said(portfolio: str, report: StoredReport) -> str:
    entity, time, transaction, amount, known_at, fraud = report
    word = "\\N" if fraud is None else "t" if fraud else "f"
    return f"{portfolio}\t\\\\x{entity.hex()}\t{time}\t{escaped(transaction)}\t{amount}\t{known_at}\t{word}\n"
