"""What people still have to do: open cases, the review deadlines that are closest, and clocks, for who may know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fraudops.database import CaseFile
from fraudops.filings.deadlines import local_day
from fraudops.filings.reading import NextClock, next_clocks
from fraudops.portfolio import SEVERITIES, Portfolio
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops_airflow.web.access import OFFICER, WORKERS, Person

SHOWN = 3
"""Deadlines that are named."""
SOON = timedelta(days=7)


@dataclass(frozen=True)
class CaseDeadline:
    """An open case with its review deadline; ``days_left`` is negative once that has passed."""

    number: int
    severity: str
    due_on: date
    days_left: int


@dataclass(frozen=True)
class Work:
    """Open cases of a portfolio.

    Attributes
    ----------
    by_severity
        Severity and number, the worst first.
    unassigned, late, soon
        Of nobody; with a review deadline that has passed; with one in the next seven days.
    closest
        For those who work cases: the cases whose deadlines are closest.
    clocks, closest_clocks
        For compliance officers: how many clocks run, and those that end first. None: the person is none, and the page
        shows no sign of them.
    """

    by_severity: tuple[tuple[str, int], ...]
    unassigned: int
    late: int
    soon: int
    closest: tuple[CaseDeadline, ...]
    clocks: int | None
    closest_clocks: tuple[NextClock, ...]

    @property
    def open(self) -> int:
        """All of them."""
        return sum(number for _, number in self.by_severity)


def work(session: Session, portfolio: Portfolio, person: Person, now: datetime) -> Work:
    """What waits, as far as the person may know."""
    today = local_day(now, portfolio.zone)
    is_open = (CaseFile.portfolio == portfolio.name, CaseFile.closed_at.is_(None))
    counts = session.execute(
        select(
            CaseFile.severity,
            func.count(),
            func.count().filter(CaseFile.assignee.is_(None)),
            func.count().filter(CaseFile.due_on < today),
            func.count().filter(CaseFile.due_on >= today, CaseFile.due_on <= today + SOON),
        )
        .where(*is_open)
        .group_by(CaseFile.severity)
    ).all()
    named = person.is_any(*WORKERS)
    clocks, first = next_clocks(session, portfolio, now, most=SHOWN) if person.is_any(OFFICER) else (None, [])
    return Work(
        by_severity=tuple(sorted(((row[0], row[1]) for row in counts), key=lambda item: -SEVERITIES.index(item[0]))),
        unassigned=sum(row[2] for row in counts),
        late=sum(row[3] for row in counts),
        soon=sum(row[4] for row in counts),
        closest=tuple(_closest(session, is_open, today)) if named else (),
        clocks=clocks,
        closest_clocks=tuple(first),
    )


def open_cases(session: Session) -> dict[str, int]:
    """Portfolio → how many cases are open."""
    query = select(CaseFile.portfolio, func.count()).where(CaseFile.closed_at.is_(None)).group_by(CaseFile.portfolio)
    return {row[0]: row[1] for row in session.execute(query)}


# -- inside ---------------------------------------------------------------------------------------------


def _closest(session: Session, is_open: tuple, today: date) -> Iterable[CaseDeadline]:
    query = (
        select(CaseFile.number, CaseFile.severity, CaseFile.due_on)
        .where(*is_open, CaseFile.due_on.is_not(None))
        .order_by(CaseFile.due_on, CaseFile.priority.desc(), CaseFile.id)
        .limit(SHOWN)
    )
    for number, severity, due_on in session.execute(query):
        yield CaseDeadline(number, severity, due_on, (due_on - today).days)
