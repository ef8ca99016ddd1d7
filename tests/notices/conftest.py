"""Things to write notices about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fraudops.database.models import Alert, ModelVersion
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

KEY = "2026-11-10"
MOMENT = datetime(2026, 11, 10, 3, 12, 45, tzinfo=UTC)


def a_model(number: int = 3, candidate: str = "lightgbm") -> ModelVersion:
    """A registered version, not yet in the database."""
    return ModelVersion(
        portfolio="cards",
        number=number,
        run_id=f"run{number}",
        candidate=candidate,
        as_of=MOMENT,
        trained_until=MOMENT - timedelta(days=14),
        artifact=f"models/cards/v{number}/model.joblib",
        artifact_sha256="ab" * 32,
        metrics={},
        thresholds={},
        lineage={},
        created_at=MOMENT,
    )


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    """The portfolio of the examples."""
    return portfolios["cards"]


@pytest.fixture
def raise_alert(workspace: Workspace) -> Callable[..., Alert]:
    """Stores an alert of model v3; keyword arguments replace its fields."""
    with workspace.transaction() as session:
        model = a_model()
        session.add(model)

    def raise_one(**fields: Any) -> Alert:
        values: dict[str, Any] = {
            "portfolio": "cards",
            "partition_key": KEY,
            "transaction_id": "tx-000123",
            "event_time": MOMENT,
            "amount_minor": 81_240,
            "minor_digits": 2,
            "currency": "EUR",
            "score": 0.9731,
            "decision": "block",
            "reasons": ["The amount is 12.4 times this customer's mean of 30 days", "Paid online at night"],
            "model_id": model.id,
            "as_of": MOMENT + timedelta(days=1),
            "created_at": MOMENT,
        }
        with workspace.transaction() as session:
            alert = Alert(**{**values, **fields})
            session.add(alert)
        return alert

    return raise_one
