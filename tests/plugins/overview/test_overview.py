"""The overview says what each person may know, stands when something cannot be read, and bounds what it shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from fraudops.database import CaseFile, Filing, Notice
from fraudops.workspace import Workspace
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.overview import cards, notices

TODAY = datetime.now(UTC).date()


@pytest.fixture
def work(small_installation: Workspace) -> Workspace:
    """Two open cases, one of them late, and a clock that runs."""
    with small_installation.transaction() as session:
        for number, due, severity in ((1, -1, "high"), (2, 3, "low")):
            session.add(
                CaseFile(
                    portfolio="cards",
                    number=number,
                    subject_kind="customer",
                    subject=f"secret-subject-{number}",
                    severity=severity,
                    priority=1.0,
                    state="open",
                    opened_key="2026-03-19",
                    opened_as_of=datetime(2026, 3, 20, tzinfo=UTC),
                    created_at=datetime.now(UTC),
                    due_on=TODAY + timedelta(days=due),
                )
            )
        session.add(
            Filing(
                portfolio="cards",
                kind="sar",
                origin="escalation/1",
                subject_kind="customer",
                subject="secret-subject-1",
                trigger_on=date(2026, 3, 20),
                due_on=TODAY + timedelta(days=2),
                state="due",
                created_at=datetime.now(UTC),
            )
        )
    return small_installation


def test_a_viewer_sees_counts_and_no_cases(client: TestClient, work: Workspace) -> None:
    page = client.get("/").text
    assert "1 high, 1 low" in page
    assert "1 late" in page
    assert "1 due in a week" in page
    assert "/cases/cards/1" not in page
    assert "secret-subject" not in page


def test_an_investigator_gets_links_and_no_sign_of_clocks(visit: Callable[..., TestClient], work: Workspace) -> None:
    page = visit("analyst").get("/").text
    assert page.index("/cases/cards/1") < page.index("/cases/cards/2")
    assert "over for 1 day" in page
    for sign in ("Clock", "clock", "SAR", "filings"):
        assert sign not in page.replace("clock_", ""), sign


def test_a_compliance_officer_sees_the_clock(visit: Callable[..., TestClient], work: Workspace) -> None:
    page = visit("officer").get("/").text
    assert "/filings/cards/" in page
    assert "in 2 days" in page
    assert "secret-subject" not in page


def test_alerts_stand_against_the_budget(client: TestClient, small_installation: Workspace) -> None:
    page = client.get("/").text
    assert "on 2026-03-19: 2 to review, 1 blocked" in page
    assert 'class="budget"' in page
    assert "none over the budget" in page


def test_what_cannot_be_read_is_said_and_the_rest_stands(client: TestClient, small_installation: Workspace) -> None:
    store = small_installation.store
    (store.path("scores", "cards", "date=2026-03-19") / "manifest.json").write_bytes(b"{confidential")
    answer = client.get("/")
    assert answer.status_code == 200
    assert 'tag bad">unreadable' in answer.text
    assert "the manifest cannot be read" in answer.text
    assert "fraudops verify" in answer.text
    assert "{confidential" not in answer.text
    assert "0.765" in answer.text


def test_of_many_portfolios_one_is_shown_whole(client: TestClient, archive: Archive, work: Workspace) -> None:
    cards_portfolio = archive.portfolios["cards"]
    for number in range(cards.FEW):
        name = f"cards{number}"
        archive.portfolios[name] = cards_portfolio.model_copy(update={"name": name, "title": f"Cards {number}"})
    try:
        page = client.get("/?portfolio=cards3").text
        assert page.count('<section class="portfolio"') == 1
        assert 'id="portfolio-cards3"' in page
        assert page.count("<tr>") == len(archive.portfolios) + 1
        assert client.get("/?portfolio=nobody").status_code == 404
    finally:
        for number in range(cards.FEW):
            del archive.portfolios[f"cards{number}"]


# -- notices ------------------------------------------------------------------------------------------------


def test_who_may_read_what_of_a_notice(visit: Callable[..., TestClient], small_installation: Workspace) -> None:
    with small_installation.transaction() as session:
        for notice in session.query(Notice):
            notice.subject, notice.text = "cards: alert T-17", "a confidential body"
        for key, kind, subject in (("v", "verdict", "v2 is better"), ("c", "clock_warning", "1 review deadline near")):
            session.add(
                Notice(
                    portfolio="cards",
                    kind=kind,
                    dedupe_key=key,
                    message_id=key,
                    recipients=["mlro@bank.example"],
                    sender="f@bank.example",
                    subject=subject,
                    text="a confidential body",
                    html="h",
                    state="sent",
                    attempts=1,
                    as_of=datetime(2026, 3, 20, tzinfo=UTC),
                    queued_at=datetime(2026, 3, 20, tzinfo=UTC),
                )
            )
    seen = {name: visit(name).get("/notices").text for name in ("a.viewer", "analyst", "officer", "validator")}
    assert all("v2 is better" in page and "confidential body" not in page for page in seen.values())
    assert [name for name, page in seen.items() if "T-17" in page] == ["analyst", "officer"]
    assert [name for name, page in seen.items() if "deadline near" in page] == ["officer"]
    assert [name for name, page in seen.items() if "@bank.example" in page] == ["analyst", "officer", "validator"]


def test_notices_are_paged_and_narrowed(
    client: TestClient, small_installation: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PAGE", 3)
    first = client.get("/notices").text
    assert first.count('<tr id="notice-') == 3
    older = first.split("before=")[1].split('"')[0]
    assert client.get(f"/notices?before={older}").text.count('<tr id="notice-') == 1
    assert client.get("/notices?state=uncertain").text.count('<tr id="notice-') == 1
    assert "No notice is like that" in client.get("/notices?kind=verdict").text
    for odd in ("kind=odd", "state=odd", "portfolio=nobody"):
        assert client.get(f"/notices?{odd}").status_code == 404


def test_a_notice_that_waits_too_long_is_late(client: TestClient, small_installation: Workspace) -> None:
    assert 'tag bad">late' in client.get("/notices?state=waiting").text
    assert "waits too long for delivery" in client.get("/").text


def test_storage_says_what_takes_room(client: TestClient, small_installation: Workspace) -> None:
    page = client.get("/storage").text
    assert "transactions" in page
    assert "2026-03-17" in page
