from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from fraudops.errors import ContractError
from fraudops.portfolio import Candidate, Portfolio
from fraudops.registry.candidates import train
from fraudops.registry.comparison import compare, verdict_of
from fraudops.registry.promotion import promote
from fraudops.reports.training import write_training_report
from fraudops.workspace import Workspace

from tests.registry.runs import leave_run, payments
from tests.reports.conftest import DRAWN

AS_OF = datetime(2026, 4, 8, tzinfo=UTC)
CANDIDATES = {"logistic_regression": "poor", "random_forest": "fair", "lightgbm": "best"}


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


def _page(ws: Workspace, cards: Portfolio, **run: str) -> str:
    leave_run(ws, cards, payments(), CANDIDATES, **run)
    compare(ws, cards, run_id="run-1", as_of=AS_OF)
    return (ws.store.root / write_training_report(ws, cards, run_id="run-1")).read_text()


def test_the_page_says_what_was_decided_and_on_what(workspace: Workspace, cards: Portfolio) -> None:
    page = _page(workspace, cards)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for claim in (
        "PROMOTE",
        "would be the first champion",
        "no champion yet",
        "partitions 2026-03-25 to 2026-03-30",
        "not below the baseline",
        "lightgbm v3",
        "random_forest v2",
        "What these numbers do not say",
        "transactions/2026-03-01",
    ):
        assert claim in text, claim


def test_the_page_needs_nothing_from_outside(workspace: Workspace, cards: Portfolio) -> None:
    page = _page(workspace, cards)
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=\"(?!data:)[^\"]*\"|url\(", page) == []


def test_figures_are_in_the_page_and_beside_it(workspace: Workspace, cards: Portfolio) -> None:
    page = _page(workspace, cards)
    inside = [base64.b64decode(found) for found in re.findall(r"data:image/png;base64,([^\"]+)", page)]
    folder = workspace.store.path("reports", "cards", "run-1")
    beside = {path.read_bytes() for path in folder.glob("*.png")}
    assert len(inside) == len(beside) == 8
    assert set(inside) == beside
    assert all(content.startswith(b"\x89PNG") for content in inside)


def test_the_numbers_lie_beside_the_page(workspace: Workspace, cards: Portfolio) -> None:
    _page(workspace, cards)
    numbers = json.loads(workspace.store.get("reports", "cards", "run-1", "metrics.json"))
    assert numbers["verdict"]["outcome"] == "PROMOTE"
    assert numbers["verdict"]["challenger"] == "v3"
    assert set(numbers["candidates"]) == set(CANDIDATES)
    assert numbers["candidates"]["lightgbm"]["test"]["n"] == 1200
    assert numbers["partitions"]["test"] == "2026-03-25 to 2026-03-30"


def test_the_same_run_gives_the_same_bytes(workspace: Workspace, cards: Portfolio) -> None:
    _page(workspace, cards)
    folder = workspace.store.path("reports", "cards", "run-1")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    DRAWN.clear()
    write_training_report(workspace, cards, run_id="run-1")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_verdict_knows_its_page(workspace: Workspace, cards: Portfolio) -> None:
    _page(workspace, cards)
    with workspace.transaction() as session:
        report = verdict_of(session, cards, "run-1").report
    assert report == "reports/portfolio=cards/run-1/index.html"


def test_a_champion_is_named(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(26), CANDIDATES, run_id="run-0")
    compare(workspace, cards, run_id="run-0", as_of=AS_OF - timedelta(days=4))
    promote(workspace, cards, run_id="run-0", approved_by="vera", reason="the first one")
    page = _page(workspace, cards)
    assert "champion v3 (lightgbm)" in page
    assert "HOLD" in page


@pytest.mark.parametrize(("kind", "words"), [("score", "Score ≥"), ("value", "Score × amount ≥ ")])
def test_a_run_that_was_really_trained(workspace: Workspace, cards: Portfolio, kind: str, words: str) -> None:
    cards = cards.model_copy(update={"policy": cards.policy.model_copy(update={"thresholds": kind})})
    leave_run(workspace, cards, payments(), {})
    forest = Candidate(estimator="random_forest", parameters={"n_estimators": 3, "max_depth": 1})
    training = cards.training.model_copy(update={"candidates": {**cards.training.candidates, "random_forest": forest}})
    cards = cards.model_copy(update={"training": training})
    for candidate in ("logistic_regression", "random_forest"):
        train(workspace, cards, run_id="run-1", candidate=candidate)
    found = compare(workspace, cards, run_id="run-1", as_of=AS_OF)
    assert found.outcome == "PROMOTE"
    promoted = promote(workspace, cards, run_id="run-1", approved_by="vera", reason="the first one")
    assert promoted.metrics["positives"] > 20
    page = (workspace.store.root / write_training_report(workspace, cards, run_id="run-1")).read_text()
    assert page.count("data:image/png") == 9
    assert words in page
    assert "a review 4.00" in page
    numbers = json.loads(workspace.store.get("reports", "cards", "run-1", "metrics.json"))
    money = numbers["candidates"][found.challenger_candidate]["test"]["money"]
    assert f"{money['cost'] / 100:,.0f}</td>" in page
    assert money["costs"] == {"review": 400.0, "friction": 1500.0, "recovered": 1.0}


def test_a_random_split_warns(workspace: Workspace, cards: Portfolio) -> None:
    assert "The split was random." in _page(workspace, cards, split="random")


def test_what_comes_from_outside_is_escaped(workspace: Workspace, cards: Portfolio) -> None:
    hostile = cards.model_copy(update={"title": "<script>alert(1)</script>"})
    page = _page(workspace, hostile)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_run_without_a_verdict_has_no_page(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(), CANDIDATES)
    with pytest.raises(ContractError, match="no verdict"):
        write_training_report(workspace, cards, run_id="run-1")
    assert not workspace.store.path("reports", "cards", "run-1").exists()
