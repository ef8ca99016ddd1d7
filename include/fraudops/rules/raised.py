"""Raised hits, found in the database: pages of them, counts by day and rule, and one hit out of the partition that
raised it. No list reads the store's partitions one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from fraudops.database import RuleHit
from fraudops.portfolio import Portfolio
from fraudops.rules import HITS
from fraudops.rules.reading import Found, found_hit
from fraudops.rules.snoozing import Snoozes
from fraudops.store import Among, Manifest, Store

Place = tuple[str, str]
"""Where a hit stands in the list: the partition that raised it, and its id."""


@dataclass(frozen=True)
class Wanted:
    """Which hits of a portfolio; None: all.

    Attributes
    ----------
    subject
        Customer or account, exactly as it is stored.
    first, last
        Keys of partitions; both included.
    """

    rule: str | None = None
    subject: str | None = None
    first: str | None = None
    last: str | None = None


def page_of_hits(
    session: Session, portfolio: str, wanted: Wanted, *, after: Place | None = None, most: int = 50
) -> list[RuleHit]:
    """Hits, the newest partition first, from behind a place on.

    Parameters
    ----------
    after
        The last one of the page before; None: the first page.
    most
        How many at most.
    """
    query = _narrowed(select(RuleHit), portfolio, wanted)
    if after is not None:
        query = query.where(tuple_(RuleHit.partition_key, RuleHit.hit_id) < tuple_(*after))
    query = query.order_by(RuleHit.partition_key.desc(), RuleHit.hit_id.desc()).limit(most)
    return list(session.scalars(query))


def count_hits(session: Session, portfolio: str, wanted: Wanted) -> int:
    """How many there are."""
    return session.scalar(_narrowed(select(func.count()).select_from(RuleHit), portfolio, wanted)) or 0


def hits_by_day(session: Session, portfolio: str, keys: Sequence[str]) -> Mapping[tuple[str, str], int]:
    """Rule and partition → how many hits that partition raised; without those that are zero."""
    query = (
        select(RuleHit.rule, RuleHit.partition_key, func.count())
        .where(RuleHit.portfolio == portfolio, RuleHit.partition_key.in_(keys))
        .group_by(RuleHit.rule, RuleHit.partition_key)
    )
    return {(rule, key): number for rule, key, number in session.execute(query)}


def raised_hit(session: Session, portfolio: str, hit: str) -> RuleHit | None:
    """A raised hit by its id."""
    return session.get(RuleHit, (portfolio, hit))


def explained_hits(
    store: Store, portfolio: Portfolio, raised: Iterable[RuleHit], snoozes: Snoozes
) -> Mapping[str, Found]:
    """What the partitions that raised some hits say of them, by id; each of these partitions is read once.

    What a correction took away is as it was before; what retention has removed is missing.
    """
    ids: dict[str, list[str]] = {}
    for hit in raised:
        ids.setdefault(hit.partition_key, []).append(hit.hit_id)
    return {
        row["hit_id"]: found_hit(portfolio, key, key, row, snoozes)
        for key, wanted in ids.items()
        for row in _rows(store, portfolio, key, wanted)
    }


# -- inside -------------------------------------------------------------------------------------------


def _rows(store: Store, portfolio: Portfolio, key: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Some hits as the partition has them, or as it had them before it was replaced."""
    found: dict[str, dict[str, Any]] = {}
    current = store.manifest(HITS, portfolio.name, key)
    if current is not None:
        found = _among(store, current, ids)
    if len(found) < len(ids):
        for manifest in store.versions(HITS, portfolio.name, key):
            found = _among(store, manifest, ids) | found
    return list(found.values())


def _among(store: Store, manifest: Manifest, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = store.read(manifest, among=Among("hit_id", pa.array(ids, pa.string())))
    return {row["hit_id"]: row for row in rows.to_pylist()}


def _narrowed(query: Select[Any], portfolio: str, wanted: Wanted) -> Select[Any]:
    query = query.where(RuleHit.portfolio == portfolio)
    for column, value in ((RuleHit.rule, wanted.rule), (RuleHit.subject, wanted.subject)):
        if value is not None:
            query = query.where(column == value)
    if wanted.first is not None:
        query = query.where(RuleHit.partition_key >= wanted.first)
    if wanted.last is not None:
        query = query.where(RuleHit.partition_key <= wanted.last)
    return query
