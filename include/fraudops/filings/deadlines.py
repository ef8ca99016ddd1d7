"""By which day: pure functions of days and a clock's numbers.

A clock counts calendar days, and its first day is the one after the day that started it: 30 days from 31 January are
over at the end of 2 March, or of 1 March in a leap year. No last day is moved for a weekend or a holiday, because no
source says so (the clocks' YAML quotes them); :func:`act_by` names the last business day before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fraudops.filings.definition import ClockDefinition
from fraudops.rules.calendar import BusinessCalendar

OVERDUE = "overdue"


@dataclass(frozen=True)
class Deadline:
    """What a clock comes to.

    Attributes
    ----------
    trigger_on
        Day that started it: of the detection, the business day, or the filing before.
    due_on
        Last day.
    review_on
        Day on which activity that may go on is looked at again; None for other clocks.
    suspect_known
        Whether a suspect was known from the start; None where that makes no difference.
    """

    trigger_on: date
    due_on: date
    review_on: date | None = None
    suspect_known: bool | None = None


@dataclass(frozen=True)
class Detection:
    """What a person recorded when escalating a case.

    Attributes
    ----------
    detected_on
        Day on which facts were first detected that may be a basis for a report.
    suspect_known
        Whether a suspect was identified.
    recorded_on
        Day on which it was recorded, in the bank's time zone.
    """

    detected_on: date
    suspect_known: bool
    recorded_on: date


def after_detection(clock: ClockDefinition, detected_on: date, *, suspect_known: bool) -> Deadline:
    """The deadline of a first detection, by the numbers in force on its day."""
    name = "days" if suspect_known else "days_without_suspect"
    due = detected_on + timedelta(days=clock.days(name, detected_on))
    return Deadline(detected_on, due, suspect_known=suspect_known)


def joined(clock: ClockDefinition, running: Deadline, found: Detection) -> Deadline:
    """A running clock, once something else was recorded about the same case: never a later day than before.

    The earliest day of detection counts. A suspect who is identified while the longer time runs ends what it was for:
    the report is due on the last day of the shorter time or, if that is over, on the day of the identification. The
    rule itself only says that one may wait in order to identify a suspect.
    """
    trigger = min(running.trigger_on, found.detected_on)
    short = after_detection(clock, trigger, suspect_known=True).due_on
    if running.suspect_known or (found.suspect_known and found.detected_on < running.trigger_on):
        due, known = short, True
    elif found.suspect_known:
        due, known = max(short, found.recorded_on), True
    else:
        due, known = after_detection(clock, trigger, suspect_known=False).due_on, False
    return replace(running, trigger_on=trigger, due_on=min(running.due_on, due), suspect_known=known)


def after_cash(clock: ClockDefinition, business_day: date) -> Deadline:
    """The deadline of a business day with more cash than the threshold."""
    return Deadline(business_day, business_day + timedelta(days=clock.days("days", business_day)))


def after_filing(clock: ClockDefinition, filed_on: date) -> Deadline:
    """Review and deadline of activity that goes on after a filing."""
    return Deadline(
        filed_on,
        filed_on + timedelta(days=clock.days("days", filed_on)),
        review_on=filed_on + timedelta(days=clock.days("review_after", filed_on)),
    )


def act_by(due_on: date, calendar: BusinessCalendar) -> date:
    """The last business day that is not later than the last day."""
    return due_on if calendar.is_business_day(due_on) else calendar.following(due_on, -1)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day that a moment belongs to where the bank counts its days."""
    return moment.astimezone(zone).date()


def stage(due_on: date, today: date, warn_days_before: Sequence[int]) -> str | None:
    """What people are to be told today; None: nothing yet.

    Returns
    -------
    str
        The smallest number of days that the clock has come to, or ``overdue`` with today's day: a day on which nobody
        was told is made up for by the next one, once.

    Examples
    --------
    >>> due = date(2026, 3, 31)
    >>> stage(due, date(2026, 3, 20), (0, 1, 5, 10)), stage(due, date(2026, 3, 24), (0, 1, 5, 10))
    (None, '10')
    >>> stage(due, date(2026, 4, 2), (0, 1, 5, 10))
    'overdue 2026-04-02'
    """
    left = (due_on - today).days
    if left < 0:
        return f"{OVERDUE} {today}"
    return next((str(days) for days in sorted(warn_days_before) if left <= days), None)
