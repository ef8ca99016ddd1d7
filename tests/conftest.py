"""Fixtures that every test may use: a PostgreSQL server for the session, a database and a store per test."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace

from tests.databases import drop, with_tables

# As the Makefile does, for whoever calls pytest: neither tests nor the processes they start are compiled each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# As the stack does for tasks: one test process per core, so more threads would only wait for one another.
for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")

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


@pytest.fixture(scope="session", autouse=True)
def _nothing_waits_for_the_disk() -> Iterator[None]:
    """No test outlives a power failure, and a store that waits for its disk at each file is minutes of a whole run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: None)
        yield


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
def database_url(postgres: Postgres) -> Iterator[str]:
    """A fresh database with all tables."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    yield with_tables(postgres, name)
    drop(postgres, name)


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
