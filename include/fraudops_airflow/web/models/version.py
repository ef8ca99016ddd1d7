"""All that the page of one model version says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fraudops.database import LedgerEntry, ModelVersion, PromotionRecord
from fraudops.portfolio import Portfolio
from fraudops.registry.integrity import AlteredFile, altered_files
from fraudops.store import sha256_of
from fraudops.store.removal import model_tombstone
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops_airflow.web.access import Person
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.models.approvals import Decision
from fraudops_airflow.web.models.judgement import Judged, judgements
from fraudops_airflow.web.models.measures import Measure, importance, measures, thresholds
from fraudops_airflow.web.models.shadows import ShadowLine, shadow_lines
from fraudops_airflow.web.models.versions import states_of

ARTIFACT = "model.joblib"
READ_AT_ONCE = 32_000_000
"""Bytes of a model file up to which its digest is computed whenever the page opens; a larger one on request."""

SAME, OTHER, GONE, REMOVED, NOT_READ = "same", "other", "gone", "removed", "not read"


@dataclass(frozen=True)
class Integrity:
    """Whether the file is the one that was registered."""

    state: str
    size: int | None
    finding: AlteredFile | None
    removed: str | None = None
    """What retention says, where it removed the file."""


@dataclass(frozen=True)
class VersionPage:
    """One version."""

    portfolio: Portfolio
    model: ModelVersion
    states: tuple[str, ...]
    judged: tuple[Judged, ...]
    champion: str | None
    """Who is champion now."""
    promotions: tuple[PromotionRecord, ...]
    shadows: tuple[ShadowLine, ...]
    measures: tuple[Measure, ...]
    importance: tuple[tuple[str, float, float], ...]
    """Column, average precision lost without it, and that as percent of the largest."""
    columns: int
    """How many columns it sees."""
    thresholds: tuple[str, ...]
    integrity: Integrity
    requested_by: str | None
    requested_for: str | None
    has_report: bool

    @property
    def decision(self) -> Decision | None:
        """What there is to decide about it, or was decided: of the newest verdict PROMOTE."""
        return next((one.decision for one in self.judged if one.decision), None)


def version_page(
    archive: Archive, session: Session, portfolio: Portfolio, model: ModelVersion, person: Person, *, read: bool = False
) -> VersionPage:
    """Everything about one version; ``read``: compute its file's digest whatever its size."""
    entry = session.scalar(
        select(LedgerEntry)
        .where(
            LedgerEntry.action == "training_requested",
            LedgerEntry.subject == f"{portfolio.name}/training/{model.run_id}",
        )
        .limit(1)
    )
    newest = session.scalar(_promotions(portfolio.name).limit(1))
    return VersionPage(
        portfolio=portfolio,
        model=model,
        states=states_of(session, model),
        judged=judgements(session, portfolio, model, person),
        champion=newest.model.version if newest else None,
        promotions=tuple(session.scalars(_promotions(portfolio.name).where(PromotionRecord.model_id == model.id))),
        shadows=shadow_lines(archive, session, portfolio, version=model.version),
        measures=measures(portfolio, model.metrics),
        importance=importance(model.metrics.get("importance") or []),
        columns=sum(len(found) for found in model.metrics.get("model", {}).get("columns", {}).values()),
        thresholds=thresholds(portfolio, model.thresholds),
        integrity=_integrity(archive, session, model, read=read),
        requested_by=entry.actor if entry else None,
        requested_for=entry.details.get("reason") if entry else None,
        has_report=archive.has("reports", portfolio.name, model.run_id),
    )


# -- inside ---------------------------------------------------------------------------------------------


def _promotions(portfolio: str) -> Any:
    return select(PromotionRecord).where(PromotionRecord.portfolio == portfolio).order_by(PromotionRecord.id.desc())


def _integrity(archive: Archive, session: Session, model: ModelVersion, *, read: bool) -> Integrity:
    """The digest of what lies there, beside the registered one; nothing is loaded, and nothing recorded."""
    finding = next((one for one in altered_files(session, model.portfolio) if one.version == model.version), None)
    path = archive.store.path("models", model.portfolio, model.version, ARTIFACT)
    if not path.exists():
        stone = model_tombstone(archive.store, model.portfolio, model.version)
        if stone is not None:
            return Integrity(REMOVED, None, finding, stone.sentence)
        return Integrity(GONE, None, finding)
    size = path.stat().st_size
    if size > READ_AT_ONCE and not read:
        return Integrity(NOT_READ, size, finding)
    return Integrity(SAME if sha256_of(path.read_bytes()) == model.artifact_sha256 else OTHER, size, finding)
