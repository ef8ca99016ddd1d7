"""The queue and the list of alerts: filters, order, pages, search, and the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from fraudops import cases
from fraudops.cases.queue import ORDERS
from fraudops.database import Alert, CaseFile
from fraudops_airflow.web.cases import alerts, queue
from sqlalchemy import select

from tests.cases.conftest import DAY, Desk

Sit = Callable[[str], TestClient]
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def many(desk: Desk) -> Desk:
    """Twelve more cases, some of which are equal in what they are sorted by."""
    with desk.ws.transaction() as session:
        for number in range(2, 14):
            session.add(
                CaseFile(
                    portfolio="cards",
                    number=number,
                    subject_kind="customer",
                    subject=f"x{number}%",
                    severity="low" if number % 2 else "high",
                    priority=float(number // 3) / 7,
                    state="open" if number < 12 else "closed_fraud",
                    assignee="ann" if number == 5 else None,
                    opened_key=DAY,
                    opened_as_of=BEGIN + timedelta(days=number // 2),
                    created_at=BEGIN,
                    due_on=None if number == 7 else date(2026, 3, 1) + timedelta(days=number % 4),
                    closed_at=None if number < 12 else BEGIN,
                )
            )
    return desk


def names(page: str) -> list[str]:
    """Cases or alerts of a list, in its order."""
    return re.findall(r"data-open>([^<]+)</a>", page)


def test_pages_hold_each_case_once_in_their_order(many: Desk, sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    for order in ORDERS:
        walk(sit("ann"), order, monkeypatch)


def walk(ann: TestClient, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page what one page would show."""
    monkeypatch.setattr(queue, "SHOWN", 200)
    whole = names(ann.get(f"/cases?state=any&sort={order}").text)
    assert len(set(whole)) == len(whole) == 13
    monkeypatch.setattr(queue, "SHOWN", 4)
    found, address = list[str](), f"/cases?state=any&sort={order}"
    while address:
        page = ann.get(address).text
        found += names(page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert found == whole


FILTERS: dict[str, set[int]] = {
    "whose=me": {5},
    "whose=ann": {5},
    "whose=nobody&severity=high": {2, 4, 6, 8, 10},
    "state=closed": {12, 13},
    "state=closed_fraud&severity=low": {13},
    "late=1&severity=low": {3, 5, 9, 11},
    "proposed=1": set(),
    "portfolio=accounts": set(),
    "q=x3": {3},
    "q=x1&state=any": {10, 11, 12, 13},
    "q=%25": set(),
    f"q={DAY}-3": {1},
    "q=4": {4},
    "q=cards-99": set(),
    "subject=x6%25": {6},
    "state=nonsense&severity=nonsense&sort=nonsense&after=nonsense~1": set(range(1, 12)),
}


def test_filters(many: Desk, sit: Sit) -> None:
    ann = sit("ann")
    for asked, numbers in FILTERS.items():
        page = ann.get(f"/cases?{asked}").text
        assert set(names(page)) == {f"cards-{number}" for number in numbers}, asked
        assert ('id="none-found"' in page) == (not numbers), asked


def test_a_name_in_full_opens_the_case(many: Desk, sit: Sit) -> None:
    answer = sit("ann").get("/cases?q=cards-3")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases/cards/3")


def test_what_the_address_says_of_a_page_is_checked(many: Desk, sit: Sit) -> None:
    for sort, after in (("deadline", "x~1"), ("newest", "2026~1"), ("priority", "x~1"), ("priority", "nan~1")):
        assert sit("ann").get("/cases", params={"sort": sort, "after": after}).status_code in {200, 422}


def test_a_case_is_taken_from_the_queue(many: Desk, sit: Sit) -> None:
    ann = sit("ann")
    back = "whose=nobody&severity=high"
    form = {"to": "ann", "version": "1", "queue": back}
    answer = ann.post("/cases/cards/2/assign", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases?{back}&done=assign")
    assert many.case(2).assignee == "ann"
    many.do(cases.start, by="bob")
    refused = ann.post("/cases/cards/1/assign", data=form)
    assert refused.status_code == 409
    assert "bob: assigned" in refused.text
    elsewhere = ann.post("/cases/cards/4/assign", data=form | {"queue": "//evil.example/?x=1"})
    assert elsewhere.headers["location"].startswith("/cases?")


def test_several_cases_are_given_to_one_person(many: Desk, sit: Sit) -> None:
    ann, back = sit("ann"), "whose=nobody&severity=high"
    page = ann.get(f"/cases?{back}").text
    assert sorted(re.findall(r'name="case/cards/(\d+)" value="1"', page), key=int) == ["2", "4", "6", "8", "10"]
    assert 'name="case/' not in ann.get("/cases?state=closed").text, "a closed case is given to nobody"
    form = {"case/cards/2": "1", "case/cards/4": "1", "queue": back}
    answer = ann.post("/cases/assign", data=form | {"to": "bob"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases?severity=high&whose=nobody&done=assigned")
    assert "have been assigned" in ann.get(answer.headers["location"]).text
    assert [many.case(number).assignee for number in (2, 4, 6)] == ["bob", "bob", None]
    assert [(event.by, event.kind) for event in many.events(2)] == [("ann", "assigned")]
    ann.post("/cases/assign", data={"case/cards/6": "1", "to": "bob", "mine": "1"})
    assert many.case(6).assignee == "ann", "the button says who, whatever was chosen beside it"
    ann.post("/cases/assign", data={"case/cards/6": "2", "to": ""})
    assert many.case(6).assignee is None


def test_of_several_cases_those_that_somebody_changed_are_refused_and_told(many: Desk, sit: Sit) -> None:
    ann = sit("ann")
    many.do(cases.assign, 4, to="bob", by="bob")
    form = {"case/cards/2": "1", "case/cards/4": "1", "case/cards/12": "1", "mine": "1", "queue": "severity=high"}
    answer = ann.post("/cases/assign", data=form)
    assert answer.status_code == 409
    refused = answer.text.split('id="refused"')[1].split("</section>")[0]
    assert "1 case given to ann." in refused
    assert "2 were not" in refused
    assert "cards-4</a>" in refused
    assert "bob: assigned" in refused
    assert "cards-12</a>" in refused
    assert "cards-2</a>" not in refused
    assert [many.case(number).assignee for number in (2, 4, 12)] == ["ann", "bob", None]
    assert 'value="2" aria-label="Choose cards-4"' in answer.text, "what stands there now can be chosen again"


def test_nonsense_instead_of_cases_changes_nothing(many: Desk, sit: Sit) -> None:
    ann = sit("ann")
    for form in (
        {"to": "ann"},
        {"to": "ann", "case/nobodys/1": "1"},
        {"to": "ann", "case/cards/-1": "1"},
        {"to": "ann", "case/cards/99": "1"},
        {"to": "ann", "case/cards/2": "x"},
        {"to": "dana", "case/cards/2": "1"},
        {"to": "ann"} | {f"case/cards/{number}": "1" for number in range(2, 53)},
    ):
        answer = ann.post("/cases/assign", data=form)
        assert answer.status_code == 422, form
        assert "data-refused" in answer.text, form
    assert many.case(2).assignee is None


def test_counts(many: Desk, sit: Sit) -> None:
    page = sit("ann").get("/cases").text
    counts = dict(re.findall(r'>([A-Z][^<>]*) <span class="count">(\d+)', page))
    assert counts == {"Open": "11", "Mine": "1", "Nobody&#39;s": "10", "Late": "9", "To be decided": "0"}


# -- alerts ---------------------------------------------------------------------------------------------


def test_alerts_lead_to_their_case(desk: Desk, sit: Sit) -> None:
    ann = sit("ann")
    page = ann.get("/alerts").text
    assert len(names(page)) == 2
    assert page.count('href="/cases/cards/1"') == 2
    number = names(page)[0].split()[1]
    one = ann.get(f"/alerts/cards/{number}").text
    assert "Open case cards-1" in one
    assert 'href="/models/cards/v1"' in one
    for path in (f"accounts/{number}", f"nobody/{number}", "cards/x", "cards/0", "cards/99999999999999999999"):
        assert ann.get(f"/alerts/{path}").status_code == 404


ALERT_FILTERS = {
    "decision=block": 1,
    "decision=review": 1,
    f"first={DAY}&last={DAY}": 2,
    "first=2026-03-03": 0,
    "last=2026-03-01": 0,
    "version=v1": 2,
    "version=v2": 0,
    "case=with": 2,
    "case=without": 0,
    f"q={DAY}-3": 1,
    "first=x&version=vx&case=y": 2,
}


def test_filters_of_alerts(desk: Desk, sit: Sit) -> None:
    ann = sit("ann")
    assert {asked: len(names(ann.get(f"/alerts?{asked}").text)) for asked in ALERT_FILTERS} == ALERT_FILTERS


def test_alerts_are_paged(desk: Desk, sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "SHOWN", 1)
    first = sit("ann").get("/alerts").text
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = sit("ann").get(following[1].replace("&amp;", "&")).text
    assert len({*names(first), *names(second)}) == 2
    assert 'rel="next"' not in second


def test_no_cell_of_the_file_is_a_formula(desk: Desk, sit: Sit) -> None:
    with desk.ws.transaction() as session:
        alert = session.scalars(select(Alert)).first()
        assert alert is not None
        alert.reasons = ["=cmd|'/C calc'!A1"]
    answer = sit("ann").get("/alerts/export.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="alerts.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["case"] for row in rows] == ["cards-1", "cards-1"]
    assert {row["reasons"] for row in rows} >= {"'=cmd|'/C calc'!A1"}
    assert all(cell[:1] not in "=+@" for row in rows for cell in row.values() if cell)
