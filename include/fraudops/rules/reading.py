"""Reads hits back: one row each, however many partitions found it, as the newest of them saw it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fraudops.portfolio import Portfolio
from fraudops.rules import HITS
from fraudops.rules.snoozing import Snoozes
from fraudops.store import Store
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Found:
    """A hit.

    Attributes
    ----------
    first, key
        First partition in which it was found (of those that were read), and the newest one: as which it is told.
    on
        Day whose numbers it was compared with.
    snoozed
        Whether somebody has said that nobody is to be told.
    """

    id: str
    rule: str
    severity: str
    kind: str
    subject: str
    first: str
    key: str
    on: date
    because: str
    transactions: tuple[str, ...]
    values: dict[str, Any]
    numbers: dict[str, dict[str, Any]]
    snoozed: bool


def found_hits(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> list[Found]:
    """The hits of some partitions, by the partition in which each was found first, rule and id."""
    with ws.transaction() as session:
        return stored_hits(ws.store, portfolio, keys, Snoozes.read(session, portfolio.name))


def stored_hits(store: Store, portfolio: Portfolio, keys: Iterable[str], snoozes: Snoozes) -> list[Found]:
    """The same, by snoozes that were read before."""
    first: dict[str, str] = {}
    newest: dict[str, tuple[str, dict[str, Any]]] = {}
    for key in sorted(set(keys) & set(store.keys(HITS, portfolio.name))):
        for row in store.read_partition(HITS, portfolio.name, key).to_pylist():
            first.setdefault(row["hit_id"], key)
            newest[row["hit_id"]] = key, row
    hits = [found_hit(portfolio, first[number], key, row, snoozes) for number, (key, row) in newest.items()]
    return sorted(hits, key=lambda hit: (hit.first, hit.rule, hit.id))


def found_hit(portfolio: Portfolio, first: str, key: str, row: dict[str, Any], snoozes: Snoozes) -> Found:
    """A row of ``rule_hits`` as people are told of it."""
    return Found(
        id=row["hit_id"],
        rule=row["rule"],
        severity=row["severity"],
        kind=row["kind"],
        subject=row["subject"],
        first=first,
        key=key,
        on=row["on"],
        because=row["because"],
        transactions=tuple(row["transactions"]),
        values=json.loads(row["values"]),
        numbers=json.loads(row["numbers"]),
        snoozed=snoozes.cover(row["rule"], row["subject"], portfolio.partitioning.end(first)),
    )
