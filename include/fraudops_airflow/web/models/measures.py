"""A version's registered numbers and thresholds, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fraudops.portfolio import Portfolio

SHOWN_COLUMNS = 15


@dataclass(frozen=True)
class Measure:
    """One number on the two held-out slices."""

    name: str
    test: str
    validation: str


_MEASURES = (
    ("Average precision", "average_precision", ".3f"),
    ("ROC AUC", "roc_auc", ".3f"),
    ("Precision within the alert budget", "precision_at_k", ".1%"),
    ("Recall within the alert budget", "recall_at_k", ".1%"),
    ("Amount of fraud caught", "value_recall", ".1%"),
    ("Brier score", "brier", ".4f"),
)


def measures(portfolio: Portfolio, metrics: Mapping[str, Any]) -> tuple[Measure, ...]:
    """What a version was measured by, beside each other on both held-out slices."""
    both = (metrics, metrics.get("validation") or {})
    found = [
        Measure("Transactions and frauds", *(_counts(of) for of in both)),
        *(Measure(title, *(_number(of, name, form) for of in both)) for title, name, form in _MEASURES),
    ]
    if any(of.get("money") for of in both):
        found.append(
            Measure("Savings beside no model", *(_number(of.get("money") or {}, "savings", ".1%") for of in both))
        )
        found.append(Measure("Cost of its decisions", *(_money(portfolio, of.get("money")) for of in both)))
    return tuple(found)


def _counts(of: Mapping[str, Any]) -> str:
    return f"{of['n']:,} with {of['positives']:,}" if of.get("n") is not None else "–"


def _number(of: Mapping[str, Any], name: str, form: str) -> str:
    value, interval = of.get(name), of.get(f"{name}_interval")
    if value is None:
        return "–"
    low_high = f" [{interval[0]:{form}}, {interval[1]:{form}}]" if interval else ""
    return f"{value:{form}}{low_high}"


def _money(portfolio: Portfolio, of: Mapping[str, Any] | None) -> str:
    return "–" if not of else money(of["cost"], portfolio.minor_digits, currency_of(portfolio))


def currency_of(portfolio: Portfolio) -> str:
    """The portfolio's currency; empty where each transaction names its own."""
    return "" if portfolio.currency in portfolio.columns else portfolio.currency


def money(minor: float, digits: int, currency: str) -> str:
    """An amount to read, in whole major units."""
    return f"{minor / 10**digits:,.0f} {currency}".rstrip()


def importance(found: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, float, float], ...]:
    """Column, average precision lost when it is shuffled, and that as percent of the largest."""
    shown = found[:SHOWN_COLUMNS]
    largest = max((item["mean"] for item in shown), default=0.0) or 1.0
    return tuple((item["column"], item["mean"], round(100 * max(item["mean"], 0.0) / largest, 1)) for item in shown)


def thresholds(portfolio: Portfolio, of: Mapping[str, Any]) -> tuple[str, ...]:
    """Its policy, in sentences."""
    if not of:
        return ()
    if of.get("review_value") is not None:
        value = money(of["review_value"], portfolio.minor_digits, currency_of(portfolio))
        found = [f"Reviewed: from an expected loss (score × amount) of {value} on."]
    else:
        found = [f"Reviewed: from a score of {of['review']:.4g} on."]
    if of.get("block") is None:
        found.append("Blocked: nothing.")
    else:
        shown = of.get("block_precision")
        right = f" ({shown:.0%} of these were fraud on the selection slice)" if shown is not None else ""
        found.append(f"Blocked: from a score of {of['block']:.4g} on{right}.")
    if of.get("pass_blocks"):
        found.append(f"Of what would be blocked {of['pass_blocks']:.1%} goes to review instead, by chance.")
    if of.get("sample_below"):
        found.append(f"Of what would be allowed {of['sample_below']:.2%} is reviewed all the same, by chance.")
    if of.get("alerts_per_day") is not None:
        found.append(f"On the selection slice that gave {of['alerts_per_day']:,.1f} alerts a day.")
    return tuple(found)
