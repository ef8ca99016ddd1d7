"""Which transactions a case is about: those of its alerts, and those that its hits rest on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import Alert, CaseFile, CaseItem
from fraudops.portfolio import Portfolio
from fraudops.rules import HITS
from fraudops.store import Among, Manifest
from fraudops.workspace import Workspace

ALERT, HIT = "alert", "hit"
"""Kinds of items."""
GROWS = timedelta(days=45)
"""A hit is found again, and grows, for at most this long after the partition that raised it."""
REACHES_BACK = timedelta(days=45)
"""A hit may rest on transactions that long before the partition that raised it."""


@dataclass(frozen=True)
class Contents:
    """What a case is made of.

    Attributes
    ----------
    items
        In the order in which they came.
    alerts, hits
        What the items refer to; a hit by its id, as :func:`hit_rows` has it.
    """

    items: tuple[CaseItem, ...]
    alerts: tuple[Alert, ...]
    hits: Mapping[str, dict[str, Any]]

    @property
    def transactions(self) -> list[str]:
        """Ids of all transactions, each once, sorted."""
        found = {transaction for row in self.hits.values() for transaction in row["transactions"]}
        return sorted(found | {alert.transaction_id for alert in self.alerts})

    @property
    def keys(self) -> set[str]:
        """Partitions that raised the items, or found a hit last."""
        return {item.partition_key for item in self.items} | {row["key"] for row in self.hits.values()}


def contents_of(ws: Workspace, session: Session, portfolio: Portfolio, case: CaseFile) -> Contents:
    """A case's items, with the alerts and hits that they refer to."""
    items = items_of(session, case)
    hits = hit_rows(ws, portfolio, {item.reference: item.partition_key for item in items if item.kind == HIT})
    return Contents(tuple(items), tuple(alerts_of(session, items)), hits)


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
            manifest = ws.store.require(HITS, portfolio.name, key)
            found |= rows_of(ws, manifest, raised.keys())
    for hit in raised.keys() - found.keys():
        found |= raised_rows(ws, portfolio, raised[hit], {hit})
    return found


def raised_rows(ws: Workspace, portfolio: Portfolio, key: str, hits: Set[str]) -> dict[str, dict[str, Any]]:
    """Some hits as the partition that raised them has them, or as it had them before it was replaced."""
    found: dict[str, dict[str, Any]] = {}
    for manifest in ws.store.versions(HITS, portfolio.name, key):
        if found.keys() >= hits:
            break
        found = rows_of(ws, manifest, hits) | found
    return found


def rows_of(ws: Workspace, manifest: Manifest, hits: Collection[str]) -> dict[str, dict[str, Any]]:
    """Some hits as a partition has them, and that partition as ``key``."""
    among = Among("hit_id", pa.array(sorted(hits), pa.string()))
    return {row["hit_id"]: row | {"key": manifest.key} for row in ws.store.read(manifest, among=among).to_pylist()}
