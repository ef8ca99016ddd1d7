"""One case in the pages: what explains it, every step by whom it may be taken, and what nobody may see."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
from fastapi.testclient import TestClient
from fraudops import cases
from fraudops.database import Disposition
from fraudops_airflow.web.cases.sent import LARGEST
from sqlalchemy import select

from tests.cases.conftest import DAY, ROLES, Desk
from tests.plugins.cases.conftest import CASE

Sit = Callable[[str], TestClient]
EVIL = '"><script>alert(1)</script>{{ 7 * 7 }}'


def press(client: TestClient, step: str, version: int = 1, **fields: str) -> int:
    """Send a form of the page."""
    return client.post(f"{CASE}/{step}", data={"version": str(version), **fields}).status_code


def test_everything_that_explains_it(sit: Sit) -> None:
    page = sit("ann").get(CASE).text
    for words in (
        "cards-1",
        "critical",
        "990.00 EUR",
        "score 0.990",
        'href="/models/cards/v1"',
        "2,360.10",
        "two people",
        "opened it with 2 alerts of 2026-03-02",
        f"{DAY}-3",
        "terminal",
        "Beside what is normal",
        "not usual",
        'class="case"',
    ):
        assert words in page, words
    assert "style=" not in page


def test_the_day_of_an_investigator_and_a_second_person(sit: Sit, desk: Desk) -> None:
    ann = sit("ann")
    answer = ann.post(f"{CASE}/start", data={"version": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CASE}?done=start")
    assert "The review has begun." in ann.get(f"{CASE}?done=start").text
    assert press(ann, "note", 2, text="called her\r\nnot hers") == 303
    assert "called her\nnot hers" in ann.get(CASE).text
    assert "Propose to close" in ann.get(CASE).text
    assert press(ann, "close", 3, finding="fraud", reason="not hers", **{f"except/{DAY}-0": "insufficient"}) == 303
    page = ann.get(CASE).text
    assert "ann proposes to close it as fraud" in page
    assert "A compliance officer other than ann decides." in page
    assert f"{CASE}/approve" not in page
    olga = sit("olga")
    assert f"{CASE}/approve" in olga.get(CASE).text
    assert press(olga, "decline", 4, reason=" ") == 422
    assert press(olga, "approve", 4, reason="agreed") == 303
    page = olga.get(CASE).text
    assert "closed as fraud" in page
    assert "as ann proposed" in page
    assert "What training is told" in page
    assert "not handed over yet" not in page
    assert press(sit("bob"), "reopen", 5, reason="the chargeback was withdrawn") == 303
    assert desk.case().state == "in_review"
    with desk.ws.transaction() as session:
        found = {one.transaction_id: one.finding for one in session.scalars(select(Disposition))}
    assert found == {f"{DAY}-0": "insufficient", f"{DAY}-3": "fraud"}


def test_nobody_decides_on_their_own_proposal(sit: Sit, desk: Desk) -> None:
    olga = sit("olga")
    assert press(olga, "start") == 303
    assert press(olga, "close", 2, finding="fraud", reason="r") == 303
    assert f"{CASE}/approve" not in olga.get(CASE).text
    assert press(olga, "approve", 3) == 422
    assert desk.case().state == "in_review"


def test_two_people_at_once_and_the_second_keeps_the_words(sit: Sit, desk: Desk) -> None:
    bob = sit("bob")
    seen = bob.get(CASE).text
    assert 'name="version" value="1"' in seen
    desk.do(cases.start, by="ann")
    answer = bob.post(f"{CASE}/note", data={"version": "1", "text": f"mine, {EVIL}"})
    assert answer.status_code == 409
    assert "Somebody was faster" in answer.text
    assert "ann: assigned" in answer.text
    assert "mine, &#34;&gt;&lt;script&gt;" in answer.text
    assert 'name="version" value="2"' in answer.text
    assert [event.kind for event in desk.events() if event.by == "bob"] == []


def test_what_was_sent_from_no_page_is_refused(sit: Sit, desk: Desk) -> None:
    ann = sit("ann")
    for step in ("start", "note", "assign", "close", "reopen", "approve"):
        for version in ("", "x", "٣", "9" * 40):
            assert ann.post(f"{CASE}/{step}", data={"version": version, "text": "t"}).status_code == 422
    assert desk.case().version == 1


def test_hostile_text_is_text(sit: Sit, desk: Desk) -> None:
    ann = sit("ann")
    assert press(ann, "note", text=EVIL) == 303
    file = {"file": (f"../{EVIL}.html", b"<script>alert(2)</script>", "text/html")}
    assert ann.post(f"{CASE}/attach", data={"version": "2"}, files=file).status_code == 303
    page = ann.get(CASE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}" in page
    assert EVIL not in ann.get("/cases", params={"q": EVIL, "whose": EVIL, "subject": EVIL, "after": EVIL}).text
    (sha256,) = [event.details["sha256"] for event in desk.events() if event.kind == "attached"]
    answer = ann.post(f"{CASE}/attachments/{sha256}")
    assert answer.content == b"<script>alert(2)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert desk.events()[-1].kind == "attachment_read"
    assert ann.post(f"{CASE}/attachments/{'0' * 64}").status_code == 422


def test_a_file_that_is_too_large_is_not_read(sit: Sit, desk: Desk) -> None:
    ann = sit("ann")
    headers = {"Content-Length": str(2 * LARGEST), "Content-Type": "multipart/form-data; boundary=x"}
    assert ann.post(f"{CASE}/attach", content=b"--x", headers=headers).status_code == 413
    assert ann.post(f"{CASE}/attach", data={"version": "1"}).status_code == 422


def test_personal_data_is_shown_when_asked_for_and_leaves_a_trace(sit: Sit, desk: Desk) -> None:
    rows = pa.table({"transaction_id": [f"{DAY}-0", f"{DAY}-1"], "customer_name": ["Ada <Canary>", "Bo"]})
    desk.ws.store.write("protected", "cards", DAY, rows, config="c")
    ann = sit("ann")
    assert "Canary" not in ann.get(CASE).text
    assert desk.ledger("case_looked_at") == []
    assert ann.get(f"{CASE}/personal").status_code == 405
    answer = ann.post(f"{CASE}/personal")
    assert "Ada &lt;Canary&gt;" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "Canary" not in ann.get(CASE).text
    assert [entry.actor for entry in desk.ledger("case_looked_at")] == ["ann"]
    exported = ann.post(f"{CASE}/export")
    assert exported.headers["content-disposition"].endswith("cards-1.json")
    assert exported.json()["case"]["number"] == 1
    assert "Canary" not in exported.text
    assert [event.kind for event in desk.events()[-2:]] == ["looked_at", "exported"]


def test_an_escalation_is_told_to_compliance_officers_alone(sit: Sit, desk: Desk) -> None:
    assert "Escalate" not in sit("ann").get(CASE).text
    day = str(datetime.now(UTC).date())
    form = {"detected_on": day, "suspect": "no", "reason": "a mule, says the branch"}
    assert press(sit("ann"), "escalate", **form) == 422
    olga = sit("olga")
    assert press(olga, "escalate", **form | {"detected_on": "soon"}) == 422
    assert press(olga, "escalate", **form | {"detected_on": "2999-01-01"}) == 422
    assert "a mule, says the branch" in olga.post(f"{CASE}/escalate", data=form | {"version": "9"}).text
    assert press(olga, "escalate", **form) == 303
    page = olga.get(CASE).text
    assert "a mule, says the branch" in page
    assert "/filings/cards/1" in page
    assert "60 days left" in page
    for secret in (page := sit("bob").get(CASE).text, json.dumps(sit("bob").post(f"{CASE}/export").json())):
        for word in ("mule", "/filings/", "detected on", "60 days", day + '", "suspect'):
            assert word not in secret
    assert "mule" in sit("olga").post(f"{CASE}/export").text


def test_who_does_not_work_cases_sees_none(sit: Sit) -> None:
    dana = sit("dana")
    for method, path in (("GET", CASE), ("GET", "/cases"), ("GET", "/alerts"), ("POST", f"{CASE}/personal")):
        assert dana.request(method, path).status_code == 403
    assert press(dana, "note", text="t") == 403
    assert ROLES.of("dana") == ("data_scientist",)


def test_what_does_not_exist_is_not_there(sit: Sit) -> None:
    ann = sit("ann")
    for path in (
        "cards/2",
        "accounts/1",
        "nobody/1",
        "cards/0",
        "cards/-1",
        "cards/x",
        "cards/99999999999",
        "cards/1%00",
    ):
        assert ann.get(f"/cases/{path}").status_code == 404
        assert ann.post(f"/cases/{path}/note", data={"version": "1", "text": "t"}).status_code == 404
        assert ann.post(f"/cases/{path}/personal").status_code == 404
    assert ann.post(f"{CASE}/delete", data={"version": "1"}).status_code == 404
