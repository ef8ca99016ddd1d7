from __future__ import annotations

from typing import Any

import pytest
from fraudops.portfolio.retention import FIVE_YEARS, Retention
from pydantic import ValidationError

from tests.intake.conftest import make_portfolio

TRAINING = {"window": "30d", "candidates": {"logistic_regression": {"estimator": "logistic_regression"}}}


def _portfolio(**retention: Any) -> None:
    make_portfolio(training=TRAINING, retention=retention)


def test_without_a_word_every_record_of_compliance_is_kept_for_five_years() -> None:
    kept = Retention()
    assert kept.transactions == kept.scores == kept.alerts == kept.notices == FIVE_YEARS
    assert make_portfolio().retention == kept


@pytest.mark.parametrize(
    ("retention", "problem"),
    [
        (
            {"alerts": "400d"},
            "retention.alerts: a record of compliance would be kept for less than five years .got 400d",
        ),
        ({"scores": "2000d"}, "retention.transactions: transactions would be removed before the scores"),
        ({"scores": "2000d", "transactions": "2000d", "features": "1900d", "alerts": "2000d"}, "retention.features: "),
        ({"transactions": "20d", "reason": "r", "scores": "10d", "history": "10d"}, "while training still learns"),
        ({"labels": "20d"}, "retention.labels: labels would be removed while training still learns from them"),
        ({"history": "2000d"}, "retention.history: what a partition held before would outlive the partition"),
        ({"references": "400d"}, "retention.references: what monitoring compared with would be removed before"),
        ({"scores": "ten years"}, "is not a duration"),
        ({"emails": "5d"}, "Extra inputs are not permitted"),
    ],
)
def test_what_does_not_go_together_is_refused(retention: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        _portfolio(**retention)


@pytest.mark.parametrize(
    "retention",
    [
        {"restatements": "30d", "references": "3650d"},
        {"protected": "90d", "quarantine": "30d", "validation": "1d", "models": "1d", "training": "1d"},
        {"scores": "400d", "history": "400d", "reason": "the regulator of this business asks for one year"},
        dict.fromkeys(("transactions", "features", "scores", "history", "alerts", "notices", "labels"), "3650d"),
    ],
)
def test_what_goes_together_is_taken(retention: dict[str, Any]) -> None:
    _portfolio(**retention)
