"""Fixtures that every test may use: a PostgreSQL server for the session, a database and a store per test."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace

from tests.databases import with_tables

# As the Makefile does, for whoever calls pytest: processes that tests start compile no module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

CHECKOUT = Path(__file__).resolve().parents[1]
_numbers = itertools.count(1)
_LONGEST = (
    "stack/test_demo.py",
    "stack/test_stack.py",
    "chaos/test_chaos.py",
    "notebooks/test_quickstart.py",
    "test_lifecycle.py",
    "intake/inference/test_lookalikes.py",
    "intake/test_memory.py",
)
"""Files of tests that take longest, in that order."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process has it left when the others have finished."""
    turn = {CHECKOUT / "tests" / name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: turn.get(item.path, len(turn)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test process alone, in a short path, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="fo-pg-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder), durable=False)
        server.start()
        yield server
        server.remove()


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    """A fresh database with all tables."""
    return with_tables(postgres, f"test_{os.getpid()}_{next(_numbers)}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty artifact store."""
    return Store(tmp_path / "store")


@pytest.fixture
def workspace(tmp_path: Path, store: Store, database_url: str) -> Workspace:
    """An empty installation: store, landing folder, database, keys."""
    landing = tmp_path / "landing"
    landing.mkdir()
    keys = {"token_key": b"t" * 32, "ledger_key": b"l" * 32, "protection_key": b"p" * 32}
    return Workspace(store=store, landing=landing, database_url=database_url, **keys)


@pytest.fixture(scope="session")
def portfolios() -> dict[str, Portfolio]:
    """The portfolios that ship with the project."""
    folder = CHECKOUT / "include" / "portfolios"
    return {path.stem: load_portfolio(path) for path in folder.glob("*.yaml")}


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real data sets; the test is skipped where there is none."""
    folder = os.environ.get("FRAUDOPS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("FRAUDOPS_DATA names no folder with the real data sets (docs/data.md says how to get them)")
    return Path(folder)
