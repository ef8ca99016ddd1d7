"""Training runs that left a report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fraudops.database import Verdict
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import of_run
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import Figure, VerdictLine, average_precision, verdict_line


@dataclass(frozen=True)
class TrainingRun:
    """One training run that left a report."""

    portfolio: Portfolio
    run_id: str
    verdict: VerdictLine | None
    versions: tuple[tuple[str, str, Figure | None], ...]
    """Version, candidate, average precision on the gate slice; best first."""
    as_of: datetime | None


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
        verdict=verdict_line(verdict) if verdict else None,
        versions=tuple(measured),
        as_of=verdict.as_of if verdict else max((v.as_of for v in versions), default=None),
    )
