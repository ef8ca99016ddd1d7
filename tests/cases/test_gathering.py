"""What is about one subject meets in one case, once."""

from __future__ import annotations

from fraudops import cases
from fraudops.database import CaseItem
from sqlalchemy import func, select

from tests.cases.conftest import DAY, Desk
from tests.decisions.conftest import Bank


def listed(desk: Desk) -> list[cases.CaseSummary]:
    with desk.ws.transaction() as session:
        return cases.find(session, desk.portfolio.name)


def test_alerts_of_one_customer_are_one_case(desk: Desk) -> None:
    (case,) = listed(desk)
    assert (case.name, case.subject_kind, case.subject, case.items) == ("cards-1", "customer", "c0", 2)
    assert (case.state, case.severity, case.version, case.opened_key) == ("open", "critical", 1, DAY)
    print(case.priority, desk.case().due_on)


def test_gathering_twice_changes_nothing(desk: Desk) -> None:
    before = listed(desk)
    assert cases.gather(desk.ws, desk.portfolio, DAY, actor="t") == cases.Gathered()
    assert cases.gather_waiting(desk.ws, desk.portfolio, actor="t") == cases.Gathered()
    assert listed(desk) == before
    assert len(desk.ledger("cases_gathered")) == 1
