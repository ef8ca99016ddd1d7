"""A small portfolio whose rows come from elsewhere, and the servers that they come from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fraudops.errors import FraudopsError
from fraudops.intake.fetching import Access, Fetched, fetch, land_all, settle
from fraudops.intake.files import find_files
from fraudops.intake.results import LandResult
from fraudops.portfolio import Portfolio
from fraudops.stack.postgres import Postgres
from fraudops.workspace import Workspace
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from tests.intake.conftest import make_portfolio

_numbers = itertools.count(1)
COLUMNS: dict[str, dict[str, Any]] = {
    "transaction_id": {"role": "id"},
    "event_time": {"role": "time"},
    "amount": {"role": "amount"},
    "customer_id": {"role": "entity"},
    "label": {"role": "label"},
}
CREATE = """
    CREATE TABLE payments (
        seq bigserial PRIMARY KEY, id text NOT NULL, at timestamptz, amount numeric(12, 2), customer_id int,
        label bool, updated_at timestamptz NOT NULL DEFAULT now()
    )
"""
TABLE = {"table": "payments", "connection": "bank", "columns": {"transaction_id": "id", "event_time": "at"}}


def portfolio_of(*sources: dict[str, Any], **changes: Any) -> Portfolio:
    """A portfolio with these sources; its name is used once, as the ledger is everybody's."""
    content = {"name": f"pay{next(_numbers)}", "columns": COLUMNS, "labels": {"delay": "7d"}}
    return make_portfolio(**{**content, "transactions": list(sources), **changes})


class Bank:
    """Somebody else's database, with a table of payments."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(url, poolclass=NullPool)

    def run(self, *statements: str) -> None:
        """Execute and commit."""
        with self._engine.begin() as connection:
            for statement in statements:
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)

    def session(self) -> Connection:
        """A connection of its own."""
        return self._engine.connect()

    def pay(self, number: int | str, at: str | None = "2026-03-05 10:00:00+00", amount: Any = 12.5) -> None:
        """Insert a payment."""
        time = "NULL" if at is None else f"'{at}'"
        self.run(f"INSERT INTO payments (id, at, amount, customer_id) VALUES ('{number}', {time}, {amount}, 7)")

    def access(self, source: object = None) -> Access:
        """The login."""
        return Access(url=self.url)


@pytest.fixture
def bank(postgres: Postgres) -> Bank:
    """A database with an empty table of payments and nothing else."""
    postgres.ensure_database("bank")
    found = Bank(postgres.url("bank"))
    found.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", "GRANT USAGE ON SCHEMA public TO PUBLIC", CREATE)
    return found


@pytest.fixture
def bring(workspace: Workspace, bank: Bank) -> Callable[..., tuple[Fetched, LandResult]]:
    """Fetches and lands, as the DAGs do: ``bring(portfolio)`` what is new, ``bring(portfolio, "2026-03-05")`` a day."""

    def run(portfolio: Portfolio, key: str | None = None, access: Any = bank.access) -> tuple[Fetched, LandResult]:
        fetched = fetch(workspace, portfolio, access, first=key, last=key)
        files = find_files(workspace, portfolio, key, read=fetched.read)
        result = land_all(workspace, portfolio, files, first=key, last=key)
        settle(workspace, portfolio, fetched, actor="service:test")
        return fetched, result

    return run


def stored(ws: Workspace, portfolio: Portfolio, key: str = "2026-03-05") -> dict[str, float]:
    """Id → amount of a partition's staged rows."""
    rows = ws.store.read(_manifest(ws, portfolio, key)).to_pylist()
    return {row["transaction_id"]: row["amount"] for row in rows}


def _manifest(ws: Workspace, portfolio: Portfolio, key: str) -> Any:
    store = ws.store
    return store.staged("transactions", portfolio.name, key) or store.require("transactions", portfolio.name, key)


def message_of(call: Callable[[], object]) -> str:
    """What the error says that a call must raise."""
    with pytest.raises(FraudopsError) as error:
        call()
    return f"{type(error.value).__name__}: {error.value}"


@pytest.fixture
def landing(workspace: Workspace) -> Iterator[Path]:
    """The landing folder; at the end nothing unfinished may lie there."""
    yield workspace.landing
    assert not list(workspace.landing.rglob(".*.part"))
