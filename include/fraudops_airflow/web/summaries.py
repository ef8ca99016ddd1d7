"""What the pages say, gathered into data classes: queries and small sums, no HTML."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fraudops.database import Alert, Verdict
from fraudops.notices import outbox
from fraudops.notices.lateness import Late, late
from fraudops.portfolio import Portfolio
from fraudops.registry.gate_lines import failed_gates
from fraudops.registry.integrity import AlteredFile, altered_files
from fraudops.registry.shadow import Progress, progress
from fraudops.registry.versions import newest_promotion, of_run
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from fraudops_airflow.web.archive import Archive

if TYPE_CHECKING:
    from fraudops.decisions.timeliness import Punctuality

SHOWN_PARTITIONS = 30
"""Bars in the chart of alerts."""
SHOWN_VALIDATIONS = 90
"""Rows in the table of validations; each costs a read from the store."""


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval, where there is one."""

    value: float
    low: float | None = None
    high: float | None = None


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
class VerdictLine:
    """What a comparison found."""

    run_id: str
    """Of the challenger's training, whose report tells of it."""
    outcome: str
    reason: str
    challenger: str
    candidate: str
    champion: str | None
    as_of: datetime
    failed: tuple[str, ...]
    """Names of the gates that speak against a promotion."""


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


@dataclass(frozen=True)
class TrainingRun:
    """One training run that left a report."""

    portfolio: Portfolio
    run_id: str
    verdict: VerdictLine | None
    versions: tuple[tuple[str, str, Figure | None], ...]
    """Version, candidate, average precision on the gate slice; best first."""
    as_of: datetime | None


@dataclass(frozen=True)
class ValidationLine:
    """What validation found in one partition."""

    portfolio: Portfolio
    key: str
    passed: bool | None
    checks: int | None
    failures: tuple[str, ...]
    has_page: bool


@dataclass(frozen=True)
class QuarantineLine:
    """Rejected rows of one file, by reason. The rows themselves are not shown here."""

    portfolio: Portfolio
    file: str
    folder: str
    rows: int
    reasons: tuple[tuple[str, int], ...]


def overview(archive: Archive) -> list[PortfolioOverview]:
    """A card per portfolio; those with data first."""
    with archive.reading() as session:
        cards = [_card(archive, session, portfolio) for portfolio in archive.portfolios.values()]
    return sorted(cards, key=lambda card: (card.is_empty, card.portfolio.name))


def training_runs(archive: Archive) -> list[TrainingRun]:
    """Every run with a report, newest ``as_of`` first."""
    with archive.reading() as session:
        runs = [
            training_run(session, portfolio, folder.name)
            for portfolio in archive.portfolios.values()
            for folder in archive.folders("reports", portfolio.name)
            if archive.has("reports", portfolio.name, folder.name)
        ]
    return sorted(runs, key=lambda run: (str(run.as_of or ""), run.run_id), reverse=True)


def training_run(session: Session, portfolio: Portfolio, run_id: str) -> TrainingRun:
    """What the database knows of one run."""
    versions = of_run(session, portfolio.name, run_id)
    verdict = session.scalar(
        select(Verdict)
        .where(Verdict.portfolio == portfolio.name, Verdict.run_id == run_id)
        .options(joinedload(Verdict.challenger), joinedload(Verdict.champion))
    )
    measured = [(v.version, v.candidate, average_precision(v.metrics)) for v in versions]
    measured.sort(key=lambda line: -line[2].value if line[2] else 1.0)
    return TrainingRun(
        portfolio=portfolio,
        run_id=run_id,
        verdict=_verdict_line(verdict) if verdict else None,
        versions=tuple(measured),
        as_of=verdict.as_of if verdict else max((v.as_of for v in versions), default=None),
    )


@dataclass(frozen=True)
class RestatementLine:
    """What would be alerted today for days of the past."""

    portfolio: Portfolio
    run: str
    version: str
    reason: str
    partitions: int
    new: int
    gone: int
    changed: int


