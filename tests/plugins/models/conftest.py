"""Two training runs: the first one's model is champion, the second one's waits for a decision."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fraudops.portfolio import Portfolio
from fraudops.registry.approval import put_question
from fraudops.registry.comparison import compare, verdict_of
from fraudops.registry.promotion import promote
from fraudops.registry.requests import record_request
from fraudops.registry.versions import of_run
from fraudops.reports.curves import write_curves
from fraudops.stack.postgres import Postgres
from fraudops.training import dataset
from fraudops.workspace import Workspace

from tests.installations import Template
from tests.plugins.conftest import ROLES
from tests.registry.runs import leave_run, payments

AS_OF = datetime(2026, 4, 8, tzinfo=UTC)


def leave_curves(ws: Workspace, cards: Portfolio, run_id: str) -> None:
    """What the report of a training run leaves of its curves."""
    with ws.transaction() as session:
        verdict, models = verdict_of(session, cards, run_id), of_run(session, "cards", run_id)
    write_curves(ws, cards, verdict, models, dataset.load(ws, cards, run_id))


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    """The portfolio of the runs."""
    return portfolios["cards"]


def train_twice(workspace: Workspace, cards: Portfolio) -> None:
    """v2 is champion, by validator; v4 is better; admin asked for both, and the approvers are asked about v4."""
    for run_id, days, quality in (("run-0", 26, "fair"), ("run-1", 30, "best")):
        candidates = {"logistic_regression": "poor", "lightgbm": quality}
        record_request(workspace, cards, run_id=run_id, requested_by="admin", reason="a <b>test</b>", as_of=AS_OF)
        models = leave_run(workspace, cards, payments(days), candidates, run_id=run_id)
        found = compare(workspace, cards, run_id=run_id, as_of=AS_OF)
        assert (found.outcome, found.challenger) == ("PROMOTE", models["lightgbm"].version)
        leave_curves(workspace, cards, run_id)
        if run_id == "run-0":
            promote(workspace, cards, run_id=run_id, approved_by="validator", reason="the first one")
    put_question(workspace, cards, ROLES, run_id="run-1")


@pytest.fixture(scope="session")
def trained_twice(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, portfolios: dict[str, Portfolio]
) -> Template:
    """An installation in which two models were trained."""
    folder = tmp_path_factory.mktemp("trained_twice")
    return Template.made(postgres, folder, lambda workspace: train_twice(workspace, portfolios["cards"]))


@pytest.fixture
def workspace(trained_twice: Template, tmp_path: Path) -> Iterator[Workspace]:
    """That installation; every test here has one of its own."""
    with trained_twice.copy(tmp_path) as own:
        yield own


@pytest.fixture
def trained(workspace: Workspace) -> Workspace:
    """The same, by what it is."""
    return workspace
