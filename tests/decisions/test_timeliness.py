"""Which partitions are late, what keeps them, and that people are told once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from fraudops.database import LedgerEntry
from fraudops.decisions.timeliness import Late, punctuality, tell_late
from fraudops.intake.apart import land_apart
from fraudops.portfolio import Portfolio
from fraudops.portfolio.timeliness import Timeliness
from fraudops.workspace import Workspace
from sqlalchemy import func, select

from tests.decisions.conftest import Bank, at

SIX_HOURS = timedelta(hours=6)
At = Callable[[int], datetime]


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"].model_copy(update={"timeliness": Timeliness(scored_within=SIX_HOURS)})


@pytest.fixture
def days(workspace: Workspace, cards: Portfolio) -> list[str]:
    """The day on which the portfolio was set up, and the nine that follow."""
    with workspace.transaction() as session:
        workspace.record(session, portfolio="cards", actor="x", action="ingested", subject="cards/x", details={})
        since = session.scalar(select(func.min(LedgerEntry.at)))
    assert since is not None
    key = cards.partitioning.key_of
    return [key(since + timedelta(days=number)) for number in range(10)]


@pytest.fixture
def due(cards: Portfolio, days: list[str]) -> At:
    """The moment at which the n-th day must have been scored."""
    return lambda number: cards.partitioning.end(days[number]) + SIX_HOURS


def late(ws: Workspace, cards: Portfolio, now: datetime) -> list[Late]:
    found = punctuality(ws, cards, now=now)
    assert found is not None
    return list(found.late)


def scored(ws: Workspace, key: str) -> None:
    ws.store.write("transactions", "cards", key, pa.table({"transaction_id": ["t"]}), config="c")
    ws.store.write("scores", "cards", key, pa.table({"transaction_id": ["t"]}), config="c")


def test_nothing_is_late_before_its_time(workspace: Workspace, cards: Portfolio, days: list[str], due: At) -> None:
    early = punctuality(workspace, cards, now=due(0) - timedelta(microseconds=1))
    assert early is not None
    assert (early.newest_due, early.late) == (None, ())
    (one,) = late(workspace, cards, due(0))
    assert (one.key, one.due, one.cause) == (days[0], due(0), "file")
    assert f"transactions_{days[0]}.csv*" in one.what


def test_what_was_scored_is_not_late(workspace: Workspace, cards: Portfolio, days: list[str], due: At) -> None:
    scored(workspace, days[0])
    scored(workspace, days[2])
    found = punctuality(workspace, cards, now=due(2))
    assert found is not None
    assert [one.key for one in found.late] == [days[1]]
    assert found.newest_due == days[2]
    assert found.sentence.startswith(f"late: {days[1]}, due")
    scored(workspace, days[1])
    found = punctuality(workspace, cards, now=due(2))
    assert found is not None
    assert found.sentence == f"in time: {days[2]} is scored"


def test_what_was_there_before_and_what_is_long_ago_is_not_expected(
    workspace: Workspace, cards: Portfolio, days: list[str], due: At
) -> None:
    (first,) = late(workspace, cards, due(0))
    assert first.key == days[0], "the days before the portfolio was set up are history"
    assert [one.key for one in late(workspace, cards, due(9))] == days[3:]


def test_a_portfolio_without_a_deadline_or_a_schedule_is_never_late(
    workspace: Workspace, cards: Portfolio, days: list[str], due: At
) -> None:
    for change in ({"timeliness": None}, {"scheduled": False}):
        assert punctuality(workspace, cards.model_copy(update=change), now=due(5)) is None
    assert tell_late(workspace, cards.model_copy(update={"timeliness": None}), now=due(5)) == []


def test_days_after_the_portfolios_end_are_not_expected(
    workspace: Workspace, cards: Portfolio, days: list[str], due: At
) -> None:
    ended = cards.model_copy(update={"end": cards.partitioning.start(days[1])})
    assert [one.key for one in late(workspace, ended, due(3))] == days[:1]


def test_each_cause_is_told_by_its_name(workspace: Workspace, cards: Portfolio, days: list[str], due: At) -> None:
    store, folder = workspace.store, workspace.landing / "cards"
    folder.mkdir()
    rows = pa.table({"transaction_id": ["t"]})
    (folder / f"transactions_{days[0]}.csv").write_text("a,b\n1,2\n")
    land_apart(workspace, cards, [f"transactions_{days[0]}.csv"])
    (folder / f"transactions_{days[1]}.csv").write_text("not landed")
    stopped = store.stage("transactions", "cards", days[2], rows, config="c")
    result = {"data_digest": stopped.data_digest, "passed": False, "failures": ["too few rows"]}
    store.put(json.dumps(result).encode(), "validation", "cards", f"date={days[2]}", "result.json")
    store.stage("transactions", "cards", days[3], rows, config="c")
    store.write("transactions", "cards", days[4], rows, config="c")
    found = {one.key: one for one in late(workspace, cards, due(5))}
    assert [found[key].cause for key in days[:6]] == ["file", "task", "validation", "task", "champion", "file"]
    said = [found[key].what for key in days[:6]]
    for words, sentence in zip(
        ("could not be used as a whole", "has not landed it", "stopped", "not published", "no champion", "nothing has"),
        said,
        strict=True,
    ):
        assert words in sentence
    assert all(one.remedy for one in found.values())


def test_with_a_champion_it_is_a_step_that_was_not_done(
    workspace: Workspace, cards: Portfolio, days: list[str], due: At
) -> None:
    bank = Bank(workspace, cards)
    bank.promote("2026-01-02T00:00:00", "2026-01-01T00:00:00")
    bank.day(days[0], [10.0])
    (one,) = late(workspace, cards, due(0))
    assert (one.cause, "cards_score has not scored it" in one.what) == ("task", True)


def test_what_the_champion_was_trained_on_is_not_expected(
    workspace: Workspace, cards: Portfolio, days: list[str], due: At
) -> None:
    bank = Bank(workspace, cards)
    until = cards.partitioning.end(days[0])
    bank.promote(f"{until:%Y-%m-%dT%H:%M:%S}", f"{until:%Y-%m-%dT%H:%M:%S}")
    bank.day(days[0], [10.0])
    assert late(workspace, cards, due(0)) == []


def test_people_are_told_once_of_each(workspace: Workspace, cards: Portfolio, days: list[str], due: At) -> None:
    assert [one.key for one in tell_late(workspace, cards, now=due(0))] == [days[0]]
    assert tell_late(workspace, cards, now=due(0) + timedelta(minutes=10)) == []
    workspace.store.write("transactions", "cards", days[1], pa.table({"transaction_id": ["t"]}), config="c")
    assert [one.key for one in tell_late(workspace, cards, now=due(1))] == [days[1]]
    missing, waiting = Bank(workspace, cards).notices("late")
    assert missing.recipients == ["data-owner@bank.example", "compliance@bank.example"]
    assert waiting.recipients == ["model-risk@bank.example", "compliance@bank.example"]
    assert missing.subject == f"[fraudops] cards {days[0]}: not scored in time"
    assert "nothing has come" in missing.text
    assert "there is no champion" in waiting.html


def test_the_days_follow_one_another(days: list[str]) -> None:
    assert all(at(later) - at(earlier) == timedelta(days=1) for earlier, later in pairwise(days))
