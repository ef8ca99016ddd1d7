"""What retention leaves of a case that was closed long ago."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fraudops import cases
from fraudops.cases.attachments import attach
from fraudops.database import CaseAttachment, CaseEvent, CaseFile, CaseItem, Filing
from fraudops.errors import ContractError
from fraudops.keeping.holds import place, release
from fraudops.keeping.retain import due, retain
from fraudops.keeping.verification import verify
from fraudops.portfolio import Portfolio
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from tests.cases.conftest import DAY, Desk

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=30)


@pytest.fixture
def closed(desk: Desk) -> Desk:
    """A case with an attachment, closed today; everything but cases is kept for long."""
    desk.do(attach, name="statement.pdf", content=b"every payment")
    desk.do(cases.start)
    desk.do(cases.close, finding="not_fraud", reason="she made it herself")
    desk.do(cases.approve, by="olga")
    return Desk(desk.ws, keeping(desk.portfolio))


def keeping(portfolio: Portfolio) -> Portfolio:
    """The portfolio with cases that go after twenty days."""
    kept = portfolio.retention.model_copy(update={"cases": timedelta(days=20), "reason": "a test"})
    return portfolio.model_copy(update={"retention": kept, "scheduled": True})


def due_cases(desk: Desk, now: datetime = LATER) -> list[str]:
    return [item.name for item in due(desk.ws, desk.portfolio, now) if item.area == "cases"]


def count(desk: Desk, table: type) -> int:
    with desk.ws.transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_stub_is_left_and_the_ledger_says_so(closed: Desk) -> None:
    items = count(closed, CaseItem)
    files = list(closed.ws.store.path("case_attachments", "cards").rglob("*.fernet"))
    assert len(files) == 1
    assert due_cases(closed, NOW) == []
    done = retain(closed.ws, closed.portfolio, now=LATER, actor="service:cards_retain")
    assert done.counts["cases"] == 1
    assert not files[0].exists()
    assert (count(closed, CaseEvent), count(closed, CaseAttachment), count(closed, CaseItem)) == (0, 0, items)
    with closed.ws.transaction() as session:
        stub = session.scalars(select(CaseFile)).one()
        assert (stub.subject, stub.assignee, stub.finding) == ("", None, "not_fraud")
    began, removed = closed.ledger("retention_began")[-1], closed.ledger("retention_removed")[-1]
    assert ["cases", "1"] in [item[:2] for item in began.details["items"]]
    assert removed.details["removed"]["cases"] == 1
    assert due_cases(closed) == []
    with pytest.raises(ContractError, match="removed by retention"):
        closed.do(cases.reopen, reason="the chargeback was withdrawn")
    cases.gather(closed.ws, closed.portfolio, DAY, actor="service:score")
    assert count(closed, CaseFile) == 1, "its alerts are gathered into no other one"
    findings = verify(closed.ws, closed.portfolio, now=NOW, thorough=True).findings
    assert not [found for found in findings if "attachment" in found]


def test_a_hold_keeps_it_until_it_is_released(closed: Desk) -> None:
    (hold,) = place(closed.ws, closed.portfolio, first=DAY, reason="a lawsuit", by="olga")
    assert due_cases(closed) == []
    release(closed.ws, hold.id, reason="settled", by="olga")
    assert due_cases(closed) == ["1"]


@pytest.mark.parametrize(("state", "kept"), [("due", True), ("filed", True), ("filed", False)])
def test_a_case_that_a_report_refers_to_stays_as_long_as_that(closed: Desk, state: str, kept: bool) -> None:
    today = NOW.date()
    until = today + timedelta(days=1 if kept else -1)
    with closed.ws.transaction() as session:
        case = session.scalars(select(CaseFile)).one()
        session.add(
            Filing(
                portfolio="cards", case_id=case.id, kind="sar", origin="o", subject_kind="customer", subject="c0",
                trigger_on=today, due_on=today, state=state, keep_until=until, created_at=NOW,
            )
        )  # fmt: skip
    assert due_cases(closed) == ([] if kept else ["1"])


def test_one_that_was_reopened_after_it_was_announced_is_left(closed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from fraudops.keeping import retain as module

    announce = module._announce

    def reopened(*arguments):
        entry = announce(*arguments)
        replace(closed).do(cases.reopen, reason="more came in")
        return entry

    monkeypatch.setattr(module, "_announce", reopened)
    done = retain(closed.ws, closed.portfolio, now=LATER, actor="service:cards_retain")
    assert done.kept == ["cases 1"]
    assert count(closed, CaseEvent) > 0


def test_the_database_removes_no_timeline_that_was_not_announced(closed: Desk) -> None:
    with pytest.raises(DBAPIError, match="has not announced"), closed.ws.transaction() as session:
        session.execute(text("select forget_timeline(1, 1)"))
