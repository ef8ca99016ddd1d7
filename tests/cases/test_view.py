"""What explains a case is in it, and what is personal of it leaves a trace."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from fraudops import cases
from fraudops.cases.attachments import wrong_attachments
from fraudops.errors import ConfigurationError, ContractError, IntegrityError
from fraudops.workspace import Workspace

from tests.cases.conftest import DAY, ROLES, Desk
from tests.decisions.conftest import Bank


def view(desk: Desk, number: int = 1) -> cases.CaseView:
    with desk.ws.transaction() as session:
        return cases.read(desk.ws, session, desk.portfolio, number)


def test_a_case_has_all_that_explains_it(desk: Desk) -> None:
    seen = view(desk)
    assert [(one.transaction_id, str(one.amount), one.model_version) for one in seen.alerts] == [
        (f"{DAY}-0", "600.00", "v1"),
        (f"{DAY}-3", "990.00", "v1"),
    ]
    assert all(one.reasons for one in seen.alerts)
    assert [row["terminal_id"] for row in seen.transactions] == ["t1", "t1"]
    assert (seen.normal.transactions, seen.normal.first, seen.normal.mean_minor) == (1, "2026-03-01", 1000)
    assert (seen.normal.hours, seen.normal.usual["country"]) == (((0, 1),), (("DE", 1),))
    (link,) = seen.links
    # The other payments of the two days at the same terminal; what happens later is not looked at.
    assert (link.entity, link.value, link.transactions, link.subjects, link.cases) == ("terminal", "t1", 4, 2, ())
    assert seen.needs_two
    assert [one.kind for one in seen.timeline] == ["opened"]
    json.dumps(seen.to_dict())


def test_known_frauds_and_other_cases_at_the_same_terminal_are_pointed_at(alerted: Bank) -> None:
    ws, portfolio = alerted.ws, alerted.portfolio
    per_card = portfolio.cases.model_copy(update={"entity": "transaction"})
    portfolio = portfolio.model_copy(update={"cases": per_card})
    cases.gather(ws, portfolio, DAY, actor="t")
    moment, known = datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    reports = pa.table(
        {
            "transaction_id": ["2026-03-01-2"],
            "label": [True],
            "reported_at": pa.array([moment], pa.timestamp("us", "UTC")),
            "known_at": pa.array([known], pa.timestamp("us", "UTC")),
        }
    )
    ws.store.write("labels", "cards", DAY, reports, config="c")
    links = {one.entity: one for one in view(Desk(ws, portfolio)).links}
    assert (links["terminal"].alerted, links["terminal"].known_frauds, links["terminal"].cases) == (1, 1, ("cards-2",))
    assert view(Desk(ws, portfolio)).normal is None


def test_what_is_personal_is_shown_to_investigators_and_who_looked_is_kept(desk: Desk) -> None:
    rows = pa.table({"transaction_id": [f"{DAY}-0", f"{DAY}-1"], "customer_name": ["Ada Canary", "Bo"]})
    desk.ws.store.write("protected", "cards", DAY, rows, config="c")
    found = desk.do(cases.look)
    assert found.transactions == {f"{DAY}-0": {"customer_name": "Ada Canary"}}
    assert "Canary" not in repr(found)
    assert "Canary" not in json.dumps(view(desk).to_dict())
    assert (desk.events()[-1].kind, desk.events()[-1].by, desk.case().version) == ("looked_at", "ann", 1)
    (entry,) = desk.ledger("case_looked_at")
    assert entry.actor == "ann"
    with pytest.raises(ContractError, match="takes the role"):
        desk.do(cases.look, by="dana")
    exported = cases.export(desk.ws, desk.portfolio, 1, by="olga", roles=ROLES)
    assert "Canary" not in json.dumps(exported.to_dict())
    assert [one.actor for one in desk.ledger("case_looked_at")] == ["ann", "olga"]


def test_attachments_are_encrypted_and_come_back(desk: Desk) -> None:
    for name in ("../../etc/statement of Ada.pdf", "again.pdf"):
        desk.do(cases.attach, name=name, content=b"Ada Canary")
    (file,) = view(desk).attachments
    assert (file.name, file.media_type, file.size) == ("statement of Ada.pdf", "application/pdf", 10)
    stored = desk.ws.store.path("case_attachments", "cards", "case=1", f"{file.sha256}.fernet")
    assert b"Canary" not in stored.read_bytes()
    found = cases.attachment(desk.ws, desk.portfolio, 1, file.sha256[:8], by="bob", roles=ROLES)
    assert found == ("statement of Ada.pdf", b"Ada Canary")
    assert [one.actor for one in desk.ledger("case_looked_at")] == ["bob"]
    assert wrong(desk, thorough=True) == []
    stored.write_bytes(stored.read_bytes()[:-1] + b"A")
    assert wrong(desk, thorough=False) == []
    assert wrong(desk, thorough=True) == [
        "attachment 1 of cards-1: it was encrypted with another key, or has been altered"
    ]
    with pytest.raises(IntegrityError, match="altered"):
        cases.attachment(desk.ws, desk.portfolio, 1, file.sha256, by="bob", roles=ROLES)


def wrong(desk: Desk, *, thorough: bool) -> list[str]:
    with desk.ws.transaction() as session:
        return list(wrong_attachments(desk.ws, session, desk.portfolio, thorough=thorough))


def test_without_a_key_nothing_is_attached(desk: Desk) -> None:
    ws = desk.ws
    without = Workspace(ws.store, ws.landing, ws.database_url, ws.token_key, ws.ledger_key)
    with pytest.raises(ConfigurationError, match=r"FRAUDOPS_PROTECTION_KEY.*nothing is stored"):
        Desk(without, desk.portfolio).do(cases.attach, name="a.txt", content=b"a")
    assert view(desk).attachments == ()
