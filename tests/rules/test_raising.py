"""Hits are raised once, told of once, and snoozed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fraudops.database import LedgerEntry, Notice, RuleHit
from fraudops.errors import ContractError, IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.rules.backtest import backtest
from fraudops.rules.backtest_record import keep, kept
from fraudops.rules.raising import RAISED, raise_hits
from fraudops.rules.reading import found_hits
from fraudops.rules.running import comply, unraised
from fraudops.rules.snoozing import snooze
from fraudops.workspace import Workspace
from sqlalchemy import func, select

from tests.rules.payments import RULES, paid
from tests.rules.test_running import publish

CHOSEN = {"cash_over_threshold": RULES["cash_over_threshold"]}
FRIDAY, SATURDAY, MONDAY = "2026-03-06", "2026-03-07", "2026-03-09"


@pytest.fixture
def accounts(portfolios: dict[str, Portfolio], workspace: Workspace) -> Portfolio:
    """A weekend: one customer pays in on Saturday and more on Monday, another on Saturday alone."""
    cash = {"cash": True, "branch": "B1"}
    rows = [
        paid(f"{SATURDAY}T12:00-05:00", 12_000, account="A1", customer="C1", **cash),
        paid(f"{SATURDAY}T12:10-05:00", 12_000, account="A2", customer="C2", **cash),
        paid(f"{MONDAY}T12:00-04:00", 500, account="A1", customer="C1", **cash),
        paid(f"{FRIDAY}T12:00-05:00", 10, account="A1", customer="C1"),
    ]
    publish(workspace, rows)
    return portfolios["accounts"]


def run(ws: Workspace, portfolio: Portfolio, *keys: str):
    comply(ws, portfolio, keys, CHOSEN)
    return [raise_hits(ws, portfolio, key, CHOSEN, actor="t") for key in keys]


def count(ws: Workspace, table, *where) -> int:
    with ws.transaction() as session:
        return session.scalar(select(func.count()).select_from(table).where(*where))


def test_each_hit_is_raised_and_told_once_whichever_day_runs_again(workspace, accounts) -> None:
    first, second = run(workspace, accounts, SATURDAY, MONDAY)
    assert (first.raised, first.notices) == (2, 1)
    assert (second.raised, second.already, second.notices) == (0, 1, 0)
    run(workspace, accounts, MONDAY, SATURDAY)
    assert count(workspace, RuleHit) == 2
    assert count(workspace, Notice, Notice.kind == "rule_hits") == 1
    assert count(workspace, LedgerEntry, LedgerEntry.action == RAISED) == 1
    with workspace.transaction() as session:
        notice = session.scalars(select(Notice)).one()
        assert "Cash over the reporting threshold" in notice.text
        assert "C1" not in notice.text
    grown = found_hits(workspace, accounts, [SATURDAY, MONDAY])
    assert {(hit.subject, hit.first, hit.key) for hit in grown} == {
        ("C1", SATURDAY, MONDAY),
        ("C2", SATURDAY, SATURDAY),
    }


def test_what_was_broken_off_is_raised_later(workspace, accounts) -> None:
    comply(workspace, accounts, [SATURDAY], CHOSEN)
    assert unraised(workspace, accounts) == [SATURDAY]
    run(workspace, accounts, SATURDAY)
    assert unraised(workspace, accounts) == []


def test_a_snoozed_subject_is_kept_marked_and_told_to_nobody(workspace, accounts) -> None:
    moments = {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 4, 1, tzinfo=UTC)}
    about = {"rule": "cash_over_threshold", "by": "ann", **moments}
    snooze(workspace, accounts, subject="C1", reason="exempt, form 110 of 2026-01-15", **about)
    (raised,) = run(workspace, accounts, SATURDAY)
    assert (raised.raised, raised.snoozed, raised.notices) == (2, 1, 1)
    assert {hit.subject: hit.snoozed for hit in found_hits(workspace, accounts, [SATURDAY])} == {
        "C1": True,
        "C2": False,
    }
    with workspace.transaction() as session:
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.action == "rule_snoozed")).one()
        assert (entry.actor, entry.details["reason"]) == ("ann", "exempt, form 110 of 2026-01-15")
    with pytest.raises(ContractError, match="reason"):
        snooze(workspace, accounts, subject="C2", reason=" ", **about)


def test_a_backtest_compares_and_changes_nothing(workspace, accounts) -> None:
    found = backtest(
        workspace, accounts, RULES, "cash_over_threshold", first=FRIDAY, last=MONDAY, instead={"threshold": "12000"}
    )
    assert found.summary(found.in_force)["hits"] == 2
    assert (found.difference, found.summary(found.tried)["hits"]) == ({"new": 0, "gone": 1, "same": 1}, 1)
    assert workspace.store.keys("rule_hits", "accounts") == []
    assert keep(workspace, accounts, RULES["cash_over_threshold"], found, by="ann")
    assert not keep(workspace, accounts, RULES["cash_over_threshold"], found, by="bob"), "the same again is one"
    with workspace.transaction() as session:
        (one,) = kept(workspace.store, session, accounts, RULES["cash_over_threshold"], most=9)
        assert kept(workspace.store, session, accounts, RULES["structuring"], most=9) == []
    assert (one.by, list(one.keys), one.instead, one.same_rule) == ("ann", found.keys, {"threshold": "12000"}, True)
    assert (sum(one.in_force.by_key), sum(one.tried.by_key), one.difference["gone"]) == (2, 1, 1)
    (path,) = Path(str(workspace.store.root)).glob("backtests/portfolio=accounts/rule=cash_over_threshold/*.json")
    assert not {subject for _, subject in found.in_force.hits.values()} & set(path.read_text().split('"'))
    for content, match in ((path.read_bytes().replace(b"12000", b"13000"), "not the one"), (None, "gone")):
        path.unlink() if content is None else path.write_bytes(content)
        with workspace.transaction() as session, pytest.raises(IntegrityError, match=match):
            kept(workspace.store, session, accounts, RULES["cash_over_threshold"], most=9)
    for name, text in (("no", "1"), ("threshold", "much")):
        with pytest.raises(ContractError):
            backtest(workspace, accounts, RULES, "cash_over_threshold", first=FRIDAY, last=MONDAY, instead={name: text})
