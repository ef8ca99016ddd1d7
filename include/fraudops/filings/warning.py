"""Tells those who need to know of a last day before it comes, and each day once it is over.

The mail speaks of a review deadline and names a case: neither it nor what is logged says what the deadline is of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fraudops.database import CaseFile, ClockWarning, Filing
from fraudops.decisions.locks import lock_partition
from fraudops.filings.deadlines import OVERDUE, local_day, stage
from fraudops.filings.definition import ClockDefinition, Clocks
from fraudops.filings.record import OPEN, jurisdiction_of, zone_of
from fraudops.filings.starting import start_clocks
from fraudops.notices.rendering import Link, count_of, queue_rendered
from fraudops.portfolio import Portfolio
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

CLOCK_WARNING = "clock_warning"
"""Kind of the notice."""
_UNREVIEWED = ("open", "in_review")
_SHOWN = 20
"""Cases that a mail names, the most urgent first; the list has the others."""


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


@dataclass(frozen=True)
class Line:
    """One deadline that people are told of.

    Attributes
    ----------
    clock
        Which one, so that it is told once.
    about
        How the mail names it.
    """

    clock: str
    about: str
    due_on: date
    stage: str

    def words(self, today: date) -> str:
        """When it is, to read."""
        left = (self.due_on - today).days
        day = f"{self.due_on:%A} {self.due_on}"
        if left < 0:
            return f"{day}: over since {count_of(-left, 'day')}"
        return f"{day}: today" if left == 0 else f"{day}: in {count_of(left, 'day')}"


def look_at_clocks(ws: Workspace, portfolio: Portfolio, clocks: Clocks, as_of: datetime, *, actor: str) -> Looked:
    """Start the clocks of what is known, and queue one notice of all deadlines that have come nearer.

    What was told and what is queued commit together, so that a run that comes again tells nobody twice, and a day on
    which nothing ran is made up for by the next one.
    """
    start_clocks(ws, portfolio, clocks, as_of, actor=actor)
    today = local_day(as_of, zone_of(portfolio))
    with ws.transaction() as session:
        lock_partition(session, CLOCK_WARNING, portfolio.name, "all")
        lines = [*_reports(session, portfolio, clocks, today), *_reviews(session, portfolio, clocks, today)]
        new = _remember(session, portfolio, lines, today)
        notices = int(_queue(session, ws, portfolio, new, today, as_of)) if new else 0
    return Looked(len(new), notices)


# -- inside -------------------------------------------------------------------------------------------


def _reports(session: Session, portfolio: Portfolio, clocks: Clocks, today: date) -> Iterable[Line]:
    query = (
        select(Filing, CaseFile)
        .outerjoin(CaseFile, CaseFile.id == Filing.case_id)
        .where(Filing.portfolio == portfolio.name, Filing.state.in_(OPEN), Filing.trigger_on <= today)
    )
    for filing, case in session.execute(query):
        definition = clocks.of(filing.kind, jurisdiction_of(portfolio))
        about = case.name if case is not None else f"{portfolio.name}, number {filing.id}"
        yield from _line(definition, f"filing/{filing.id}", about, filing.trigger_on, filing.due_on, today)


def _reviews(session: Session, portfolio: Portfolio, clocks: Clocks, today: date) -> Iterable[Line]:
    """Cases that are to be closed or escalated by a day, and are neither."""
    definition = clocks.of("review", jurisdiction_of(portfolio))
    query = select(CaseFile).where(
        CaseFile.portfolio == portfolio.name, CaseFile.state.in_(_UNREVIEWED), CaseFile.due_on.is_not(None)
    )
    for case in session.scalars(query):
        opened = local_day(case.opened_as_of, zone_of(portfolio))
        if case.due_on is not None:
            yield from _line(definition, f"case/{case.number}", case.name, opened, case.due_on, today)


def _line(
    definition: ClockDefinition | None, clock: str, about: str, since: date, due_on: date, today: date
) -> Iterable[Line]:
    # A clock whose YAML was taken away still says that it has run out.
    warn = definition.warn_days_before(since) if definition is not None else (0,)
    found = stage(due_on, today, warn)
    if found is not None:
        yield Line(clock, about, due_on, found)


def _remember(session: Session, portfolio: Portfolio, lines: Iterable[Line], today: date) -> list[Line]:
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


def _facts(lines: Sequence[Line], today: date) -> Iterable[tuple[str, str]]:
    """A line a case: its first deadline, and how many it has."""
    by_case: dict[str, list[Line]] = {}
    for line in lines:
        by_case.setdefault(line.about, []).append(line)
    for about, own in list(by_case.items())[:_SHOWN]:
        yield about, own[0].words(today) + (f"; {len(own) - 1:,} more after it" if len(own) > 1 else "")
    if len(by_case) > _SHOWN:
        yield "More", f"{count_of(len(by_case) - _SHOWN, 'case')}, all later than these"


def _queue(
    session: Session, ws: Workspace, portfolio: Portfolio, lines: Sequence[Line], today: date, as_of: datetime
) -> bool:
    over = sum(line.stage.startswith(OVERDUE) for line in lines)
    found = count_of(len(lines), "review deadline")
    subject = f"{found}, {over:,} of them over" if over else f"{found} near"
    facts = list(_facts(lines, today))
    places = "\n".join(f"{line.clock} {line.due_on} {line.stage}" for line in lines)
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=CLOCK_WARNING,
        template="facts",
        dedupe_key=f"{CLOCK_WARNING}/{today}/{sha256_of(places.encode())[:16]}",
        recipients=portfolio.notices.need_to_know or portfolio.notices.compliance,
        as_of=as_of,
        subject=f"{portfolio.name} {today}: {subject}",
        reference=f"{portfolio.name} {today}: {found}",
        link=Link("Open Fraud Ops in Airflow", f"{ws.ui_url}/fraud-ops/"),
        content={
            "heading": subject[0].upper() + subject[1:],
            "sentence": "These cases have a review deadline that is near, or over. A deadline that is over is told of "
            "each day until somebody records what became of it. Please do not forward this mail.",
            "facts": facts,
            "advice": f"What is to be done stands with the case: fraudops cases show {portfolio.name}-NUMBER",
        },
    )
