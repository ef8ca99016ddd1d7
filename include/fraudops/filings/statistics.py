"""Clocks counted, for the monthly pack of those who need to know: a clock that was missed stays missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from fraudops.database import Filing
from fraudops.filings.record import OPEN, missed_on, terms_of, zone_of
from fraudops.portfolio import Portfolio

KINDS = ("sar", "sar_continuing", "ctr")


@dataclass(frozen=True)
class ClockCounts:
    """Clocks of one kind in a stretch of days. Confidential.

    Attributes
    ----------
    started
        Clocks that count from a day of the stretch.
    met, late
        Filed in the stretch: by the last day, or after one had passed.
    not_required
        Decided in the stretch that no report is needed.
    missed
        Clocks whose last day passed in the stretch without a filing, whatever became of them since.
    open_at_end, overdue_at_end
        Clocks that still ran when the stretch was over, and those of them whose last day had passed.
    """

    kind: str
    started: int = 0
    met: int = 0
    late: int = 0
    not_required: int = 0
    missed: int = 0
    open_at_end: int = 0
    overdue_at_end: int = 0


def statistics(session: Session, portfolio: Portfolio, start: date, end: date) -> tuple[ClockCounts, ...]:
    """Counts of a stretch of days, from ``start`` until before ``end``; one for each kind, with zeros too.

    What was recorded after the stretch about its days counts: an officer may record on the 2nd what was filed on the
    31st.
    """
    query = select(Filing).where(Filing.portfolio == portfolio.name, Filing.trigger_on < end)
    found: dict[str, list[Filing]] = {kind: [] for kind in KINDS}
    for filing in session.scalars(query.options(selectinload(Filing.events)).order_by(Filing.id)):
        found.setdefault(filing.kind, []).append(filing)
    return tuple(_counts(kind, filings, portfolio, start, end) for kind, filings in found.items())


def _counts(kind: str, filings: list[Filing], portfolio: Portfolio, start: date, end: date) -> ClockCounts:
    zone = zone_of(portfolio)
    counts = dict.fromkeys(("started", "met", "late", "not_required", "missed", "open_at_end", "overdue_at_end"), 0)
    for filing in filings:
        settled = filing.filed_on if filing.state not in OPEN and filing.filed_on is not None else None
        runs = settled is None or settled >= end
        over = missed_on(terms_of(filing, zone), None if runs else settled, end)
        counts["started"] += start <= filing.trigger_on
        counts["missed"] += over is not None and start <= over
        counts["open_at_end"] += runs
        counts["overdue_at_end"] += runs and over is not None
        if settled is not None and start <= settled < end:
            name = "not_required" if filing.state == "not_required" else "met" if over is None else "late"
            counts[name] += 1
    return ClockCounts(kind, **counts)
