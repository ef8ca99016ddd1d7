"""What the state reads and writes in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psycopg2.extras import Json, execute_values
from sqlalchemy import Connection

from fraudops.online.reports import Report
from fraudops.online.timeline import Payment

_HEAD = "select number, epoch from online_portfolio where portfolio = %s for update"
NEW_HEAD = "insert into online_portfolio (portfolio, number, epoch) values (%s, 0, 0) on conflict do nothing"
_LOAD = """
select entity, event_time, transaction_id, amount_minor, others, null, null from online_payment
where entity = any(%(entities)s)
union all
(select entity, event_time, transaction_id, amount_minor, null, known_at, fraud from online_report
where entity = any(%(entities)s) order by known_at, id)
"""
_SINCE = """
select entity, event_time, transaction_id, amount_minor, others from online_payment
where portfolio = %s and number > %s
"""
_PAY = """
insert into online_payment (entity, event_time, transaction_id, portfolio, amount_minor, others, number) values %s
on conflict do nothing
"""
_MOVE = "update online_portfolio set number = %s where portfolio = %s"


class Head(NamedTuple):
    """Where a portfolio's state stands."""

    number: int
    epoch: int


@dataclass
class Told:
    """What the database knows of an entity."""

    payments: list[Payment] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)


class PaymentRow(NamedTuple):
    """A row of ``online_payment``."""

    entity: bytes
    event_time: int
    transaction_id: str
    portfolio: str
    amount_minor: int
    others: Any
    number: int | None


def lock(connection: Connection, portfolio: str) -> Head:
    """Lock a portfolio's row, which is made where there is none."""
    # By SQLAlchemy, so that it knows that a transaction has begun.
    found = connection.exec_driver_sql(_HEAD, (portfolio,)).one_or_none()
    if found is None:
        connection.exec_driver_sql(NEW_HEAD, (portfolio,))
        found = connection.exec_driver_sql(_HEAD, (portfolio,)).one()
    return Head(*found)


def told_of(connection: Connection, entities: Sequence[bytes]) -> dict[bytes, Told]:
    """All that is kept of some entities; reports in the order in which they became known."""
    found = {entity: Told() for entity in entities}
    with _cursor(connection) as cursor:
        cursor.execute(_LOAD, {"entities": [*entities]})
        for entity, time, transaction, amount, others, known_at, fraud in cursor:
            told = found[bytes(entity)]
            if known_at is None:
                told.payments.append((time, transaction, amount, others or {}))
            else:
                told.reports.append(Report(transaction, time, amount, known_at, fraud))
    return found


def paid_since(connection: Connection, portfolio: str, number: int) -> list[tuple[bytes, Payment]]:
    """Payments of the decisions that have a higher number."""
    with _cursor(connection) as cursor:
        cursor.execute(_SINCE, (portfolio, number))
        return [
            (bytes(entity), (time, transaction, amount, others or {}))
            for entity, time, transaction, amount, others in cursor
        ]


def write(connection: Connection, portfolio: str, rows: Iterable[PaymentRow], number: int) -> None:
    """Insert payments, and say of which decision the latest one is."""
    with _cursor(connection) as cursor:
        execute_values(
            cursor, _PAY, [row._replace(others=row.others and Json(row.others)) for row in rows], page_size=5000
        )
        cursor.execute(_MOVE, (number, portfolio))


def _cursor(connection: Connection) -> AbstractContextManager[Any]:
    """A cursor of the driver itself: rows are many, and SQLAlchemy would wrap each."""
    return closing(connection.connection.cursor())
