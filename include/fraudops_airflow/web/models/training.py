"""Training runs, and evaluations over several windows, that left a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fraudops.database import ModelVersion, Verdict
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import of_run
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import Figure, VerdictLine, average_precision, verdict_line, verdicts

PER_PAGE = 20
EVALUATION = "prequential_"
"""What the folder's name of an evaluation begins with."""
_SHOWN_EVALUATIONS = 10


@dataclass(frozen=True)
class TrainingRun:
    """One training run."""

    portfolio: Portfolio
    run_id: str
    verdict: VerdictLine | None
    versions: tuple[tuple[str, str, Figure | None], ...]
    """Version, candidate, average precision on the gate slice; best first."""
    as_of: datetime | None
    has_report: bool
    id: int = 0
    """Of its newest version; the list is ordered by it."""


@dataclass(frozen=True)
class Runs:
    """A page of the list of runs."""

    lines: tuple[TrainingRun, ...]
    older: int | None


@dataclass(frozen=True)
class Evaluation:
    """A report over several test windows, which registers nothing."""

    portfolio: Portfolio
    run_id: str


def training_runs(archive: Archive, *, portfolio: str = "", before: int | None = None, most: int = PER_PAGE) -> Runs:
    """Runs that have registered versions, the newest first; ``before``: those older than the last page's."""
    names = [portfolio] if portfolio else list(archive.portfolios)
    newest = func.max(ModelVersion.id)
    query = (
        select(ModelVersion.portfolio, ModelVersion.run_id, newest)
        .where(ModelVersion.portfolio.in_(names))
        .group_by(ModelVersion.portfolio, ModelVersion.run_id)
        .order_by(newest.desc())
        .limit(most + 1)
    )
    if before is not None:
        query = query.having(newest < before)
    with archive.reading() as session:
        rows = session.execute(query).all()
        lines = tuple(
            training_run(archive, session, archive.portfolios[name], run_id, number)
            for name, run_id, number in rows[:most]
        )
    return Runs(lines, lines[-1].id if len(rows) > most else None)


def training_run(archive: Archive, session: Session, portfolio: Portfolio, run_id: str, number: int = 0) -> TrainingRun:
    """What the database knows of one run."""
    versions: Sequence[ModelVersion] = of_run(session, portfolio.name, run_id)
    verdict = session.scalar(verdicts().where(Verdict.portfolio == portfolio.name, Verdict.run_id == run_id))
    measured = [(v.version, v.candidate, average_precision(v.metrics)) for v in versions]
    measured.sort(key=lambda line: -line[2].value if line[2] else 1.0)
    return TrainingRun(
        portfolio=portfolio,
        run_id=run_id,
        verdict=verdict_line(verdict) if verdict else None,
        versions=tuple(measured),
        as_of=verdict.as_of if verdict else max((v.as_of for v in versions), default=None),
        has_report=archive.has("reports", portfolio.name, run_id),
        id=number,
    )


def evaluations(archive: Archive, portfolio: str = "", most: int = _SHOWN_EVALUATIONS) -> list[Evaluation]:
    """The newest evaluations of each portfolio, by their names, which begin with the moment of the evaluation."""
    found = []
    for one in archive.portfolios.values():
        if portfolio not in ("", one.name):
            continue
        names = [folder.name for folder in archive.folders("reports", one.name) if folder.name.startswith(EVALUATION)]
        found += [Evaluation(one, name) for name in names[:most] if archive.has("reports", one.name, name)]
    return found
