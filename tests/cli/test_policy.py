"""The command ``fraudops policy try``."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fraudops.cli import policy
from fraudops.errors import ConfigurationError, ContractError
from fraudops.portfolio import Policy, Portfolio
from fraudops.registry.comparison import compare
from fraudops.registry.policies import try_policy
from fraudops.registry.promotion import promote
from fraudops.workspace import Workspace
from typer.testing import CliRunner, Result

from tests.registry.runs import leave_run, payments


@pytest.fixture
def installation(workspace: Workspace, portfolios: dict[str, Portfolio], monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with a champion, found through the environment as the commands do."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(workspace.store.root))
    monkeypatch.setenv("FRAUDOPS_LANDING", str(workspace.landing))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())
    cards = portfolios["cards"]
    leave_run(workspace, cards, payments(), {"logistic_regression": "poor", "lightgbm": "best"})
    compare(workspace, cards, run_id="run-1", as_of=datetime(2026, 4, 8, tzinfo=UTC))
    promote(workspace, cards, run_id="run-1", approved_by="vera", reason="the first one")
    return workspace


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(policy.app, ["try", *arguments], env={"COLUMNS": "160"}, catch_exceptions=False)


def test_a_smaller_budget_raises_fewer_alerts_and_catches_less(
    installation: Workspace, portfolios: dict[str, Portfolio]
) -> None:
    cards = portfolios["cards"]
    trial = try_policy(installation, cards, cards.policy.model_copy(update={"alerts_per_day": 5}))
    assert trial.tried.alerts_per_day < 8 < trial.today.alerts_per_day
    assert trial.tried.caught < trial.today.caught
    assert trial.today.frauds == trial.tried.frauds
    # Measured with the thresholds that the champion has.
    assert trial.today.thresholds.review == 0.4


def test_the_costs_that_are_tried_measure_both(installation: Workspace, portfolios: dict[str, Portfolio]) -> None:
    cards = portfolios["cards"]
    free = try_policy(installation, cards, Policy.model_validate({"costs": {"review": 0, "friction": 1}}))
    dear = try_policy(installation, cards, Policy.model_validate({"costs": {"review": 40, "friction": 1}}))
    assert free.today.money is not None
    assert dear.today.money is not None
    assert free.today.alerts_per_day == dear.today.alerts_per_day
    assert free.today.money.cost < dear.today.money.cost
    assert dear.tried.alerts_per_day < free.tried.alerts_per_day


def test_the_command_shows_both_beside_each_other(installation: Workspace) -> None:
    found = _run("--alerts-per-day", "5", "--thresholds", "value")
    assert found.exit_code == 0
    for words in ("today", "tried", "score 0.4000", "expected loss", "alerts a day", "savings", "2026-03-25"):
        assert words in found.output, words


def test_what_is_missing_is_asked_for(installation: Workspace, portfolios: dict[str, Portfolio]) -> None:
    with pytest.raises(ConfigurationError, match="'median'"):
        _run("--thresholds", "median")
    with pytest.raises(ConfigurationError, match="no portfolio"):
        _run("--portfolio", "nowhere")
    with pytest.raises(ContractError, match="no champion"):
        try_policy(installation, portfolios["ulb"], portfolios["ulb"].policy)
