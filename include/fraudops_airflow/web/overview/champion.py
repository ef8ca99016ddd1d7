"""The model in use, how it does on the days whose labels are known, and whether it still sees what it knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fraudops.portfolio import Portfolio
from fraudops.registry.versions import newest_promotion
from sqlalchemy.orm import Session

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import Figure, average_precision


@dataclass(frozen=True)
class Champion:
    """The model in use, and who made it so."""

    version: str
    candidate: str
    run_id: str
    average_precision: Figure | None
    trained_until: datetime
    kind: str
    approved_by: str
    reason: str
    promoted_at: datetime


@dataclass(frozen=True)
class Watch:
    """Where monitoring stands.

    Attributes
    ----------
    key
        The newest partition that was looked at.
    version
        The champion that it is about.
    strip
        Key and status of the last partitions.
    reasons
        What the status rests on, in sentences.
    matured
        Average precision on matured days; None where none has matured, or too few frauds are known.
    cohorts
        First and last matured day; empty where there is none.
    """

    key: str
    version: str
    status: str
    since: str
    strip: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    matured: Figure | None
    cohorts: tuple[str, ...]


SHOWN_LOOKS = 30
"""Partitions in the strip."""


def champion(session: Session, portfolio: str) -> Champion | None:
    """The newest promotion, with its model."""
    record = newest_promotion(session, portfolio)
    if record is None:
        return None
    return Champion(
        version=record.model.version,
        candidate=record.model.candidate,
        run_id=record.model.run_id,
        average_precision=average_precision(record.model.metrics),
        trained_until=record.model.trained_until,
        kind=record.kind,
        approved_by=record.approved_by,
        reason=record.reason,
        promoted_at=record.promoted_at,
    )


def watch(archive: Archive, portfolio: Portfolio) -> Watch | None:
    """What monitoring saw last; None where nobody has looked."""
    # Imported here: the room brings the libraries that measure, which a page without data does not need.
    from fraudops.monitoring import CHECKS
    from fraudops.monitoring.checks import PRECISION_AVERAGE
    from fraudops.monitoring.looks import checks_of, states
    from fraudops.monitoring.wording import sentences

    found = states(archive.workspace, portfolio)
    if not found:
        return None
    newest = found[-1]
    checks = checks_of(archive.workspace, portfolio, newest.key)
    matured = next(
        (c for c in checks if c.family == PRECISION_AVERAGE and not c.estimated and c.value is not None), None
    )
    return Watch(
        key=newest.key,
        version=newest.version,
        status=newest.status,
        since=newest.since,
        strip=tuple((state.key, state.status) for state in found[-SHOWN_LOOKS:]),
        reasons=tuple(sentences(checks, newest.reasons)),
        matured=Figure(matured.value or 0.0, matured.low, matured.high) if matured else None,
        cohorts=tuple(archive.store.require(CHECKS, portfolio.name, newest.key).facts["cohorts"]),
    )
