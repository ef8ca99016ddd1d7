"""A small portfolio with every kind of column, and helpers that write its files and read the store."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import LandResult, land
from fraudops.portfolio import Portfolio
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace

from tests.databases import with_tables

COLUMNS: dict[str, dict[str, Any]] = {
    "transaction_id": {"role": "id"},
    "event_time": {"role": "time", "timezone": "Europe/Berlin"},
    "amount": {"role": "amount", "minimum": 0, "maximum": 10_000},
    "customer_id": {"role": "entity", "required": True},
    "card_number": {"role": "card"},
    "customer_name": {"role": "personal"},
    "channel": {"role": "category"},
    "distance": {"role": "number"},
    "contactless": {"role": "boolean"},
    "memo": {"role": "ignore"},
}
HEADER = "id,time,amount,customer_id,card_number,customer_name,channel,distance,contactless"
CARD = "4111111111111111"


def make_portfolio(**changes: Any) -> Portfolio:
    """The small portfolio, with some of its sections changed."""
    content: dict[str, Any] = {
        "name": "shop",
        "title": "Shop",
        "description": "A small shop",
        "owner": "tests",
        "transactions": {
            "path": "tx_{key}.csv*",
            "columns": {"transaction_id": "id", "event_time": "time"},
        },
        "columns": COLUMNS,
        "labels": {"delay": "7d", "source": {"path": "labels_{key}.csv"}},
        "training": {"candidates": {"logistic_regression": {"estimator": "logistic_regression"}}},
        "notices": {"compliance": ["c@x.example"], "data_owner": ["d@x.example"]},
    }
    return Portfolio.model_validate({**content, **changes})


def without_ids(**changes: Any) -> Portfolio:
    """A portfolio whose rows have no id: time, amount, one number, label."""
    columns = {
        "event_time": {"role": "time", "origin": "2026-03-05T00:00:00+00:00"},
        "amount": {"role": "amount"},
        "V1": {"role": "number"},
        "kind": {"role": "category"},
        "label": {"role": "label", "positive": ["1"]},
    }
    content = {"columns": columns, "transactions": {"path": "*.csv*"}, "labels": {"delay": "1d"}}
    return make_portfolio(**{**content, **changes})


@pytest.fixture(scope="session")
def _shared_database(postgres: Postgres) -> str:
    """One database for all: landing only locks in it, and a ledger may hold the entries of many tests."""
    return with_tables(postgres, "intake")


@pytest.fixture
def workspace(tmp_path: Path, store: Store, _shared_database: str) -> Workspace:
    """An installation with an empty store and landing folder."""
    landing = tmp_path / "landing"
    landing.mkdir()
    return Workspace(
        store=store, landing=landing, database_url=_shared_database, token_key=b"t" * 32, ledger_key=b"l" * 32
    )


@pytest.fixture
def shop() -> Portfolio:
    """The small portfolio."""
    return make_portfolio()


@pytest.fixture
def deliver(workspace: Workspace) -> Callable[..., Path]:
    """Writes a file into the landing folder: ``deliver("tx.csv", "1,…", "2,…")``."""

    def write(name: str, *rows: str, header: str = HEADER, portfolio: str = "shop", ending: str = "\n") -> Path:
        folder = workspace.landing / portfolio
        folder.mkdir(exist_ok=True)
        content = ending.join([header, *rows, ""]).encode()
        path = folder / name
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return path

    return write


def row(number: int | str, time: str = "2026-03-05T10:00:00Z", amount: str = "12.50", **others: str) -> str:
    """A line of the small portfolio's file."""
    values = {
        "customer_id": "c1", "card_number": CARD, "customer_name": "Jo Doe", "channel": "online",
        "distance": "1.5", "contactless": "true", **others,
    }  # fmt: skip
    return ",".join([str(number), time, amount, *values.values()])


def land_paths(ws: Workspace, portfolio: Portfolio, *paths: Path, **limits: str) -> LandResult:
    """Land transactions files."""
    result = land(ws, portfolio, FeedFiles(transactions=list(paths)), **limits)
    assert result.rows_read == result.rows_accepted + result.rows_quarantined + result.rows_elsewhere
    return result


def staged_rows(ws: Workspace, key: str = "2026-03-05", portfolio: str = "shop") -> list[dict[str, Any]]:
    """Rows of a staged (or else published) partition."""
    manifest = ws.store.staged("transactions", portfolio, key) or ws.store.require("transactions", portfolio, key)
    return ws.store.read(manifest).to_pylist()


def quarantined(ws: Workspace, portfolio: str = "shop") -> list[dict[str, Any]]:
    """All rows in quarantine, in the order of files' digests and lines."""
    import pyarrow.parquet as pq

    found = sorted(Path(ws.store.root).glob(f"quarantine/portfolio={portfolio}/file=*/rows.parquet"))
    return [item for path in found for item in pq.read_table(path, partitioning=None).to_pylist()]


def snapshot(ws: Workspace) -> dict[str, bytes]:
    """Every file of the store."""
    root = Path(ws.store.root)
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}
