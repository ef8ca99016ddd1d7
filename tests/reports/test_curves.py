from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fraudops.database import ModelVersion
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import compare, verdict_of
from fraudops.registry.promotion import promote
from fraudops.registry.versions import of_run
from fraudops.reports.curves import write_curves
from fraudops.training import dataset
from fraudops.workspace import Workspace

from tests.registry.runs import leave_run, payments

AS_OF = datetime(2026, 4, 8, tzinfo=UTC)
CANDIDATES = {"logistic_regression": "poor", "lightgbm": "best"}


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


def write(ws: Workspace, cards: Portfolio, run_id: str) -> dict[str, Any]:
    with ws.transaction() as session:
        verdict, models = verdict_of(session, cards, run_id), of_run(session, "cards", run_id)
    return write_curves(ws, cards, verdict, models, dataset.load(ws, cards, run_id))


def test_every_version_is_there_and_agrees_with_its_registered_numbers(workspace: Workspace, cards: Portfolio) -> None:
    left: dict[str, ModelVersion] = leave_run(workspace, cards, payments(), CANDIDATES)
    compare(workspace, cards, run_id="run-1", as_of=AS_OF)
    found = write(workspace, cards, "run-1")
    assert found["champion"] is None
    assert set(found["rows"]) == {"test"}
    by_version = {curve["version"]: curve for curve in found["curves"]}
    for model in left.values():
        curve, measured = by_version[model.version], model.metrics
        assert curve["average_precision"] == pytest.approx(measured["average_precision"])
        confusion = measured["confusion"]["review"]
        assert curve["decided"]["caught"] == confusion["true_positive"]
        assert curve["decided"]["flagged"] == confusion["true_positive"] + confusion["false_positive"]
        assert curve["table"]["flagged"][-1] == found["rows"]["test"]["n"] == measured["n"]


def test_the_champion_stands_beside_the_challenger_on_what_it_has_not_seen(
    workspace: Workspace, cards: Portfolio
) -> None:
    leave_run(workspace, cards, payments(26), {**CANDIDATES, "lightgbm": "fair"}, run_id="run-0")
    compare(workspace, cards, run_id="run-0", as_of=AS_OF)
    promote(workspace, cards, run_id="run-0", approved_by="vera", reason="the first one")
    frame = payments()
    left = leave_run(workspace, cards, frame, CANDIDATES)
    compare(workspace, cards, run_id="run-1", as_of=AS_OF)
    found = write(workspace, cards, "run-1")
    unseen = [curve for curve in found["curves"] if curve["rows"] == "unseen"]
    assert [curve["version"] for curve in unseen] == [left["lightgbm"].version, found["champion"]]
    rows = frame[(frame["slice"] == "test") & (frame["event_time"] >= "2026-03-27")]
    assert found["rows"]["unseen"]["n"] == len(rows) < found["rows"]["test"]["n"]
    assert found["rows"]["unseen"]["positives"] == rows["label"].sum()
    assert unseen[0]["average_precision"] > unseen[1]["average_precision"]
    score = rows["fair"].to_numpy()
    place = len(unseen[1]["table"]["threshold"]) // 2
    assert unseen[1]["table"]["flagged"][place] == (score >= unseen[1]["table"]["threshold"][place] - 1e-9).sum()


def test_the_same_run_gives_the_same_bytes(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(), CANDIDATES)
    compare(workspace, cards, run_id="run-1", as_of=AS_OF)
    write(workspace, cards, "run-1")
    before = workspace.store.get("reports", "cards", "run-1", "curves.json")
    write(workspace, cards, "run-1")
    assert workspace.store.get("reports", "cards", "run-1", "curves.json") == before
    assert json.loads(before)["schema"] == "fraudops.curves"
