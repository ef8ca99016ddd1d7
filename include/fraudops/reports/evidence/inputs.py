"""What the model sees: how each column is declared, how much of it is there, how much the model relies on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fraudops.aggregates import AGGREGATES
from fraudops.features import ModelColumns
from fraudops.portfolio import Portfolio, format_duration
from fraudops.portfolio.feature_names import BehaviourFeature, behaviour_features
from fraudops.reports.evidence.contents import FeatureFact

_CALENDAR = {
    "hour": "hour of the day, UTC",
    "weekday": "day of the week",
    "night": "whether it is night",
    "weekend": "whether it is a weekend",
}


def feature_facts(
    portfolio: Portfolio, columns: ModelColumns, missing: Mapping[str, float], importance: list[dict[str, Any]]
) -> list[FeatureFact]:
    """A line for each column, the most important first, then in the model's order.

    Parameters
    ----------
    missing
        Column → share of the training rows without a value.
    importance
        Of the registered version, as :class:`~fraudops.evaluation.importance.Importance` names it.
    """
    behaviour, own = declared_behaviour(portfolio), _declared_columns(portfolio)
    known = {line["column"]: line for line in importance}
    found = []
    for column in columns.all:
        kind, declared = "transaction", own.get(column, "no longer declared in the portfolio")
        if column in behaviour:
            kind, declared = "behaviour", behaviour[column]
        elif column in portfolio.features.calendar and column in _CALENDAR:
            kind, declared = "calendar", _CALENDAR[column]
        line: Mapping[str, Any] = known.get(column, {})
        share = missing.get(column, 0.0)
        found.append(FeatureFact(column, declared, kind, share, line.get("mean"), line.get("deviation")))
    return sorted(found, key=lambda fact: -(fact.importance if fact.importance is not None else float("-inf")))


def declared_behaviour(portfolio: Portfolio) -> dict[str, str]:
    """Column → what it measures and over which window, for every behavioural feature."""
    return {
        feature.name: _declaration(feature)
        for group in portfolio.features.behaviour
        for feature in behaviour_features(group)
    }


def _declaration(feature: BehaviourFeature) -> str:
    entity = " and ".join(feature.entities)
    of = "" if feature.of is None else f" of {feature.of}"
    over = "" if feature.window is None else f" over {format_duration(feature.window)}"
    return f"{feature.aggregate}{of}, {entity}{over}: {AGGREGATES[feature.aggregate].description}"


def _declared_columns(portfolio: Portfolio) -> dict[str, str]:
    found = {}
    for name, column in portfolio.columns.items():
        told = f"{column.role.value}: {column.description}" if column.description else column.role.value
        found[portfolio.stored_name(name)] = told
    return found
