"""Makes what passed validation visible, with its entry in the ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry
from fraudops.errors import ContractError
from fraudops.intake.partitions import belongs, failed_validation, publish_protected
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest
from fraudops.workspace import Workspace

_ACTION = "ingested"


@dataclass(frozen=True)
class PublishResult:
    """A published partition."""

    key: str
    rows: int
    data_digest: str
    changed: bool
    """False where these rows were published already."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        return asdict(self)


def publish(ws: Workspace, portfolio: Portfolio, key: str, *, actor: str) -> PublishResult:
    """Publish the staged transactions of a partition and record it; harmless where nothing is staged.

    Parameters
    ----------
    actor
        Airflow user, or ``service:<workflow>``.

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
        record(ws, session, manifest, actor=actor, details=_details(ws, manifest, before))
        if staged is not None:
            publish_protected(store, name, key)
            store.publish(staged)
    changed = staged is not None and (before is None or before.data_digest != staged.data_digest)
    return PublishResult(key, manifest.rows, manifest.data_digest, changed)


def record(ws: Workspace, session: Session, manifest: Manifest, *, actor: str, details: dict[str, Any]) -> None:
    """Append ``ingested`` for a partition, unless its latest entry says the same rows."""
    subject = f"{manifest.portfolio}/{manifest.dataset}/{manifest.key}"
    latest = session.scalar(
        select(LedgerEntry)
        .where(
            LedgerEntry.portfolio == manifest.portfolio,
            LedgerEntry.action == _ACTION,
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
            action=_ACTION,
            subject=subject,
            details={"rows": manifest.rows, "after": manifest.data_digest, **details},
        )


def _details(ws: Workspace, manifest: Manifest, before: Manifest | None) -> dict[str, Any]:
    lineage = ws.store.manifest("lineage", manifest.portfolio, manifest.key)
    files = lineage.facts.get("files", {}) if lineage is not None else {}
    same = before is not None and before.data_digest == manifest.data_digest
    return {
        "before": None if before is None or same else before.data_digest,
        "quarantined": sum(facts["quarantined"] for facts in files.values()),
        "files": sorted(files),
    }


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
