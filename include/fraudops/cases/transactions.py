"""Which transactions a case is about: those of its alerts, and those that its hits rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import Alert, CaseFile, CaseItem
from fraudops.portfolio import Portfolio
from fraudops.rules import HITS
from fraudops.workspace import Workspace

ALERT, HIT = "alert", "hit"
"""Kinds of items."""
GROWS = timedelta(days=45)
"""A hit is found again, and grows, for at most this long after the partition that raised it."""


def transactions_of(ws: Workspace, session: Session, portfolio: Portfolio, case: CaseFile) -> list[str]:
    """Ids of a case's transactions, each once, sorted."""
    items = items_of(session, case)
    hits = hit_rows(ws, portfolio, {item.reference: item.partition_key for item in items if item.kind == HIT})
    found = {transaction for row in hits.values() for transaction in row["transactions"]}
    return sorted(found | {alert.transaction_id for alert in alerts_of(session, items)})


def items_of(session: Session, case: CaseFile) -> list[CaseItem]:
    """What a case consists of, in the order in which it came."""
    query = select(CaseItem).where(CaseItem.case_id == case.id)
    return list(session.scalars(query.order_by(CaseItem.as_of, CaseItem.kind, CaseItem.reference)))


def alerts_of(session: Session, items: Iterable[CaseItem]) -> list[Alert]:
    """The alerts among some items; what retention removed is missing."""
    numbers = [int(item.reference) for item in items if item.kind == ALERT]
    return list(session.scalars(select(Alert).where(Alert.id.in_(numbers)).order_by(Alert.event_time, Alert.id)))


def hit_rows(ws: Workspace, portfolio: Portfolio, raised: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What the newest partition that found a hit says of it, as ``rule_hits`` has it, and that partition as ``key``.

    Parameters
    ----------
    raised
        Hit → the partition that raised it.

    Returns
    -------
    dict
        Hit → its row. One that a correction took away is as the replaced partition had it; missing where that is gone.
    """
    if not raised:
        return {}
    partitioning, found = portfolio.partitioning, dict[str, dict[str, Any]]()
    first, last = min(raised.values()), max(raised.values())
    until = partitioning.key_of(partitioning.start(last) + GROWS)
    for key in ws.store.keys(HITS, portfolio.name):
        if first <= key <= until:
            rows = ws.store.read_partition(HITS, portfolio.name, key).to_pylist()
            found |= {row["hit_id"]: row | {"key": key} for row in rows if row["hit_id"] in raised}
    for hit in raised.keys() - found.keys():
        found |= raised_rows(ws, portfolio, raised[hit], {hit})
    return found


def raised_rows(ws: Workspace, portfolio: Portfolio, key: str, hits: Set[str]) -> dict[str, dict[str, Any]]:
    """Some hits as the partition that raised them has them, or as it had them before it was replaced."""
    found: dict[str, dict[str, Any]] = {}
    for manifest in ws.store.versions(HITS, portfolio.name, key):
        if found.keys() >= hits:
            break
        rows = ws.store.read(manifest).to_pylist()
        found = {row["hit_id"]: row | {"key": key} for row in rows if row["hit_id"] in hits} | found
    return found
