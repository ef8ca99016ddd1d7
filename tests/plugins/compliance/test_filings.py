"""Clocks and filings in the pages: for compliance officers alone, and by the same calls as the command line."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient
from fraudops.database import Filing, LedgerEntry
from sqlalchemy import select

from tests.filings.conftest import Bank
from tests.filings.test_drafts import NAME

Visit = Callable[..., TestClient]


def test_nobody_else_learns_that_there_is_one(visit: Visit, known: Bank) -> None:
    (number,) = known.numbers("ctr")
    for name in ("analyst", "validator", "admin", "a.viewer"):
        visitor = visit(name)
        answers = {visitor.get(f"/filings/accounts/{one}").text for one in (number, 4711)}
        assert len(answers) == 1 or all("for compliance officers" in text for text in answers)
        assert {visitor.get(path).status_code for path in ("/filings", f"/filings/accounts/{number}")} == {403}
        assert visitor.post(f"/filings/accounts/{number}/drafts/1", data={"form": "pdf"}).status_code == 403
        assert "filings" not in visitor.get("/compliance").text
    assert "Clocks and filings" in visit("officer").get("/compliance").text


def test_the_list_leads_to_a_clock_with_the_law_of_its_day(visit: Visit, known: Bank) -> None:
    officer = visit("officer")
    (number,) = known.numbers("ctr")
    page = officer.get("/filings").text
    assert f'href="/filings/accounts/{number}"' in page
    assert "accounts-1" in page
    due = officer.get("/filings?portfolio=accounts&day=2026-03-24").text
    assert "March 2026" in due
    assert "2026-03-24: 1 to be done, overdue" in due
    assert "No clock fits" in officer.get("/filings?portfolio=accounts&kind=sar").text
    one = officer.get(f"/filings/accounts/{number}").text
    assert all(text in one for text in ("31 CFR 1010.306(a)(1)", "15 days", "2026-03-24", "/hits/accounts/"))
    for path in ("/filings/cards/1", "/filings/accounts/x", "/filings?show=odd", "/filings?day=x", "/filings?month=x"):
        assert officer.get(path).status_code == 404, path
    assert officer.get("/filings?after=2026-03-24/0").status_code == 200


def test_a_draft_is_made_read_and_taken_away_and_each_time_is_on_record(visit: Visit, known: Bank) -> None:
    officer = visit("officer")
    (number,) = known.numbers("ctr")
    address = f"/filings/accounts/{number}/drafts"
    assert officer.post(address, follow_redirects=False).headers["location"] == f"/filings/accounts/{number}#drafts"
    read = officer.post(f"{address}/1")
    assert NAME in read.text
    assert "to be completed" in read.text
    assert "&#39;/C calc&#39;!A1" in read.text, "whatever a customer is called, it is text"
    pdf = officer.post(f"{address}/1", data={"form": "pdf"})
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-disposition"] == f'attachment; filename="accounts-draft-{number}-v1.pdf"'
    assert officer.post(f"{address}/1", data={"form": "exe"}).status_code == 404
    assert officer.post(f"{address}/9", data={"form": "pdf"}).status_code == 422
    page = officer.get(f"/filings/accounts/{number}").text
    assert page.count("<strong>taken out</strong>") == 2
    with known.ws.transaction() as session:
        entries = session.scalars(select(LedgerEntry).where(LedgerEntry.actor == "officer")).all()
        said = [(entry.action, entry.subject) for entry in entries]
        assert said.count(("case_updated", "accounts/cases/1")) == 3
        assert not any(str(NAME) in str(entry.details) for entry in entries)


def test_what_a_person_recorded_is_kept_and_so_is_what_was_typed(visit: Visit, known: Bank) -> None:
    officer = visit("officer")
    (number,) = known.numbers("ctr")
    address = f"/filings/accounts/{number}"
    for wrong, says in (
        ({"filed_on": "2020-01-01"}, "lies before"),
        ({"filed_on": "soon"}, "is no day"),
        ({"filed_on": "2999-01-01"}, "lies ahead"),
        ({"reference": " "}, "the number that the authority gave"),
        ({"reference": "9" * 65}, "shorten it"),
    ):
        refused = officer.post(f"{address}/filed", data={"filed_on": "2026-03-20", "reference": "31000<b>"} | wrong)
        assert refused.status_code == 422
        assert says in refused.text
        assert "reference" in wrong or "31000&lt;b&gt;" in refused.text
    given = {"filed_on": "2026-03-20", "reference": "31000123456789"}
    assert officer.post(f"{address}/filed", data=given, follow_redirects=False).status_code == 303
    late = officer.post(f"{address}/not-required", data={"reason": "exempt, I thought"})
    assert late.status_code == 409
    assert "exempt, I thought" in late.text or "officer has recorded it" in late.text
    assert officer.post(f"{address}/filed", data=given | {"correction": "the day was wrong"}).status_code == 200
    assert officer.post(f"{address}/reopen", data={"reopening": ""}).status_code == 422
    assert officer.post(f"{address}/reopen", data={"reopening": "another one's filing"}).status_code == 200
    assert officer.post(f"{address}/amend", data={"detected_on": "2026-03-01", "amending": "x"}).status_code == 422
    assert officer.post(f"{address}/not-required", data={"reason": "exempt, form 110"}).status_code == 200
    page = officer.get(f"{address}").text
    assert "exempt, form 110" in page
    assert all(f"<strong>{kind}</strong>" in page for kind in ("filed", "corrected", "reopened", "not required"))
    with known.ws.transaction() as session:
        assert session.scalars(select(Filing.state)).all() == ["not_required"]
    assert "31000123456789" not in visit("admin").get("/ledger").text


def test_what_has_come_in_starts_when_an_officer_asks(visit: Visit, bank: Bank) -> None:
    bank.escalate(bank.case(), "2026-03-01", "2026-03-03")
    officer = visit("officer")
    assert "Nothing is due" in officer.get("/filings?portfolio=accounts").text
    assert officer.get("/filings/accounts/start").status_code == 404
    assert "accounts-17" in officer.post("/filings/accounts/start").text
    (number,) = bank.numbers("sar")
    amended = officer.post(
        f"/filings/accounts/{number}/amend",
        data={"detected_on": "2026-02-20", "suspect": "no", "amending": "the letter was misread"},
    )
    assert "the letter was misread" in amended.text
    assert "not known when it was detected" in amended.text
