"""What the overview says of each portfolio: queries and small sums, no HTML."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fraudops.database import Alert, Verdict
from fraudops.notices import outbox
from fraudops.notices.lateness import Late, late
from fraudops.portfolio import Portfolio
from fraudops.registry.integrity import AlteredFile, altered_files
from fraudops.registry.shadow import Progress, progress
from fraudops.registry.versions import newest_promotion
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import Figure, VerdictLine, average_precision, verdict_line

if TYPE_CHECKING:
    from fraudops.decisions.timeliness import Punctuality

SHOWN_PARTITIONS = 30
"""Bars in the chart of alerts."""


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
class DayAlerts:
    """Alerts of one scored partition, by decision."""

    key: str
    review: int
    block: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.review + self.block


@dataclass(frozen=True)
class PortfolioOverview:
    """One card of the overview."""

    portfolio: Portfolio
    keys: tuple[str, ...]
    scored: int
    pending: int
    stale: int
    """Scored from what has changed since."""
    champion: Champion | None
    verdict: VerdictLine | None
    verdict_has_report: bool
    days: tuple[DayAlerts, ...]
    alerts: int
    notices: outbox.Counts
    alarms: tuple[AlteredFile, ...]
    """Model files that are not the ones registered."""
    late: Late | None
    """Notices that wait too long for delivery."""
    punctuality: Punctuality | None
    """What should have been scored by now and is not; None where the portfolio has no deadline."""
    shadow: Progress | None
    """The challenger that scores beside the champion."""
    monitoring: tuple[str, str] | None
    """Status of the champion (ok, watch, act) and since when; None where nobody has looked."""

    @property
    def is_empty(self) -> bool:
        """Nothing has been ingested."""
        return not self.keys


def overview(archive: Archive) -> list[PortfolioOverview]:
    """A card per portfolio; those with data first."""
    with archive.reading() as session:
        cards = [_card(archive, session, portfolio) for portfolio in archive.portfolios.values()]
    return sorted(cards, key=lambda card: (card.is_empty, card.portfolio.name))


# -- inside ---------------------------------------------------------------------------------------------


def _card(archive: Archive, session: Session, portfolio: Portfolio) -> PortfolioOverview:
    name = portfolio.name
    keys = archive.store.keys("transactions", name)
    scored = archive.store.keys("scores", name)
    verdict = session.scalar(
        select(Verdict)
        .where(Verdict.portfolio == name)
        .order_by(Verdict.id.desc())
        .limit(1)
        .options(joinedload(Verdict.challenger), joinedload(Verdict.champion))
    )
    days = _alerts_by_day(session, name, scored)
    return PortfolioOverview(
        portfolio=portfolio,
        keys=tuple(keys),
        scored=len(scored),
        pending=_pending(archive, portfolio),
        stale=_stale(archive, portfolio),
        champion=_champion(session, name),
        verdict=verdict_line(verdict) if verdict else None,
        verdict_has_report=verdict is not None and archive.has("reports", name, verdict.challenger.run_id),
        days=tuple(days),
        alerts=session.scalar(select(func.count()).select_from(Alert).where(Alert.portfolio == name)) or 0,
        notices=outbox.counts(session, name),
        alarms=tuple(altered_files(session, name)),
        late=late(session, portfolio),
        punctuality=_punctuality(archive, portfolio),
        shadow=progress(archive.store, session, portfolio),
        monitoring=_monitoring(archive, portfolio),
    )


def _pending(archive: Archive, portfolio: Portfolio) -> int:
    # Imported here: the decisions room brings the scoring libraries, which a page without data does not need.
    from fraudops.decisions.pending import pending_keys

    return len(pending_keys(archive.workspace, portfolio))


def _monitoring(archive: Archive, portfolio: Portfolio) -> tuple[str, str] | None:
    # Imported here, as above: the room brings the libraries that measure.
    from fraudops.monitoring.looks import states

    found = states(archive.workspace, portfolio)
    return (found[-1].status, found[-1].since) if found else None


def _stale(archive: Archive, portfolio: Portfolio) -> int:
    from fraudops.decisions.pending import stale_keys

    return len(stale_keys(archive.workspace, portfolio))


def _punctuality(archive: Archive, portfolio: Portfolio) -> Punctuality | None:
    from fraudops.decisions.timeliness import punctuality

    return punctuality(archive.workspace, portfolio, now=datetime.now(UTC))


def _champion(session: Session, portfolio: str) -> Champion | None:
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


def _alerts_by_day(session: Session, portfolio: str, scored: list[str]) -> list[DayAlerts]:
    """The newest scored partitions, those without an alert included: a zero is a finding too."""
    shown = scored[-SHOWN_PARTITIONS:]
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for key, decision, count in session.execute(
        select(Alert.partition_key, Alert.decision, func.count())
        .where(Alert.portfolio == portfolio, Alert.partition_key.in_(shown))
        .group_by(Alert.partition_key, Alert.decision)
    ):
        counts[key][decision] = count
    return [DayAlerts(key, counts[key].get("review", 0), counts[key].get("block", 0)) for key in shown]
