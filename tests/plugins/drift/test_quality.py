"""Validation and quarantine: what failed comes first, lists are paged, and no rejected row is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from fraudops.intake.quarantine import SCHEMA, Archive
from fraudops.workspace import Workspace
from fraudops_airflow.web.drift import quarantine, validation

SHA = "fedcba9876543210" * 4


def put_results(ws: Workspace, number: int, *, first: date = date(2026, 1, 1)) -> None:
    """So many partitions that passed, each with one rejected row of ten."""
    for place in range(number):
        key = (first + timedelta(days=place)).isoformat()
        result = {"key": key, "passed": True, "checks": 31, "failures": [], "rows": 9, "quarantined": 1}
        ws.store.put(json.dumps(result).encode(), "validation", "cards", f"date={key}", "result.json")


@pytest.fixture
def rejected(small_installation: Workspace) -> Workspace:
    """A file of three rows: one was stored, two are in quarantine."""
    row = {"file": "t.csv", "column": "amount", "raw": '{"amount": "4111111111111111"}', "partition_key": "2026-03-19"}
    rows = pa.Table.from_pylist(
        [row | {"line": 3, "reason": "empty"}, row | {"line": 2, "reason": "empty"}], schema=SCHEMA
    )
    counts = {"rows": 3, "accepted": 1, "repeated": 0, "quarantined": 2}
    summary = {"file": "t.csv", "feed": "transactions", "rows_read": 3, "nowhere": 0, "partitions": {}}
    summary["partitions"] = {"2026-03-19": counts}
    Archive(small_installation.store, "cards", SHA).save(rows, summary)
    lineage = pa.table({"transaction_id": ["2026-03-19"], "file": ["t.csv"], "file_sha256": [SHA], "line": [1]})
    facts = {"files": {SHA: {"name": "t.csv", "accepted": 1, "quarantined": 2, "repeated": 0}}}
    small_installation.store.write("lineage", "cards", "2026-03-19", lineage, config="c", facts=facts)
    return small_installation


def test_a_partition_that_is_stopped_comes_first(client: TestClient, small_installation: Workspace) -> None:
    table = pa.table({"transaction_id": ["x"]})
    small_installation.store.stage("transactions", "cards", "2026-03-01", table, config="c")
    result = {"key": "2026-03-01", "passed": False, "checks": 1, "failures": ["<i>rows</i>"]}
    small_installation.store.put(json.dumps(result).encode(), "validation", "cards", "date=2026-03-01", "result.json")
    page = client.get("/validation").text
    assert page.index('id="stopped"') < page.index("2026-03-01") < page.index("2026-03-19")
    assert "rows wait" in page
    assert "&lt;i&gt;rows" in page


def test_a_result_that_cannot_be_read_is_a_line_and_no_error(client: TestClient, small_installation: Workspace) -> None:
    small_installation.store.put(b'{"half', "validation", "cards", "date=2026-03-19", "result.json")
    page = client.get("/validation?portfolio=cards")
    assert page.status_code == 200
    assert "cannot be read" in page.text
    assert client.get("/validation/cards/2026-03-19").status_code == 200


def test_validations_are_paged_and_show_their_trend(client: TestClient, workspace: Workspace) -> None:
    put_results(workspace, validation.PAGE + 2)
    first = client.get("/validation?portfolio=cards").text
    table = first.split('id="trend"')[1].split("All, the newest first")
    assert "10.00 %" in table[0]
    assert table[1].count("<tr>") == validation.PAGE + 1
    older = first.split("before=")[1].split('"')[0]
    second = client.get(f"/validation?portfolio=cards&before={older}").text.split("All, the newest first")[1]
    assert second.count("<tr>") == 3
    assert client.get("/validation?portfolio=nobody").status_code == 404


def test_a_partition_leads_to_its_files(client: TestClient, rejected: Workspace) -> None:
    assert f'href="/quarantine/cards/{SHA[:16]}"' in client.get("/validation/cards/2026-03-19").text
    (rejected.store.path("lineage", "cards", "date=2026-03-19") / "manifest.json").write_bytes(b"{")
    assert "the manifest cannot be read" in client.get("/validation/cards/2026-03-19").text


def test_reasons_are_counted_with_what_to_do(client: TestClient, rejected: Workspace) -> None:
    page = client.get("/quarantine?portfolio=cards").text
    reasons = page.split('id="reasons"')[1]
    assert "amount: empty" in reasons
    assert "fill it in" in reasons


def test_a_summary_that_cannot_be_read_takes_no_other_file_away(client: TestClient, rejected: Workspace) -> None:
    rejected.store.put(b"{", "quarantine", "cards", "file=0123456789abcdef", "summary.json")
    page = client.get("/quarantine").text
    assert "t.csv" in page
    assert "a file of cards (0123456789abcdef) cannot be told" in page
    assert client.get("/quarantine/cards/0123456789abcdef").status_code == 200


def test_what_became_of_a_file(visit: Callable[..., TestClient], rejected: Workspace) -> None:
    address = f"/quarantine/cards/{SHA[:16]}"
    viewer, engineer = visit("a.viewer").get(address).text, visit("admin").get(address).text
    assert "2 in quarantine" in viewer
    assert "Stored now" not in viewer
    assert "Rejected lines" not in viewer
    assert "Stored now" in engineer
    assert engineer.index(">2</th>") < engineer.index(">3</th>")
    assert "4111" not in viewer + engineer, "what a rejected row says is never shown"


def test_quarantine_is_paged(client: TestClient, rejected: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "PAGE", 1)
    first = client.get("/quarantine").text
    after = first.split("after=")[1].split('"')[0]
    second = client.get(f"/quarantine?after={after}").text
    names = ("t.csv", "transactions_2026-03-19.csv.gz")
    assert sorted(name for name in names for page in (first, second) if f">{name}</a>" in page) == sorted(names)


def test_odd_files_are_not_there(client: TestClient, small_installation: Workspace) -> None:
    for digits in ("%2e%2e", "ffffffffffffffff", "x", "..%2fvalidation", "0123456789abcdef0"):
        assert client.get(f"/quarantine/cards/{digits}").status_code == 404, digits
    assert client.get("/quarantine/nobody/0123456789abcdef").status_code == 404
