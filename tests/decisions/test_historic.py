"""Alerts of the past are told of once, in a summary; which they are follows from the record alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.historic import tell_historic
from fraudops.decisions.scoring import score
from fraudops.intake.publication import publish
from fraudops.portfolio import Portfolio

from tests.decisions.conftest import Bank

DAYS = [f"2026-03-{day:02d}" for day in range(1, 8)]
ACTOR = "service:test"


@pytest.fixture
def week(bank: Bank) -> Bank:
    """Seven days on each of which a payment is blocked, none of them published yet, under a champion of before."""
    for day in DAYS:
        bank.day(day, [10.0, 20.0, 950.0])
    bank.promote("2026-03-01", "2026-02-01")
    return bank


def _live(bank: Bank, *days: str, portfolio: Portfolio | None = None, until: str | None = None) -> None:
    chosen = portfolio or bank.portfolio
    for day in days:
        publish(bank.ws, chosen, day, actor=ACTOR, until=until)
    for day in days:
        score(bank.ws, chosen, day)
        raise_alerts(bank.ws, chosen, day, actor=ACTOR)


def _told(bank: Bank, kind: str) -> list[str]:
    return sorted({notice.dedupe_key.split("/")[2] for notice in bank.notices(kind)})


def test_days_that_came_in_their_order_each_have_their_digest_however_late_they_are_scored(week: Bank) -> None:
    _live(week, *DAYS)
    assert _told(week, "digest") == DAYS
    assert not tell_historic(week.ws, week.portfolio)
    assert week.notices("historic") == []


def test_a_day_that_comes_long_after_a_later_one_is_told_in_a_summary(week: Bank) -> None:
    for day in reversed(DAYS):
        _live(week, day)
    # Three days are not long.
    assert _told(week, "digest") == DAYS[3:]
    assert [alert.partition_key for alert in week.alerts()] == DAYS[::-1]
    assert tell_historic(week.ws, week.portfolio)
    (notice,) = week.notices("historic")
    assert notice.subject == "[fraudops] cards: 3 alerts of 3 past partitions, 3 blocked"
    assert "2026-03-01 to 2026-03-03 (3)" in notice.text
    assert "2,850.00 EUR" in notice.text
    assert notice.recipients == ["compliance@bank.example"]
    # Once: another run has nothing to tell, and steps that run again raise nothing.
    _live(week, *DAYS)
    assert not tell_historic(week.ws, week.portfolio)
    assert len(week.notices("historic")) == 1


def test_what_comes_after_a_summary_has_another(week: Bank) -> None:
    _live(week, DAYS[6], DAYS[0])
    assert tell_historic(week.ws, week.portfolio)
    _live(week, DAYS[1])
    assert tell_historic(week.ws, week.portfolio)
    assert [notice.subject for notice in week.notices("historic")] == [
        "[fraudops] cards: 1 alert of 1 past partition, 1 blocked"
    ] * 2


def test_one_load_of_many_days_tells_of_the_last_ones_alone_as_new(week: Bank) -> None:
    _live(week, *DAYS, until=DAYS[-1])
    assert _told(week, "digest") == DAYS[3:]
    assert tell_historic(week.ws, week.portfolio)


def test_what_a_backfill_publishes_long_after_is_of_the_past(week: Bank) -> None:
    for day in DAYS:
        publish(week.ws, week.portfolio, day, actor=ACTOR, backfilled=True)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    week.day(yesterday, [950.0])
    publish(week.ws, week.portfolio, yesterday, actor=ACTOR, backfilled=True)
    for day in (*DAYS, yesterday):
        score(week.ws, week.portfolio, day)
        raise_alerts(week.ws, week.portfolio, day, actor=ACTOR)
    # A backfill of yesterday makes up for a run that was missed: that is news.
    assert _told(week, "digest") == [yesterday]
    assert tell_historic(week.ws, week.portfolio)
    assert "2026-03-01 to 2026-03-07 (7)" in week.notices("historic")[0].text


def test_what_waited_for_the_first_champion_is_of_the_past(bank: Bank) -> None:
    for day in DAYS:
        bank.day(day, [10.0, 950.0])
    bank.promote("2026-03-08", "2026-02-01")
    _live(bank, *DAYS)
    assert _told(bank, "digest") == DAYS[3:]
    assert tell_historic(bank.ws, bank.portfolio)


def test_a_portfolio_may_want_each_day_told(week: Bank) -> None:
    notices = week.portfolio.notices.model_copy(update={"historic_after": None})
    every = week.portfolio.model_copy(update={"notices": notices})
    for day in reversed(DAYS):
        _live(week, day, portfolio=every)
    assert _told(week, "digest") == DAYS
    assert not tell_historic(week.ws, every)
