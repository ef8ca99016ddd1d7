"""Cases and their deadlines, as counts: whom they are about, or whether one was escalated, is not for this paper."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from fraudops.cases.statistics import CaseStatistics
from fraudops.cases.statistics import statistics as of_cases
from fraudops.filings.statistics import ClockCounts
from fraudops.filings.statistics import statistics as of_clocks
from fraudops.monthly.month import Month
from fraudops.monthly.pack import Cell, Grid, Section
from fraudops.portfolio import Portfolio


def counts_of(session: Session, portfolio: Portfolio, month: Month) -> tuple[CaseStatistics, tuple[ClockCounts, ...]]:
    """What became of a month's cases and clocks."""
    clocks = of_clocks(session, portfolio, month.start.date(), month.end.date())
    return of_cases(session, portfolio.name, month.start, month.end), clocks


def conduct(month: Month, cases: CaseStatistics, clocks: Sequence[ClockCounts]) -> Section:
    """The chapter on cases and review deadlines.

    Deadlines of all kinds are added up: a count of one kind would say what must not be said.
    """
    return Section("cases", "Cases and review deadlines", grids=(_cases(month, cases), _deadlines(month, clocks)))


# -- inside -------------------------------------------------------------------------------------------


def _cases(month: Month, found: CaseStatistics) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        ("opened", found.opened),
        *((f"closed as {finding.replace('_', ' ')}", number) for finding, number in sorted(found.closed.items())),
        ("reopened", found.reopened),
        ("open at the end", found.open_at_end),
        ("… past their review deadline", found.late_at_end),
    ]
    return Grid("cases", "Cases", ("Cases", "Number"), tuple(rows), f"Cases of {month.key}.", widths=(3, 1))


def _deadlines(month: Month, clocks: Sequence[ClockCounts]) -> Grid:
    def total(name: str) -> int:
        return sum(getattr(kind, name) for kind in clocks)

    rows: tuple[tuple[Cell, ...], ...] = (
        ("met", total("met")),
        ("missed", total("missed")),
        ("open at the end", total("open_at_end")),
    )
    source = f"Review deadlines that fell due in {month.key}. A missed one stays missed, whatever was done later."
    return Grid("deadlines", "Review deadlines", ("Deadlines", "Number"), rows, source, widths=(3, 1))
