"""The ledger in the pages: read by those who answer for it, a page at a time, and verified when they ask."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from fraudops.database import transaction
from fraudops.ledger import before_last, head, heads, verify
from fraudops.workspace import Workspace
from fraudops_airflow.web.compliance import record
from sqlalchemy import text

from tests.databases import as_owner
from tests.plugins.installation import AS_OF

Visit = Callable[..., TestClient]
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def written(workspace: Workspace) -> Workspace:
    """Five entries, the third of which is hostile."""
    for number in range(1, 6):
        with workspace.transaction() as session:
            workspace.record(
                session,
                portfolio="accounts" if number % 2 else "cards",
                actor="officer" if number == 3 else "service:score",
                action="scored" if number != 3 else "rule_snoozed",
                subject=f"x/{number}",
                details={"digest": "a" * 64, "reason": EVIL, "files": {"pack.pdf": "b" * 64}},
            )
    return workspace


def alter(ws: Workspace, number: int) -> None:
    """As somebody does who has the database, and not the key."""
    with transaction(as_owner(ws.database_url)) as session:
        session.execute(text("alter table ledger disable trigger user"))
        session.execute(text("update ledger set actor = 'mallory' where number = :n"), {"n": number})
        session.execute(text("alter table ledger enable trigger user"))


def test_entries_are_paged_and_filtered(visit: Visit, written: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "PER_PAGE", 2)
    officer = visit("officer")
    page = officer.get("/ledger").text
    assert page.index("x/5") < page.index("x/4")
    assert "x/3" not in page
    assert "below=4" in page
    older = officer.get("/ledger?below=4").text
    assert "x/3" in older
    assert "x/4" not in older
    assert EVIL not in older
    assert "aaaaaaaaaaaa…" in older
    assert "a" * 13 not in older
    for query, only in (
        ("actor=officer", {3}),
        ("action=rule_snoozed", {3}),
        ("subject=x/4", {4}),
        ("portfolio=cards", {2, 4}),
    ):
        found = officer.get(f"/ledger?{query}").text
        assert {number for number in range(1, 6) if f">x/{number}<" in found} == only, query
    assert "No entry fits" in officer.get("/ledger?last=2001-01-01").text
    assert "<option>rule_snoozed</option>" in page, "every action is offered"
    for path in ("/ledger?below=x", "/ledger?first=x", "/ledger/x", "/ledger/6", "/ledger/99999999999999999999"):
        assert officer.get(path).status_code == 404, path
    assert {visit(name).get("/ledger").status_code for name in ("analyst", "a.viewer")} == {403}
    assert visit("admin").get("/ledger").status_code == 200


def test_an_entry_with_its_neighbours(visit: Visit, written: Workspace) -> None:
    page = visit("validator").get("/ledger/3").text
    assert 'href="/ledger/2"' in page
    assert 'href="/ledger/4"' in page
    assert "a" * 64 in page
    assert "pack.pdf: " + "b" * 64 in page
    assert page.count(">yes<") == 2
    alter(written, 3)
    assert "no: altered" in visit("validator").get("/ledger/3").text


def test_the_end_is_verified_when_somebody_asks(visit: Visit, written: Workspace) -> None:
    officer = visit("officer")
    assert "never yet" in officer.get("/ledger").text
    with written.transaction() as session:
        heads.export(written.store, written.ledger_key, head(session), at=AS_OF)
    assert "up to entry 5" in officer.get("/ledger").text
    assert "Unaltered" in officer.post("/ledger/verify", data={"most": "2"}).text
    alter(written, 2)
    with written.transaction() as session:
        after = before_last(session, 3)
        assert after.number == 2
        assert list(verify(session, written.ledger_key, after=after)) == [], "what lies before is not looked at"
        assert before_last(session, 99).number == 0
        assert list(verify(session, written.ledger_key, after=head(session))) == []
    assert "Unaltered" in officer.post("/ledger/verify", data={"most": "3"}).text
    found = officer.post("/ledger/verify", data={"most": "4"}).text
    assert 'href="/ledger/2">entry 2</a>' in found
    assert "altered" in found
    assert visit("analyst").post("/ledger/verify", data={"most": "4"}).status_code == 403