def restatements(archive: Archive) -> list[RestatementLine]:
    """Every restatement that has a page, the newest days first."""
    lines = []
    for portfolio in archive.portfolios.values():
        for folder in archive.folders("restated", portfolio.name):
            if archive.has("restated", portfolio.name, folder.name):
                found = _json(archive, "restated", portfolio.name, folder.name, "summary.json")
                numbers = {name: int(found.get(name, 0)) for name in ("partitions", "new", "gone", "changed")}
                texts = {name: str(found.get(name, "")) for name in ("version", "reason")}
                lines.append(RestatementLine(portfolio, folder.name, **texts, **numbers))
    return lines


def validations(archive: Archive) -> list[ValidationLine]:
    """The newest validated partitions of every portfolio."""
    return [
        validation(archive, portfolio, folder.name.removeprefix("date="))
        for portfolio in archive.portfolios.values()
        for folder in archive.folders("validation", portfolio.name)[:SHOWN_VALIDATIONS]
    ]


def validation(archive: Archive, portfolio: Portfolio, key: str) -> ValidationLine:
    """What validation found in one partition."""
    result = _json(archive, "validation", portfolio.name, f"date={key}", "result.json")
    passed, checks, failures = result.get("passed"), result.get("checks"), result.get("failures")
    return ValidationLine(
        portfolio=portfolio,
        key=key,
        passed=passed if isinstance(passed, bool) else None,
        checks=checks if isinstance(checks, int) else None,
        failures=tuple(str(failure) for failure in failures) if isinstance(failures, list) else (),
        has_page=archive.has("validation", portfolio.name, f"date={key}"),
    )


def quarantine(archive: Archive) -> list[QuarantineLine]:
    """Files with rejected rows: how many, and why."""
    lines = []
    for portfolio in archive.portfolios.values():
        for folder in archive.folders("quarantine", portfolio.name):
            summary = _json(archive, "quarantine", portfolio.name, folder.name, "summary.json")
            reasons = summary.get("reasons")
            counts = {str(k): int(v) for k, v in reasons.items()} if isinstance(reasons, dict) else {}
            rows = summary.get("rows")
            if rows == 0:
                continue  # a file of which every row was accepted has a summary too
            lines.append(
                QuarantineLine(
                    portfolio=portfolio,
                    file=str(summary.get("file", folder.name)),
                    folder=folder.name.removeprefix("file="),
                    rows=rows if isinstance(rows, int) else sum(counts.values()),
                    reasons=tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
                )
            )
    return sorted(lines, key=lambda line: (line.portfolio.name, line.file))


def average_precision(metrics: dict[str, Any]) -> Figure | None:
    """Average precision of a model version's metrics, with its interval where one was computed."""
    value = metrics.get("average_precision")
    if not isinstance(value, int | float):
        return None
    interval = metrics.get("average_precision_interval")
    if isinstance(interval, list | tuple) and len(interval) == 2:
        return Figure(float(value), float(interval[0]), float(interval[1]))
    return Figure(float(value))


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
        verdict=_verdict_line(verdict) if verdict else None,
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


def _verdict_line(verdict: Verdict) -> VerdictLine:
    return VerdictLine(
        run_id=verdict.challenger.run_id,
        outcome=verdict.outcome,
        reason=verdict.reason,
        challenger=verdict.challenger.version,
        candidate=verdict.challenger.candidate,
        champion=verdict.champion.version if verdict.champion else None,
        as_of=verdict.as_of,
        failed=tuple(failed_gates(verdict.gates)),
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


def _json(archive: Archive, area: str, portfolio: str, folder: str, file: str) -> dict[str, Any]:
    """A small JSON object of the store; empty where there is none."""
    try:
        content = json.loads(archive.store.get(area, portfolio, folder, file))
    except FileNotFoundError:
        return {}
    return content if isinstance(content, dict) else {}
