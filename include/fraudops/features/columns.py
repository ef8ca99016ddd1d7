"""Names: which features a portfolio declares, and which columns its models see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fraudops.portfolio import EntityFeatures, Portfolio, Role, format_duration

WITHOUT_WINDOW = frozenset({"seconds_since_last", "seconds_since_first"})


@dataclass(frozen=True)
class ModelColumns:
    """Columns that a model is given, in order."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Numeric columns first, categorical ones after."""
        return self.numeric + self.categorical


def behaviour_name(entity: str, aggregate: str, window: timedelta | None = None) -> str:
    """Name of a behavioural feature.

    Examples
    --------
    >>> behaviour_name("terminal", "fraud_rate", timedelta(days=7))
    'terminal_fraud_rate_7d'
    >>> behaviour_name("customer", "seconds_since_last")
    'customer_seconds_since_last'
    """
    return f"{entity}_{aggregate}" if window is None else f"{entity}_{aggregate}_{format_duration(window)}"


def behaviour_names(group: EntityFeatures) -> list[str]:
    """Names of one declared group's features, aggregate by aggregate, windows ascending."""
    names = []
    for aggregate in group.aggregates:
        windows = [None] if aggregate in WITHOUT_WINDOW else sorted(group.windows)
        names += [behaviour_name(group.entity, aggregate, window) for window in windows]
    return names


def feature_names(portfolio: Portfolio) -> list[str]:
    """Every feature of the ``features`` partition, in its order."""
    behaviour = [name for group in portfolio.features.behaviour for name in behaviour_names(group)]
    return list(dict.fromkeys([*portfolio.features.calendar, *behaviour]))


def model_columns(portfolio: Portfolio) -> ModelColumns:
    """Columns that this portfolio's models see: amount, numbers, booleans, features; and categories."""
    hidden = set(portfolio.features.exclude)
    stored = {name: portfolio.stored_name(name) for name in portfolio.columns if name not in hidden}
    roles = {name: portfolio.columns[name].role for name in stored}
    numeric = [stored[n] for n, role in roles.items() if role is Role.AMOUNT]
    numeric += [stored[n] for n, role in roles.items() if role in (Role.NUMBER, Role.BOOLEAN)]
    categorical = tuple(stored[n] for n, role in roles.items() if role is Role.CATEGORY)
    return ModelColumns((*numeric, *feature_names(portfolio)), categorical)
