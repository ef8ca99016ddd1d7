"""Which partitions a portfolio has, and which of them wait: asked of the store, with bounded reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fraudops.portfolio import Portfolio

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.attempts import Attempts

if TYPE_CHECKING:
    from fraudops.decisions.timeliness import Punctuality

LOOKED_AT = 60
"""Newest scored partitions that are asked whether their scores still fit: each costs three manifests."""


@dataclass(frozen=True)
class Partitions:
    """What lies in the store.

    Attributes
    ----------
    published
        Keys of the partitions of transactions, in the order of time.
    scored
        Keys of those with scores.
    pending, stale
        How many wait for a score; were scored from what has changed since. None: it could not be told.
    stale_since
        The oldest partition that was asked; None where all were.
    punctuality
        What should have been scored by now and is not; None where the portfolio has no deadline.
    """

    published: tuple[str, ...]
    scored: tuple[str, ...]
    pending: int | None
    stale: int | None
    stale_since: str | None
    punctuality: Punctuality | None


def partitions(archive: Archive, portfolio: Portfolio, attempts: Attempts, now: datetime) -> Partitions:
    """Everything about a portfolio's partitions; what cannot be read is left out and told."""
    published = archive.store.keys("transactions", portfolio.name)
    scored = archive.store.keys("scores", portfolio.name)
    since = scored[-LOOKED_AT] if len(scored) > LOOKED_AT else None
    return Partitions(
        published=tuple(published),
        scored=tuple(scored),
        pending=attempts.at("partitions that wait for a score", lambda: _pending(archive, portfolio), None),
        stale=attempts.at("partitions whose scores are out of date", lambda: _stale(archive, portfolio, since), None),
        stale_since=since,
        punctuality=attempts.at("whether partitions are in time", lambda: _punctuality(archive, portfolio, now), None),
    )


# -- inside ---------------------------------------------------------------------------------------------
# Imported below: the decisions room brings the scoring libraries, which a page without data does not need.


def _pending(archive: Archive, portfolio: Portfolio) -> int | None:
    from fraudops.decisions.pending import pending_keys

    return len(pending_keys(archive.workspace, portfolio))


def _stale(archive: Archive, portfolio: Portfolio, since: str | None) -> int | None:
    from fraudops.decisions.pending import stale_keys

    return len(stale_keys(archive.workspace, portfolio, since=since))


def _punctuality(archive: Archive, portfolio: Portfolio, now: datetime) -> Punctuality | None:
    from fraudops.decisions.timeliness import punctuality

    return punctuality(archive.workspace, portfolio, now=now)
