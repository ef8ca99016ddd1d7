"""By when a case is to be reviewed: some business days after it was opened, by its severity.

They count from the day on which the case came into being, not from that of its transactions: nobody can be late with
what was not there to be seen. Business days are those of the portfolio's section ``compliance`` (time zone, holidays);
without one they are Monday to Friday in UTC.
"""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from fraudops.portfolio import Portfolio
from fraudops.reference import holidays
from fraudops.rules.calendar import BusinessCalendar
from fraudops.workspace import Workspace


def calendar_of(ws: Workspace, portfolio: Portfolio, as_of: datetime) -> BusinessCalendar:
    """The portfolio's business days, with the holidays known at a moment."""
    compliance = portfolio.compliance
    if compliance is None:
        return BusinessCalendar("UTC", time.max)
    known = holidays(ws, portfolio, as_of)
    return BusinessCalendar.of(
        known, jurisdiction=compliance.jurisdiction, timezone=compliance.timezone, cutoff=compliance.cutoff_time
    )


def review_due(portfolio: Portfolio, calendar: BusinessCalendar, opened_at: datetime, severity: str) -> date:
    """Last day on which a case may still be open without being late."""
    return calendar.following(
        opened_at.astimezone(ZoneInfo(calendar.timezone)).date(), getattr(portfolio.cases.review_within, severity)
    )
