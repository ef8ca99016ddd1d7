"""Names of behavioural features: what a declaration in the YAML is called as a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from fraudops.aggregates import AGGREGATES
from fraudops.portfolio.durations import format_duration

if TYPE_CHECKING:
    from fraudops.portfolio.behaviour import EntityFeatures


@dataclass(frozen=True)
class BehaviourFeature:
    """One column of behaviour.

    Attributes
    ----------
    entities
        Whose behaviour: one entity, or several that are one together.
    aggregate
        Its name in :data:`fraudops.aggregates.AGGREGATES`.
    window
        None for an aggregate that takes none.
    of
        The entity that is counted, for an aggregate that counts another one.
    """

    entities: tuple[str, ...]
    aggregate: str
    window: timedelta | None = None
    of: str | None = None

    @property
    def name(self) -> str:
        """Name of the column.

        Examples
        --------
        >>> BehaviourFeature(("terminal",), "fraud_rate", timedelta(days=7)).name
        'terminal_fraud_rate_7d'
        >>> BehaviourFeature(("customer", "terminal"), "is_new").name
        'customer_terminal_is_new'
        >>> BehaviourFeature(("customer",), "distinct", timedelta(days=1), "terminal").name
        'customer_distinct_terminal_1d'
        """
        window = None if self.window is None else format_duration(self.window)
        return "_".join(part for part in (*self.entities, self.aggregate, self.of, window) if part)


def behaviour_features(group: EntityFeatures) -> Iterator[BehaviourFeature]:
    """One declared group's features, aggregate by aggregate, windows ascending."""
    for name in group.aggregates:
        aggregate = AGGREGATES[name]
        of = group.of if aggregate.other else None
        for window in sorted(group.windows) if aggregate.windowed else [None]:
            yield BehaviourFeature(group.entities, name, window, of)
