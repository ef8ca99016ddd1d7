"""Names: which features a portfolio declares, and which columns its models see."""

from __future__ import annotations

from dataclasses import dataclass

from fraudops.portfolio import Portfolio, Role
from fraudops.portfolio.feature_names import behaviour_features


@dataclass(frozen=True)
class ModelColumns:
    """Columns that a model is given, in order."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Numeric columns first, categorical ones after."""
        return self.numeric + self.categorical


def feature_names(portfolio: Portfolio) -> list[str]:
    """Every feature of the ``features`` partition, in its order."""
    behaviour = [f.name for group in portfolio.features.behaviour for f in behaviour_features(group)]
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
