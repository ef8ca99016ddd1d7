"""``fraudops alerts``: what it lists, with amounts and without."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from fraudops.cli.main import app
from fraudops.database import Alert, ModelVersion
from fraudops.workspace import Workspace
from sqlalchemy import update
from typer.testing import CliRunner

MOMENT = datetime(2026, 11, 10, 3, 12, 45, tzinfo=UTC)


@pytest.fixture
def raised(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two alerts: of a portfolio with amounts, and of one without."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    model = ModelVersion(
        portfolio="cards",
        number=3,
        run_id="run3",
        candidate="lightgbm",
        as_of=MOMENT,
        trained_until=MOMENT,
        artifact="models/cards/v3/model.joblib",
        artifact_sha256="ab" * 32,
        metrics={},
        thresholds={},
        lineage={},
        created_at=MOMENT,
    )
    with workspace.transaction() as session:
        session.add(model)
        session.flush()
        for portfolio, amount, currency in (("cards", 341_250, "EUR"), ("claims", None, "")):
            session.add(
                Alert(
                    portfolio=portfolio,
                    partition_key="2026-11-10",
                    transaction_id=f"{portfolio}-1",
                    event_time=MOMENT,
                    amount_minor=amount,
                    minor_digits=2,
                    currency=currency,
                    score=0.9,
                    decision="block",
                    reasons=["made at night"],
                    model_id=model.id,
                    as_of=MOMENT,
                    created_at=MOMENT,
                )
            )


def _said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["alerts", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("raised")
def test_an_amount_is_shown_where_there_is_one() -> None:
    assert "0.900  3,412.50 EUR  cards-1" in _said("list", "--portfolio", "cards")
    assert "3,412.50 EUR" in _said("show", "cards-1")
    (alert,) = json.loads(_said("list", "--portfolio", "cards", "--json"))
    assert (alert["amount"], alert["currency"]) == ("3412.50", "EUR")


@pytest.mark.usefixtures("raised")
def test_where_there_is_no_amount_none_is_shown() -> None:
    assert "0.900  claims-1" in _said("list", "--portfolio", "claims")
    shown = _said("show", "claims-1")
    assert "made at night" in shown
    assert "amount" not in shown
    alert = json.loads(_said("show", "claims-1", "--json"))
    assert (alert["amount"], alert["currency"]) == (None, None)


def test_reasons_are_shown_with_what_they_added(raised: None, workspace: Workspace) -> None:
    reason = {"text": "made at night", "group": "time_of_day", "columns": [], "contribution": 1.25}
    explanation = {
        "method": "tree_shap", "base": -5.0, "margin": -3.5, "reasons": [reason], "rest": 0.25, "remainder": 0.0,
    }  # fmt: skip
    with workspace.transaction() as session:
        session.execute(update(Alert).where(Alert.portfolio == "cards").values(explanation=explanation))
    shown = " ".join(_said("show", "cards-1").split())
    assert "• +1.25 made at night" in shown
    assert "-5.00 to begin with, +1.25 by these reasons, +0.25 by all else, -3.50 in all (TreeSHAP)" in shown
    assert json.loads(_said("show", "cards-1", "--json"))["explanation"] == explanation


def test_an_alert_that_was_raised_without_data_is_still_shown(raised: None) -> None:
    assert "• made at night" in _said("show", "cards-1")
    assert json.loads(_said("show", "cards-1", "--json"))["explanation"] is None
