"""The page of a prequential evaluation."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.reports.prequential import evaluate_and_put, put_window, read_windows, write_prequential_report
from fraudops.training.evaluation_runs import plan_evaluation
from fraudops.training.prequential import evaluate_candidates
from fraudops.training.windows import Window, evaluation_name
from fraudops.workspace import Workspace

from tests.training import history
from tests.training.conftest import empty

WINDOWS = [Window(history.START + timedelta(days=day), history.START + timedelta(days=day + 7)) for day in (21, 28)]


@pytest.fixture(scope="module")
def shop() -> Portfolio:
    return history.portfolio()


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory, shop: Portfolio) -> Workspace:
    workspace = empty(tmp_path_factory.mktemp("shop"))
    history.write(workspace, shop, history.transactions())
    return workspace


def _write(ws: Workspace, shop: Portfolio) -> tuple[str, str]:
    name = evaluation_name(WINDOWS, shop.training.prequential)
    files = []
    for window in WINDOWS:
        found = evaluate_candidates(
            ws, shop, window, as_of=history.end(), candidates=["logistic_regression", "lightgbm"]
        )
        files.append(put_window(ws, shop, name, found))
    return name, write_prequential_report(ws, shop, name, files, as_of=history.end())


def test_the_page_and_the_numbers_lie_together_and_are_the_same_again(ws: Workspace, shop: Portfolio) -> None:
    name, path = _write(ws, shop)
    assert path == f"reports/portfolio=shop/{name}/index.html"
    folder = (ws.store.root / path).parent

    def content() -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    before = content()
    assert set(before) == {
        "index.html", "evaluation.json", "average_precision.png", "card_precision.png", "alerts.png",
        "window_2026-03-22.json", "window_2026-03-29.json",
    }  # fmt: skip
    _write(ws, shop)
    assert content() == before

    told = json.loads(before["evaluation.json"])
    values = [window["metrics"]["average_precision"] for window in told["windows"] if window["candidate"] == "lightgbm"]
    spread = told["summary"]["lightgbm"]["average precision"]
    assert spread["mean"] == pytest.approx(sum(values) / 2)
    assert spread["windows"] == 2
    page = before["index.html"].decode()
    assert f"{spread['mean']:.3f} ± {spread['deviation']:.3f}" in page
    assert "2026-03-22 to 2026-03-29" in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_plan_names_windows_that_tasks_can_work_on_one_by_one(ws: Workspace, shop: Portfolio) -> None:
    plan = plan_evaluation(ws, shop, None)
    assert plan.as_of == history.end()
    asked = plan.to_list()
    assert len(asked) == shop.training.prequential.windows
    assert asked[-1]["end"] == (history.end() - shop.labels.delay).isoformat()
    file = evaluate_and_put(ws, shop, asked[-1], candidates=["logistic_regression"])
    (found,) = read_windows(ws, shop, plan.name, [file])
    assert (found["candidate"], found["start"]) == ("logistic_regression", asked[-1]["start"])


def test_without_a_window_there_is_no_page(ws: Workspace, shop: Portfolio) -> None:
    with pytest.raises(ContractError, match="no window was evaluated"):
        write_prequential_report(ws, shop, "prequential_none", [], as_of=history.end())
