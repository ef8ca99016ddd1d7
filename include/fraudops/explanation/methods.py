"""Which method explains which estimator, for people who look at a model and have no row before them."""

from __future__ import annotations

from fraudops.explanation.additive import LINEAR, TREE_SHAP
from fraudops.explanation.exchange import EXCHANGE

BLEND = "blend"
_OF = {"logistic_regression": LINEAR, "lightgbm": TREE_SHAP, "xgboost": TREE_SHAP, "blend": BLEND}


def method_of(estimator: str) -> str:
    """Method of the estimator that a candidate names; what has no exact one is explained by exchange."""
    return _OF.get(estimator, EXCHANGE)
