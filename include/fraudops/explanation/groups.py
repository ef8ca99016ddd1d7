"""Which of a model's columns say the same thing and are therefore weighed together.

A customer's payment count over 1, 7 and 30 days is one thought in three numbers. Taking away one of them changes
little, because the model reads the others; so they are taken away, and told, together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from fraudops.portfolio import parse_duration
from fraudops.portfolio.schema import Aggregate

_AGGREGATES = "|".join(sorted(get_args(Aggregate), key=len, reverse=True))


@dataclass(frozen=True)
class Member:
    """One column of a group.

    Attributes
    ----------
    column
        Its name in the model.
    entity, aggregate, window
        What a behavioural feature's name says; None for any other column.
    """

    column: str
    entity: str | None = None
    aggregate: str | None = None
    window: timedelta | None = None


@dataclass(frozen=True)
class Group:
    """Columns that belong together.

    Attributes
    ----------
    kind
        Names the way in which it is put in words: an aggregate's name, ``amount``, ``time_of_day``,
        ``day_of_week``, ``frauds``, or ``column``.
    members
        Its columns, in the model's order.
    """

    kind: str
    members: tuple[Member, ...]

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return [member.column for member in self.members]


def group_columns(columns: Iterable[str], entities: Iterable[str]) -> list[Group]:
    """Sort columns into groups, in the order in which a group's first column occurs.

    Parameters
    ----------
    columns
        The model's columns.
    entities
        Names of the portfolio's entities; only with these a name is read as a behavioural feature's.

    Examples
    --------
    >>> groups = group_columns(["customer_count_1d", "V1", "customer_count_7d"], ["customer"])
    >>> [(group.kind, group.columns) for group in groups]
    [('count', ['customer_count_1d', 'customer_count_7d']), ('column', ['V1'])]
    """
    known = sorted(set(entities), key=len, reverse=True)
    found: dict[tuple[str, str], list[Member]] = {}
    for column in columns:
        member = _read(column, known)
        found.setdefault(_place(member), []).append(member)
    return [Group(kind, tuple(members)) for (kind, _), members in found.items()]


def _read(column: str, entities: list[str]) -> Member:
    for entity in entities:
        match = re.fullmatch(rf"{re.escape(entity)}_({_AGGREGATES})(?:_(\d+[dhms]))?", column)
        if match:
            return Member(column, entity, match[1], parse_duration(match[2]) if match[2] else None)
    return Member(column)


def _place(member: Member) -> tuple[str, str]:
    """Kind of the member's group, and what tells it from other groups of that kind."""
    if member.column == "amount" or member.aggregate == "amount_ratio":
        return "amount", ""
    if member.column in ("hour", "night"):
        return "time_of_day", ""
    if member.column in ("weekday", "weekend"):
        return "day_of_week", ""
    if member.aggregate is None:
        return "column", member.column
    kind = "frauds" if member.aggregate.startswith("fraud_") else member.aggregate
    return kind, member.entity or ""
