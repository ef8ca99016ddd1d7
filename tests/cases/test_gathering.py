"""What is about one subject meets in one case, once."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time
from types import SimpleNamespace

import pytest
from fraudops import cases
from fraudops.cases.deadlines import review_due
from fraudops.cases.priority import expected_loss, severity_of_alert
from fraudops.cases.subjects import Subject, of_hits
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.scoring import score
from fraudops.errors import ContractError
from fraudops.portfolio import Cases, Portfolio
from fraudops.rules.calendar import BusinessCalendar
from fraudops.rules.raising import raise_hits
from fraudops.rules.running import comply
from fraudops.rules.snoozing import snooze
from fraudops.workspace import Workspace

from tests.cases.conftest import DAY, Desk
from tests.decisions.conftest import Bank
from tests.rules.payments import RULES, paid
from tests.rules.test_running import publish

CHOSEN = {"cash_over_threshold": RULES["cash_over_threshold"]}


def listed(desk: Desk) -> list[cases.CaseSummary]:
    with desk.ws.transaction() as session:
        return cases.find(session, cases.Wanted(desk.portfolio.name))


def test_alerts_of_one_customer_are_one_case(desk: Desk) -> None:
    (case,) = listed(desk)
    assert (case.name, case.subject_kind, case.subject, case.items) == ("cards-1", "customer", "c0", 2)
    assert (case.state, case.severity, case.version, case.opened_key) == ("open", "critical", 1, DAY)
    # 0.6 × 600 and 0.99 × 990, what critical is worth, and a tenth of what high is.
    assert case.priority == 360 + 980.1 + 1000 + 20


def test_gathering_twice_changes_nothing(desk: Desk) -> None:
    before = listed(desk)
    assert cases.gather(desk.ws, desk.portfolio, DAY, actor="t") == cases.Gathered()
    assert cases.gather_waiting(desk.ws, desk.portfolio, actor="t") == cases.Gathered()
    assert listed(desk) == before
    assert len(desk.ledger("cases_gathered")) == 1


def test_what_comes_later_joins_the_open_case_and_takes_a_proposal_back(desk: Desk, alerted: Bank) -> None:
    desk.do(cases.start)
    desk.do(cases.close, finding="not_fraud", reason="r")
    before = desk.case()
    alerted.day("2026-03-04", [700.0])
    score(alerted.ws, alerted.portfolio, "2026-03-04")
    raise_alerts(alerted.ws, alerted.portfolio, "2026-03-04", actor="t")
    found = cases.gather_waiting(desk.ws, desk.portfolio, actor="service:reconcile")
    assert (found.items, found.opened, found.joined) == (1, 0, 1)
    case = desk.case()
    assert (case.version, case.state, case.proposed_finding) == (before.version + 1, "in_review", None)
    assert case.priority == before.priority + 490 + 20
    assert [event.kind for event in desk.events()][-2:] == ["item_added", "proposal_withdrawn"]
    with pytest.raises(ContractError, match="nothing is proposed"):
        desk.do(cases.approve, by="olga")


def test_after_a_case_is_closed_another_one_is_opened(desk: Desk, alerted: Bank) -> None:
    desk.do(cases.start)
    desk.do(cases.close, finding="fraud", reason="r")
    desk.do(cases.approve, by="olga")
    alerted.day("2026-03-04", [700.0])
    score(alerted.ws, alerted.portfolio, "2026-03-04")
    raise_alerts(alerted.ws, alerted.portfolio, "2026-03-04", actor="t")
    assert cases.gather(desk.ws, desk.portfolio, "2026-03-04", actor="t").opened == 1
    with desk.ws.transaction() as session:
        view = cases.read(desk.ws, session, desk.portfolio, 2)
    assert [(other.name, other.state) for other in view.earlier] == [("cards-1", "closed_fraud")]
    with pytest.raises(ContractError, match="open case, cards-2"):
        desk.do(cases.reopen, reason="r")


def test_two_runs_at_once_gather_each_alert_once(alerted: Bank) -> None:
    ready, found = threading.Barrier(2), []

    def run() -> None:
        ready.wait()
        found.append(cases.gather(alerted.ws, alerted.portfolio, DAY, actor="t"))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum((one for one in found), cases.Gathered()) == cases.Gathered(items=2, opened=1)


def cash(workspace: Workspace) -> None:
    """On Saturday C1 pays in twelve thousand; so does C2."""
    more = {"cash": True, "branch": "B1"}
    rows = [paid("2026-03-07T12:00-05:00", 12_000, account=f"A{n}", customer=f"C{n}", **more) for n in (1, 2)]
    publish(workspace, rows)


def ran(ws: Workspace, accounts: Portfolio) -> cases.Gathered:
    comply(ws, accounts, ["2026-03-07"], CHOSEN)
    raise_hits(ws, accounts, "2026-03-07", CHOSEN, actor="t")
    return cases.gather(ws, accounts, "2026-03-07", actor="t")


def test_hits_become_cases_with_the_rules_text_and_numbers(
    workspace: Workspace, portfolios: dict[str, Portfolio]
) -> None:
    cash(workspace)
    assert ran(workspace, portfolios["accounts"]) == cases.Gathered(items=2, opened=2)
    with workspace.transaction() as session:
        view = cases.read(workspace, session, portfolios["accounts"], 1, rules=CHOSEN)
    (hit,) = view.hits
    assert (view.case.subject_kind, view.case.severity) == ("customer", "high")
    assert {row["customer_id"] for row in view.transactions} == {view.case.subject}
    assert (hit.title, hit.numbers["threshold"]["value"]) == ("Cash over the reporting threshold", "10000.00")
    assert hit.transactions == tuple(row["transaction_id"] for row in view.transactions)


def test_what_is_small_opens_no_case_and_what_is_snoozed_none_either(
    workspace: Workspace, portfolios: dict[str, Portfolio]
) -> None:
    cash(workspace)
    accounts = portfolios["accounts"]
    only_critical = accounts.cases.model_copy(update={"opens_from": "critical"})
    moments = {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 4, 1, tzinfo=UTC)}
    snooze(workspace, accounts, rule="cash_over_threshold", subject="C1", reason="r", by="ann", **moments)
    found = ran(workspace, accounts.model_copy(update={"cases": only_critical}))
    assert found == cases.Gathered(items=1, left=1)
    assert cases.gather_waiting(workspace, accounts, actor="t") == cases.Gathered()


def test_an_account_is_a_case_of_its_customer(workspace: Workspace, portfolios: dict[str, Portfolio]) -> None:
    cash(workspace)
    found = of_hits(workspace, portfolios["accounts"], "2026-03-07", [("account", "A1"), ("account", "elsewhere")])
    assert found == {
        ("account", "A1"): Subject("customer", "C1"),
        ("account", "elsewhere"): Subject("account", "elsewhere"),
    }


@pytest.mark.parametrize(
    ("score_", "decision", "route", "expected"),
    [
        (0.2, "review", "policy", "low"),
        (0.3, "review", "policy", "medium"),
        (0.2, "block", "policy", "high"),
        (0.95, "block", "policy", "critical"),
        (0.95, "review", "sample", "low"),
    ],
)
def test_how_bad_an_alert_is(score_: float, decision: str, route: str, expected: str) -> None:
    assert severity_of_alert(Cases(), score=score_, decision=decision, route=route) == expected


@pytest.mark.parametrize(("minor", "expected"), [(1250, 6.25), (-1250, 0.0), (None, 0.0)])
def test_a_refund_and_no_amount_lose_nothing(minor: int | None, expected: float) -> None:
    assert expected_loss(0.5, minor, 2) == expected


def test_deadlines_are_business_days_of_the_bank() -> None:
    holiday = BusinessCalendar("America/New_York", time(18), frozenset({date(2026, 1, 1)}))
    portfolio = SimpleNamespace(cases=Cases())
    # 21:00 in New York on Wednesday, the day before a holiday.
    evening = datetime(2026, 1, 1, 2, tzinfo=UTC)
    due = {one: review_due(portfolio, holiday, evening, one) for one in ("critical", "high", "medium")}
    assert due == {"critical": date(2026, 1, 2), "high": date(2026, 1, 5), "medium": date(2026, 1, 8)}
