"""Counts for reports; what happens later changes none of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fraudops import cases

from tests.cases.conftest import Desk

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def test_counts_of_a_month_stay_when_a_case_is_closed_later(desk: Desk) -> None:
    def counted(start: datetime, end: datetime) -> cases.CaseStatistics:
        with desk.ws.transaction() as session:
            return cases.statistics(session, "cards", start, end)

    april = datetime(2026, 4, 1, tzinfo=UTC)
    # The day's partition ends at midnight: it belongs to the days until then.
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    assert (counted(MARCH, midnight).opened, counted(midnight, april).opened) == (1, 0)
    assert (counted(MARCH, midnight).by_model["v1"].items, counted(midnight, april).by_model) == (2, {})
    before = counted(MARCH, april)
    assert (before.opened, before.closed, before.open_at_end, before.open_by_severity) == (1, {}, 1, {"critical": 1})
    assert before.by_model == {"v1": cases.Outcome(items=2, open=2)}
    desk.do(cases.start)
    desk.do(cases.close, finding="fraud", reason="r")
    desk.do(cases.approve, by="olga")
    assert counted(MARCH, april) == before
    later = datetime.now(UTC) + timedelta(days=30)
    desk.do(cases.reopen, reason="r")
    assert counted(april, later).late_at_end == 1
    desk.do(cases.close, finding="fraud", reason="r")
    desk.do(cases.approve, by="olga")
    assert counted(april, later).late_at_end == 0
    soon = datetime.now(UTC) + timedelta(hours=1)
    after = counted(MARCH, soon)
    assert (after.opened, after.closed, after.open_at_end) == (1, {"fraud": 2}, 0)
    assert after.by_model == {"v1": cases.Outcome(items=2, fraud=2)}
    assert after.by_model["v1"].precision == 1
    desk.do(cases.reopen, reason="r")
    assert counted(april, soon).reopened == 2
    assert counted(april, soon).opened == 0
