"""Makes what passed validation visible, with its entry in the ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry
from fraudops.errors import ContractError
from fraudops.intake.changes import PartitionChange
from fraudops.intake.partitions import belongs, change_of, failed_validation, publish_protected
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest
from fraudops.workspace import Workspace

INGESTED = "ingested"
"""Action of the ledger's entry for a published partition."""
UNTIL = "until"
"""Detail of such an entry: the newest partition that was published in the same load, where it is another."""
BACKFILLED = "backfilled"
"""Detail of such an entry where a backfill published it."""
CHANGES = "changes"
"""Detail of such an entry: rows added, changed and removed, where others were published before."""


@dataclass(frozen=True)
class PublishResult:
    """A published partition."""

    key: str
    rows: int
    data_digest: str
    changed: bool
    """False where these rows were published already."""
    change: PartitionChange | None = None
    """What they changed in the rows that were published before them; None where there were none."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        return {**asdict(self), "change": self.change.to_dict() if self.change else None}


def publish(
    ws: Workspace, portfolio: Portfolio, key: str, *, actor: str, until: str | None = None, backfilled: bool = False
) -> PublishResult:
    """Publish the staged transactions of a partition and record it; harmless where nothing is staged.

    Parameters
    ----------
    actor
        Airflow user, or ``service:<workflow>``.
    until
        Newest partition of the load that this one belongs to.
    backfilled
        Whether a backfill publishes it.

    Raises
    ------
    MissingPartitionError
        Nothing is staged and nothing is published.
    ContractError
        Validation refused exactly these rows, or their landing was interrupted.
    """
    store, name = ws.store, portfolio.name
    before = store.manifest("transactions", name, key)
    staged = store.staged("transactions", name, key)
    if staged is not None:
        _require_publishable(ws, portfolio, staged)
    manifest = staged or store.require("transactions", name, key)
    with ws.transaction() as session:
        # The entry first: if publishing fails it vanishes with the transaction, and if the commit fails the
        # next run finds a partition without an entry and makes up for it.
        lineage = store.manifest("lineage", name, key)
        details = _details(lineage, manifest, before)
        if until is not None and until > key:
            details[UNTIL] = until
        if backfilled:
            details[BACKFILLED] = True
        record(ws, session, manifest, actor=actor, details=details)
        if staged is not None:
            publish_protected(store, name, key)
            store.publish(staged)
    changed = staged is not None and (before is None or before.data_digest != staged.data_digest)
    change = change_of(lineage, manifest) if lineage is not None else None
    return PublishResult(key, manifest.rows, manifest.data_digest, changed, change)


def record(ws: Workspace, session: Session, manifest: Manifest, *, actor: str, details: dict[str, Any]) -> None:
    """Append ``ingested`` for a partition, unless its latest entry says the same rows."""
    subject = f"{manifest.portfolio}/{manifest.dataset}/{manifest.key}"
    latest = session.scalar(
        select(LedgerEntry)
        .where(
            LedgerEntry.portfolio == manifest.portfolio,
            LedgerEntry.action == INGESTED,
            LedgerEntry.subject == subject,
        )
        .order_by(LedgerEntry.number.desc())
        .limit(1)
    )
    if latest is None or latest.details.get("after") != manifest.data_digest:
        ws.record(
            session,
            portfolio=manifest.portfolio,
            actor=actor,
            action=INGESTED,
            subject=subject,
            details={"rows": manifest.rows, "after": manifest.data_digest, **details},
        )


def record_unrecorded(ws: Workspace, portfolio: Portfolio, *, actor: str) -> list[str]:
    """Append what is missing: ``ingested`` for partitions that a crash left published and not in the ledger.

    One that waits for validation is left alone: its entry comes with its publication.

    Returns
    -------
    list of str
        Their keys, in the order of time.
    """
    store, name = ws.store, portfolio.name
    with ws.transaction() as session:
        known = _latest_digests(session, name)
        found = []
        for key in store.keys("transactions", name):
            manifest = store.require("transactions", name, key)
            if known.get(f"{name}/transactions/{key}") == manifest.data_digest:
                continue
            if store.staged("transactions", name, key) is None:
                lineage = store.manifest("lineage", name, key)
                record(ws, session, manifest, actor=actor, details=_details(lineage, manifest, None))
                found.append(key)
        return found


def _latest_digests(session: Session, portfolio: str) -> dict[str, str]:
    """Subject → digest of the rows in its latest entry."""
    entries = session.execute(
        select(LedgerEntry.subject, LedgerEntry.details["after"].astext)
        .where(LedgerEntry.portfolio == portfolio, LedgerEntry.action == INGESTED)
        .order_by(LedgerEntry.number)
    )
    return {row[0]: row[1] for row in entries}


def _details(lineage: Manifest | None, manifest: Manifest, before: Manifest | None) -> dict[str, Any]:
    files = lineage.facts.get("files", {}) if lineage is not None else {}
    change = change_of(lineage, manifest) if lineage is not None else None
    same = before is None or before.data_digest == manifest.data_digest
    details = {
        "before": before.data_digest if before is not None and not same else None,
        "quarantined": sum(facts["quarantined"] for facts in files.values()),
        "files": sorted(files),
    }
    # The digests and counts alone: what files are called is in the lineage.
    return details | ({"before": change.before, CHANGES: change.counts} if change is not None else {})


def _require_publishable(ws: Workspace, portfolio: Portfolio, staged: Manifest) -> None:
    where = f"{portfolio.name} {staged.key}"
    lineage = ws.store.manifest("lineage", portfolio.name, staged.key)
    if lineage is not None and not belongs(lineage, staged):
        raise ContractError(
            "the landing of the staged rows was interrupted", where=where, remedy="land the partition again"
        )
    if failed_validation(ws.store, portfolio.name, staged.key, staged):
        raise ContractError(
            "the staged rows did not pass validation", where=where, remedy="correct the file and land it again"
        )
