from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.portfolio import Portfolio
from fraudops.store import Store
from fraudops.workspace import Workspace

from tests.training import history


@pytest.fixture(scope="module")
def shop() -> Portfolio:
    """A portfolio with a chargeback feed."""
    return history.portfolio()


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory, shop: Portfolio) -> Workspace:
    """Forty days of the shop's history; no database, which data sets and models do not need."""
    workspace = empty(tmp_path_factory.mktemp("shop"))
    history.write(workspace, shop, history.transactions())
    return workspace


def empty(folder: Path) -> Workspace:
    """A workspace with an empty store."""
    return Workspace(Store(folder / "store"), folder / "landing", "postgresql://nowhere", b"t" * 32, b"l" * 32)
