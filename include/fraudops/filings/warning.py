"""Tells those who need to know of a last day before it comes, and each day once it is over.

The mail speaks of a review deadline and names a case: neither it nor what is logged says what the deadline is of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fraudops.database import CaseFile, ClockWarning, Filing
from fraudops.decisions.locks import lock_partition
from fraudops.filings.deadlines import local_day, stage
from fraudops.filings.definition import ClockDefinition, Clocks
from fraudops.filings.record import OPEN, jurisdiction_of
from fraudops.filings.starting import start_clocks
from fraudops.notices.clock_messages import CLOCK_WARNING, Due, clock_warning
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

_UNREVIEWED = ("open", "in_review")


@dataclass(frozen=True)
class Looked:
    """What a look at the clocks came to; nothing in it says what they are of.

    Attributes
    ----------
    told
        Deadlines that people are told of now.
    notices
        New notices in the outbox: one at most.
    """

    told: int
    notices: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def look_at_clocks(ws: Workspace, portfolio: Portfolio, clocks: Clocks, as_of: datetime, *, actor: str) -> Looked:
    """Start the clocks of what is known, and queue one notice of all deadlines that have come nearer.

    What was told and what is queued commit together, so that a run that comes again tells nobody twice, and a day on
    which nothing ran is made up for by the next one.
    """
    start_clocks(ws, portfolio, clocks, as_of, actor=actor)
    today = local_day(as_of, portfolio.zone)
    with ws.transaction() as session:
        lock_partition(session, CLOCK_WARNING, portfolio.name, "all")
        lines = [*_reports(session, portfolio, clocks, today), *_reviews(session, portfolio, clocks, today)]
        new = _remember(session, portfolio, lines, today)
        notices = int(clock_warning(session, ws, portfolio, new, today=today, as_of=as_of)) if new else 0
    return Looked(len(new), notices)


# -- inside -------------------------------------------------------------------------------------------


def _reports(session: Session, portfolio: Portfolio, clocks: Clocks, today: date) -> Iterable[Due]:
    query = (
        select(Filing, CaseFile)
        .outerjoin(CaseFile, CaseFile.id == Filing.case_id)
        .where(Filing.portfolio == portfolio.name, Filing.state.in_(OPEN), Filing.trigger_on <= today)
    )
    for filing, case in session.execute(query):
        definition = clocks.of(filing.kind, jurisdiction_of(portfolio))
        about = case.name if case is not None else f"{portfolio.name}, number {filing.id}"
        yield from _line(definition, f"filing/{filing.id}", about, filing.trigger_on, filing.due_on, today)


def _reviews(session: Session, portfolio: Portfolio, clocks: Clocks, today: date) -> Iterable[Due]:
    """Cases that are to be closed or escalated by a day, and are neither."""
    definition = clocks.of("review", jurisdiction_of(portfolio))
    query = select(CaseFile).where(
        CaseFile.portfolio == portfolio.name, CaseFile.state.in_(_UNREVIEWED), CaseFile.due_on.is_not(None)
    )
    for case in session.scalars(query):
        opened = local_day(case.opened_as_of, portfolio.zone)
        if case.due_on is not None:
            yield from _line(definition, f"case/{case.number}", case.name, opened, case.due_on, today)


def _line(
    definition: ClockDefinition | None, clock: str, about: str, since: date, due_on: date, today: date
) -> Iterable[Due]:
    # A clock whose YAML was taken away still says that it has run out.
    warn = definition.warn_days_before(since) if definition is not None else (0,)
    found = stage(due_on, today, warn)
    if found is not None:
        yield Due(clock, about, due_on, found)


def _remember(session: Session, portfolio: Portfolio, lines: Iterable[Due], today: date) -> list[Due]:
    """Those of the lines that nobody was told of yet, the most urgent first."""
    by_place = {(line.clock, line.due_on, line.stage): line for line in lines}
    if not by_place:
        return []
    values = [
        {"portfolio": portfolio.name, "clock": clock, "due_on": due_on, "stage": found, "on": today}
        for clock, due_on, found in by_place
    ]
    statement = insert(ClockWarning).values(values).on_conflict_do_nothing()
    told = session.execute(statement.returning(ClockWarning.clock, ClockWarning.due_on, ClockWarning.stage))
    new = [by_place[clock, due_on, found] for clock, due_on, found in told]
    return sorted(new, key=lambda line: (line.due_on, line.about, line.clock))
