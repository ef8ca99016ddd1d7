"""Names of behavioural features: what a declaration in the YAML is called as a column."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fraudops.portfolio.durations import format_duration

if TYPE_CHECKING:
    from fraudops.portfolio.schema import EntityFeatures

WITHOUT_WINDOW = frozenset({"seconds_since_last", "seconds_since_first"})


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
