"""Rules by date, and what they found: out of the database, a page at a time, one partition read for one hit."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from fraudops.database import LedgerEntry, RuleHit
from fraudops.portfolio.compliance import RuleChoice
from fraudops.rules.backtest import Backtest, Tried
from fraudops.rules.backtest_record import keep
from fraudops.rules.running import SCHEMA as HIT_SCHEMA
from fraudops.store import Store
from fraudops.workspace import Workspace
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.compliance import hits
from fraudops_airflow.web.definitions import known_rules
from sqlalchemy import select

from tests.plugins.installation import AS_OF

Visit = Callable[..., TestClient]
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def found(workspace: Workspace) -> Workspace:
    """Three partitions, each with a hit that was raised."""
    for place, key in enumerate(("2026-03-18", "2026-03-19", "2026-03-20")):
        row = {
            "hit_id": f"{place}123abcd",
            "rule": "cash_over_threshold",
            "severity": "high",
            "kind": "customer",
            "subject": f"C{place}",
            "on": AS_OF.date(),
            "because": f"{EVIL} 10,000.01 USD in cash",
            "transactions": ["T1", "T2"],
            "values": json.dumps({"total_minor": 1_000_001, "indicators": ["one", "two"]}),
            "numbers": json.dumps(
                {"threshold": {"value": "10000.00", "unit": "USD", "from": "2011-03-01", "to": None, "source": "law"}}
            ),
        }
        table = pa.Table.from_pylist([row], schema=HIT_SCHEMA)
        workspace.store.write("rule_hits", "accounts", key, table, config="c")
        names = ("hit_id", "rule", "kind", "subject")
        with workspace.transaction() as session:
            session.add(
                RuleHit(
                    portfolio="accounts", partition_key=key, as_of=AS_OF, raised_at=AS_OF, **{n: row[n] for n in names}
                )
            )
    return workspace


def test_the_law_has_a_date(client: TestClient, found: Workspace) -> None:
    page = client.get("/compliance").text
    assert "Cash over the reporting threshold" in page
    assert "IR, KP, MM" in page
    assert "<strong>2022-10-21</strong> listed IR, KP, MM" in client.get("/compliance?as_of=2022-10-20").text
    assert client.get("/compliance?as_of=never").status_code == 404
    assert client.get("/compliance?as_of=9999-12-31").status_code == 404
    few = client.get("/compliance?q=1010.311&severity=high").text
    assert "cash_over_threshold" in few
    assert "dormant_account" not in few
    assert "New hits of Cash over the reporting threshold: 3 in 3 partitions" in page
    assert "/hits" not in page, "single hits are for those who work them"


def test_what_does_not_run_says_why_and_what_changes_is_told_before(archive: Archive, found: Workspace) -> None:
    from fraudops_airflow.web.compliance.rules import ruled

    accounts = archive.portfolios["accounts"]
    off = RuleChoice(off=("velocity", "fan_in"), reasons={"velocity": "too loud, until the backtest"})
    quiet = accounts.model_copy(update={"compliance": accounts.compliance.model_copy(update={"rules": off})})
    page = ruled(archive, quiet, None)
    why = {item.definition.id: (item.is_off, item.why) for item in page.silent}
    assert why["velocity"] == (True, "switched off: too loud, until the backtest")
    assert "no reason is given" in why["fan_in"][1]
    early = ruled(archive, accounts, date(2011, 2, 1))
    assert {item.definition.id: item.why for item in early.silent}["structuring"] == "in force from 2011-03-01"
    listed = next(
        line for line in ruled(archive, accounts, date(2021, 1, 1)).lines if line.definition.id == "unusual_country"
    )
    assert [change.on > date(2021, 1, 1) for change in listed.next] == [True] * len(listed.next)
    assert any("MM" in change.words for change in listed.next)
    with pytest.raises(ValueError, match="not off"):
        RuleChoice(off=(), reasons={"velocity": "why"})


def test_a_rule_tells_its_numbers_and_its_past(client: TestClient, found: Workspace) -> None:
    page = client.get("/compliance/accounts/rules/unusual_country").text
    assert "in force" in page
    assert ">past<" in page
    assert client.get("/compliance/accounts/rules/nonsense").status_code == 404
    assert client.get("/compliance/cards/rules/velocity").status_code == 404
    assert "snoozes" not in page


def test_a_rule_shows_the_backtests_that_were_run(client: TestClient, found: Workspace, archive: Archive) -> None:
    address, rule = "/compliance/accounts/rules/cash_over_threshold", known_rules()["cash_over_threshold"]
    assert "None has been run" in client.get(address).text
    keys = ["2026-03-18", "2026-03-19"]
    for key in keys:
        found.store.write("transactions", "accounts", key, pa.table({"transaction_id": [key]}), config="c")
    two = Tried({"a": (keys[0], "C1"), "b": (keys[1], "C2")}, {"a": frozenset({"T1"}), "b": frozenset({"T2"})})
    one = Tried({"a": (keys[0], "C1")}, {"a": frozenset({"T1"})})
    run = Backtest(rule.id, keys, {"threshold": "<b>12000</b>"}, two, one, frozenset({"T1"}))
    assert keep(found, archive.portfolios["accounts"], rule, run, by="ann")
    page = client.get(address).text
    assert "2 hits with the numbers in force, 1 with threshold = &lt;b&gt;12000&lt;/b&gt;" in page
    assert "0 new, 1 gone, 1 the same" in page
    assert "by ann" in page
    assert "C1" not in page
    (path,) = Path(str(found.store.root)).glob("backtests/portfolio=accounts/*/*.json")
    path.write_bytes(path.read_bytes() + b" ")
    broken = client.get(address)
    assert (broken.status_code, "not the one that was written" in broken.text) == (200, True)


def test_hits_are_paged_and_filtered(visit: Visit, found: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "PER_PAGE", 2)
    analyst = visit("analyst")
    first = analyst.get("/hits?portfolio=accounts").text
    assert first.index("2123abcd") < first.index("1123abcd")
    assert "0123abcd" not in first
    assert "after=2026-03-19/1123abcd" in first
    assert EVIL not in first
    second = analyst.get("/hits?portfolio=accounts&after=2026-03-19/1123abcd").text
    assert "0123abcd" in second
    assert "1123abcd" not in second
    assert "0123abcd" in analyst.get("/hits?subject=C0").text
    assert "No hit fits" in analyst.get("/hits?rule=velocity").text
    assert "2123abcd" not in analyst.get("/hits?last=2026-03-19").text
    assert analyst.get("/hits?portfolio=nobody").status_code == 404
    assert visit("validator").get("/hits").status_code == 403


def test_one_hit_reads_one_partition(visit: Visit, found: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    plain = Store.read

    def counted(self: Store, manifest: object, *more: object, **named: object) -> pa.Table:
        read.append(manifest.key)  # type: ignore[attr-defined]
        return plain(self, manifest, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "read", counted)
    analyst = visit("analyst")
    one = analyst.get("/hits/accounts/1123abcd").text
    assert read == ["2026-03-19"]
    assert all(text in one for text in ("T1, T2", "law", "one, two", "10,000.01 USD", "Currency Transaction Report"))
    assert "&lt;script&gt;" in one
    assert "Snooze this" not in one
    assert analyst.get("/hits/accounts/ffff").status_code == 404


def test_officers_snooze_and_lift_and_the_ledger_says_so(visit: Visit, found: Workspace) -> None:
    address = "/compliance/accounts/rules/cash_over_threshold/snoozes"
    given = {"subject": "C0", "until": "2099-01-01", "reason": "exempt, form 110"}
    assert visit("analyst").post(address, data=given).status_code == 403
    officer = visit("officer")
    for wrong, says in (
        ({"until": "soon"}, "is no day"),
        ({"reason": " "}, "needs a reason"),
        ({"subject": ""}, "missing"),
    ):
        refused = officer.post(address, data=given | wrong)
        assert refused.status_code == 422
        assert says in refused.text
        assert wrong.get("reason", "exempt, form 110") in refused.text, "what was typed is still there"
    assert officer.post(address, data=given, follow_redirects=False).status_code == 303
    page = officer.get("/compliance/accounts/rules/cash_over_threshold").text
    assert "exempt, form 110" in page
    assert "Lift snooze 1" in page
    assert "Lift snooze" not in visit("analyst").get("/compliance/accounts/rules/cash_over_threshold").text
    officer = visit("officer")
    assert officer.post(f"{address}/1", data={"reason": ""}).status_code == 422
    assert officer.post(f"{address}/1", data={"reason": "done"}, follow_redirects=False).status_code == 303
    assert officer.post(f"{address}/1", data={"reason": "again"}).status_code == 409
    assert officer.post(f"{address}/77", data={"reason": "which"}).status_code == 422
    with found.transaction() as session:
        told = session.execute(select(LedgerEntry.action, LedgerEntry.actor).order_by(LedgerEntry.number)).all()
    assert [tuple(row) for row in told] == [("rule_snoozed", "officer"), ("rule_snooze_lifted", "officer")]
