"""Which of a model's columns say the same thing and are therefore weighed together.

A customer's payment count over 1, 7 and 30 days is one thought in three numbers. Taking away one of them changes
little, because the model reads the others; so they are taken away, and told, together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fraudops.aggregates import AGGREGATES
from fraudops.portfolio import Portfolio
from fraudops.portfolio.feature_names import BehaviourFeature, behaviour_features

_THIS_AMOUNT = frozenset({"amount_ratio", "amount_z"})
_FIRST = frozenset({"is_new", "seconds_since_first"})


@dataclass(frozen=True)
class Member:
    """One column of a group.

    Attributes
    ----------
    column
        Its name in the model.
    behaviour
        What it measures, if it is a behavioural feature.
    """

    column: str
    behaviour: BehaviourFeature | None = None

    @property
    def aggregate(self) -> str | None:
        """What behaviour is summed up by."""
        return self.behaviour.aggregate if self.behaviour else None

    @property
    def entities(self) -> tuple[str, ...]:
        """Whose behaviour."""
        return self.behaviour.entities if self.behaviour else ()


@dataclass(frozen=True)
class Group:
    """Columns that belong together.

    Attributes
    ----------
    kind
        Names the way in which it is put in words: an aggregate's name, ``amount``, ``time_of_day``,
        ``day_of_week``, ``frauds``, ``first``, or ``column``.
    members
        Its columns, in the model's order.
    """

    kind: str
    members: tuple[Member, ...]

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return [member.column for member in self.members]


def group_columns(columns: Iterable[str], portfolio: Portfolio) -> list[Group]:
    """Sort columns into groups, in the order in which a group's first column occurs.

    Parameters
    ----------
    columns
        The model's columns.
    portfolio
        Says which of them are behavioural features, and of what.

    Examples
    --------
    ``["customer_count_1d", "V1", "customer_count_7d"]`` are two groups: the counts of the customer, and V1.
    """
    declared = {f.name: f for group in portfolio.features.behaviour for f in behaviour_features(group)}
    found: dict[tuple[str, tuple[str, ...]], list[Member]] = {}
    for column in columns:
        member = Member(column, declared.get(column))
        found.setdefault(_place(member), []).append(member)
    return [Group(kind, tuple(members)) for (kind, _), members in found.items()]


def _place(member: Member) -> tuple[str, tuple[str, ...]]:
    """Kind of the member's group, and what tells it from other groups of that kind."""
    if member.column == "amount" or member.aggregate in _THIS_AMOUNT:
        return "amount", ()
    if member.column in ("hour", "night"):
        return "time_of_day", ()
    if member.column in ("weekday", "weekend"):
        return "day_of_week", ()
    if member.behaviour is None:
        return "column", (member.column,)
    return _kind(member.behaviour), (*member.entities, member.behaviour.of or "")


def _kind(feature: BehaviourFeature) -> str:
    if AGGREGATES[feature.aggregate].labels:
        return "frauds"
    return "first" if feature.aggregate in _FIRST else feature.aggregate
