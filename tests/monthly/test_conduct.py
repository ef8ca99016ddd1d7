"""Cases and deadlines in the pack: counts alone."""

from __future__ import annotations

from fraudops.cases.statistics import CaseStatistics
from fraudops.filings.statistics import ClockCounts
from fraudops.monthly.month import Month
from fraudops.monthly.sections import conduct
from fraudops.workspace import Workspace

from tests.keeping.conftest import portfolio_of

MARCH = Month("2026-03")


def test_kinds_of_deadlines_are_added_up_and_none_is_named() -> None:
    cases = CaseStatistics(opened=4, closed={"fraud": 2}, open_at_end=3, late_at_end=1)
    clocks = (ClockCounts("sar", met=1, missed=0, open_at_end=2), ClockCounts("ctr", met=3, missed=1))
    found = conduct.conduct(MARCH, cases, clocks)
    assert [row for grid in found.grids for row in grid.rows] == [
        *(("opened", 4), ("closed as fraud", 2), ("reopened", 0), ("open at the end", 3)),
        ("… past their review deadline", 1),
        *(("met", 4), ("missed", 1), ("open at the end", 2)),
    ]
    said = repr(found).lower().replace("necessary", "")
    assert not [word for word in ("sar", "ctr", "suspicious", "filing", "escalat") if word in said]


def test_a_month_without_any_has_noughts(workspace: Workspace) -> None:
    with workspace.transaction() as session:
        found = conduct.conduct(MARCH, *conduct.counts_of(session, portfolio_of(), MARCH))
    assert {row[1] for grid in found.grids for row in grid.rows} == {0}
