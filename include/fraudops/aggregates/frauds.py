"""What was known of fraud. No label counts before it was known, nor before one label delay had passed."""

from __future__ import annotations

from typing import Any

from fraudops.aggregates.declaration import HANDBOOK, Unit, aggregate
from fraudops.aggregates.view import View

_WEIGHT_OF_ALL = 20
"""A smoothed rate is that of the entity with so many more payments at the rate of everyone."""


@aggregate(Unit.COUNT, "frauds that became known in the window", labels=True)
def fraud_count(view: View, window: int) -> Any:
    return view.frauds(window).count


@aggregate(
    Unit.SHARE,
    "frauds that became known in the window, over the payments of the window that ended one label delay ago",
    labels=True,
    source=f"{HANDBOOK}: terminal risk",
)
def fraud_rate(view: View, window: int) -> Any:
    return view.frauds(window).count / view.larger(view.matured(window).count, 1)


@aggregate(
    Unit.SHARE,
    f"the same, as if the entity had {_WEIGHT_OF_ALL} payments more with the fraud rate of everyone in that window",
    labels=True,
    source="Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes (SIGKDD Explorations "
    "2001)",
)
def fraud_rate_smoothed(view: View, window: int) -> Any:
    everyone = view.everyone
    of_all = everyone.frauds(window).count / view.larger(everyone.matured(window).count, 1)
    frauds = view.frauds(window).count + _WEIGHT_OF_ALL * of_all
    return frauds / (view.matured(window).count + _WEIGHT_OF_ALL)


@aggregate(
    Unit.SHARE,
    "amount of the frauds that became known in the window, over the amount of the payments of the window that ended "
    "one label delay ago; missing where that is nothing",
    amount=True,
    labels=True,
)
def fraud_amount_share(view: View, window: int) -> Any:
    return view.over(view.frauds(window).amount, view.matured(window).total(view.amounts))


@aggregate(
    Unit.SECONDS,
    "time since the latest payment that was known to be fraud; missing where there is none",
    windowed=False,
    labels=True,
)
def seconds_since_fraud(view: View, window: int) -> Any:
    return view.frauds(window).since_latest


@aggregate(
    Unit.SECONDS,
    "time since a fraud last became known; missing where there is none",
    windowed=False,
    labels=True,
)
def seconds_since_fraud_report(view: View, window: int) -> Any:
    return view.frauds(window).since_report


@aggregate(
    Unit.COUNT,
    "how many of the latest payments whose label is due were fraud, one after the other; 0 where the last was not",
    windowed=False,
    labels=True,
)
def fraud_streak(view: View, window: int) -> Any:
    return view.fraud_streak(window).count


@aggregate(
    Unit.SECONDS,
    "time since the first payment of that streak: how long everything here has been fraud; missing where there is none",
    windowed=False,
    labels=True,
)
def seconds_since_fraud_streak(view: View, window: int) -> Any:
    return view.fraud_streak(window).since_first
