"""The fourteen features, as a portfolio of ours declares them."""

from __future__ import annotations

from datetime import timedelta

from fraudops.portfolio import EntityFeatures, Features, Portfolio, load_portfolio

from benchmarks.processes import CHECKOUT

WINDOWS = (1, 7, 30)
"""Days."""
DELAY = 7
"""Days until what is fraud is known."""
COLUMNS = (
    "night",
    "weekend",
    *(f"customer_{what}_{days}d" for what in ("count", "amount_mean") for days in WINDOWS),
    *(f"terminal_{what}_{days}d" for what in ("matured_count", "fraud_rate") for days in WINDOWS),
)


def portfolio() -> Portfolio:
    """The portfolio ``handbook`` with the book's features instead of its own."""
    windows = tuple(timedelta(days=days) for days in WINDOWS)
    behaviour = (
        EntityFeatures(entity="customer", windows=windows, aggregates=("count", "amount_mean")),
        EntityFeatures(entity="terminal", windows=windows, aggregates=("matured_count", "fraud_rate")),
    )
    own = load_portfolio(CHECKOUT / "include" / "portfolios" / "handbook.yaml")
    labels = own.labels.model_copy(update={"delay": timedelta(days=DELAY)})
    features = Features(calendar=("night", "weekend"), behaviour=behaviour)
    return own.model_copy(update={"labels": labels, "features": features})
