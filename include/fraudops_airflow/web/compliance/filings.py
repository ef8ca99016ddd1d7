"""What a compliance officer sees of clocks: the list by last day, the month, one clock with the law that it rests on.

Confidential: nothing here is for anybody else, and no other page reads it.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fraudops.filings.deadlines import local_day
from fraudops.filings.definition import WARN, ClockDefinition
from fraudops.filings.listing import (
    KeptDraft,
    Place,
    Tally,
    Wanted,
    drafts_of,
    due_by_day,
    page_of_clocks,
    tally,
    warned,
)
from fraudops.filings.reading import ClockView, Event, read_clock
from fraudops.filings.record import jurisdiction_of
from fraudops.portfolio import Portfolio
from fraudops.rules.numbers import worded

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.definitions import known_clocks

PER_PAGE = 40
KINDS = {"sar": "suspicious activity", "sar_continuing": "activity that goes on", "ctr": "cash"}
_UNSAID = frozenset({"clock"})


@dataclass(frozen=True)
class ClockLine:
    """A clock of the list, and when people were last told of it."""

    clock: ClockView
    told: tuple[date, str] | None


@dataclass(frozen=True)
class Day:
    """A day of the month, with how many clocks have it as their last one; ``inside``: it belongs to the month."""

    on: date
    inside: bool
    open: int
    ended: int


@dataclass(frozen=True)
class MonthView:
    """A month, week by week; ``key``, ``before``, ``after``: such as ``2026-03``."""

    name: str
    key: str
    weeks: tuple[tuple[Day, ...], ...]
    before: str
    after: str


@dataclass(frozen=True)
class FilingsPage:
    """The list of one portfolio; ``next``: where the following page begins."""

    portfolio: Portfolio
    today: date
    tally: Tally
    month: MonthView
    lines: tuple[ClockLine, ...]
    next: Place | None


@dataclass(frozen=True)
class LawNumber:
    """A number of the law as it was on the day that a clock counts from."""

    name: str
    description: str
    words: str
    since: date
    source: str


@dataclass(frozen=True)
class FilingPage:
    """One clock with everything about it."""

    portfolio: Portfolio
    today: date
    clock: ClockView
    definition: ClockDefinition | None
    numbers: tuple[LawNumber, ...]
    told: tuple[tuple[date, str], ...]
    drafts: tuple[KeptDraft, ...]
    hits: tuple[str, ...]
    history: tuple[tuple[Event, str], ...]


def tallies(archive: Archive, now: datetime) -> Mapping[str, Tally]:
    """How many clocks each portfolio has."""
    with archive.reading() as session:
        return {name: tally(session, portfolio, now) for name, portfolio in archive.portfolios.items()}


def filings_page(
    archive: Archive, portfolio: Portfolio, now: datetime, wanted: Wanted, *, month: str, after: Place | None
) -> FilingsPage:
    """Clocks from behind a place on, and the month that they are shown beside."""
    today = local_day(now, portfolio.zone)
    found = page_of_clocks(archive.workspace, portfolio, known_clocks(), now, wanted, after=after, most=PER_PAGE + 1)
    lines, more = found[:PER_PAGE], len(found) > PER_PAGE
    with archive.reading() as session:
        told = warned(session, portfolio.name, [clock.number for clock in lines])
        counted = tally(session, portfolio, now)
        first = date.fromisoformat(f"{month}-01") if month else today.replace(day=1)
        weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
        due = due_by_day(session, portfolio.name, weeks[0][0], weeks[-1][-1])
    return FilingsPage(
        portfolio=portfolio,
        today=today,
        tally=counted,
        month=_month(first, weeks, due),
        lines=tuple(ClockLine(clock, told[clock.number][-1] if clock.number in told else None) for clock in lines),
        next=(lines[-1].due_on, lines[-1].number) if more else None,
    )


def filing_page(archive: Archive, portfolio: Portfolio, number: int, now: datetime) -> FilingPage:
    """One clock.

    Raises
    ------
    ContractError
        There is none of this number.
    """
    clocks = known_clocks()
    clock = read_clock(archive.workspace, portfolio, clocks, number, now)
    definition = clocks.of(clock.kind, jurisdiction_of(portfolio))
    with archive.reading() as session:
        told = warned(session, portfolio.name, [number]).get(number, [])
        drafts = drafts_of(session, number)
    hits = dict.fromkeys(str(event.details["hit"]) for event in clock.history if "hit" in event.details)
    return FilingPage(
        portfolio=portfolio,
        today=local_day(now, portfolio.zone),
        clock=clock,
        definition=definition,
        numbers=tuple(_numbers(definition, clock.trigger_on)) if definition else (),
        told=tuple(told),
        drafts=tuple(drafts),
        hits=tuple(hits),
        history=tuple((event, sentence(event)) for event in clock.history),
    )


def sentence(event: Event) -> str:
    """What an event recorded, and what was before."""
    details = {name: value for name, value in event.details.items() if name not in _UNSAID}
    return "; ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in details.items())


def stage_words(stage: str) -> str:
    """What people were told, in words."""
    if stage.startswith("overdue"):
        return "overdue"
    return {"0": "on the last day", "1": "1 day before"}.get(stage, f"{stage} days before")


def _numbers(definition: ClockDefinition, day: date) -> list[LawNumber]:
    found = []
    for name, number in definition.numbers.items():
        value = number.on(max(day, definition.since))
        if value is not None:
            said = worded(value[0].value, number.unit)
            words = f"{said} days" if name == WARN else said
            found.append(LawNumber(name.replace("_", " "), number.description, words, value[0].since, value[0].source))
    return found


def _month(first: date, weeks: list[list[date]], due: Mapping[date, tuple[int, int]]) -> MonthView:
    before, after = first - timedelta(days=1), first + timedelta(days=32)
    return MonthView(
        name=f"{_MONTHS[first.month - 1]} {first.year}",
        key=f"{first:%Y-%m}",
        weeks=tuple(tuple(Day(day, day.month == first.month, *due.get(day, (0, 0))) for day in week) for week in weeks),
        before=f"{before:%Y-%m}",
        after=f"{after:%Y-%m}",
    )


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name.replace('_', ' ')} {_plain(item)}" for name, item in value.items()) + ")"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


# Not strftime's, which follow the machine's language.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
