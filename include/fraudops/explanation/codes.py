"""Codes of reasons: what machines match on, while sentences are for people.

A code says whose behaviour and what about it, never a value: ``customer.amount_unusual``, ``terminal.known_frauds``,
``transaction.time_of_day``, ``column.country``. Clients keep them in their own tables: a code that was ever given out
keeps its meaning.
"""

from __future__ import annotations

import re

from fraudops.explanation.groups import Group

NOTHING = "score.combination"
"""No single value stands out."""
WHAT = {
    "amount_sum": "amount_sum",
    "amount_mean": "amount_mean",
    "amount_std": "amount_spread",
    "amount_max": "amount_largest",
    "amount_min": "amount_smallest",
    "large_count": "large_payments",
    "frauds": "known_frauds",
    "count": "count",
    "matured_count": "count_matured",
    "distinct": "distinct",
    "night_share": "share_at_night",
    "weekend_share": "share_at_weekends",
    "seconds_since_last": "time_since_last",
    "first": "new",
}
"""Kind of a group of behaviour → what its code says of it."""
_OF_THE_TRANSACTION = {"time_of_day": "transaction.time_of_day", "day_of_week": "transaction.day_of_week"}
_OTHER = re.compile(r"[^a-z0-9_]+")


def code_of(group: Group) -> str:
    """The code of reasons that a group of columns gives.

    Raises
    ------
    KeyError
        A kind of behaviour has no code: it belongs into :data:`WHAT`, and into docs/explanations.md.
    """
    if group.kind in _OF_THE_TRANSACTION:
        return _OF_THE_TRANSACTION[group.kind]
    if group.kind == "amount":
        # Of whom it is unusual: where several entities say so, of the transaction.
        compared = {member.entities for member in group.members if member.entities}
        if not compared:
            return "transaction.amount"
        return f"{_whose(compared.pop())}.amount_unusual" if len(compared) == 1 else "transaction.amount_unusual"
    first = group.members[0]
    if first.behaviour is None:
        return f"column.{_word(first.column)}"
    of = f"_{_word(first.behaviour.of)}" if first.behaviour.of else ""
    return f"{_whose(first.entities)}.{WHAT[group.kind]}{of}"


def _whose(entities: tuple[str, ...]) -> str:
    return _word("_".join(entities))


def _word(name: str) -> str:
    return _OTHER.sub("_", name.lower())
