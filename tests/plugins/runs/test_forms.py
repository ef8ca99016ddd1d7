"""The forms that start runs: what they say will happen, what they refuse, and the request that they would send."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from fraudops.portfolio import Partitioning
from fraudops.store.removal import Tombstone, bury, remove_partition
from fraudops.workspace import Workspace
from fraudops_airflow.web.runs.actions import ACTIONS
from fraudops_airflow.web.runs.asked import Asked, partition


def form(client: TestClient, action: str, **asked: object) -> str:
    """The page of a form, as text without entities."""
    query = urlencode(asked, doseq=True)
    answer = client.get(f"/runs/cards/{action}{'?' if query else ''}{query}")
    assert answer.status_code == 200
    return html.unescape(answer.text)


def conf(page: str) -> dict[str, object]:
    """The parameters with which the run would be started."""
    (text,) = re.findall(r'name="conf" data-type="json" value="(.*?)">', page)
    found: dict[str, object] = json.loads(text)
    return found


def startable(page: str) -> bool:
    return 'id="go"' in page


def test_every_portfolio_has_its_forms_and_workflows(client: TestClient, small_installation: Workspace) -> None:
    page = client.get("/runs").text
    assert 'href="/runs/cards" aria-current="page"' in page, "the portfolio with data comes first"
    for action in ACTIONS:
        assert f'href="/runs/cards/{action}"' in page
    assert 'data-workflow="cards_verify"' in page
    assert "cards_comply" not in page
    assert "accounts_comply" in client.get("/runs/accounts").text


def test_unknown_forms_and_portfolios(client: TestClient) -> None:
    for path in ("/runs/nobody", "/runs/cards/drop", "/runs/nobody/ingest", "/runs/..%2fx/ingest"):
        assert client.get(path).status_code == 404


def test_forms_open_over_an_empty_installation(client: TestClient) -> None:
    for action in ACTIONS:
        assert "What will happen" in form(client, action), action


def test_what_is_asked_stands_in_the_form_again_and_is_escaped(
    client: TestClient, small_installation: Workspace
) -> None:
    evil = '"><script>alert(1)</script>'
    names = ("day", "first", "last", "reason", "names", "month", "as_of", "window", "model", "behaviour", "file")
    for action in ACTIONS:
        answer = client.get(f"/runs/cards/{action}?{urlencode(dict.fromkeys(names, evil))}")
        assert answer.status_code == 200, action
        assert "<script>alert" not in answer.text, action


# -- one day ------------------------------------------------------------------------------------------------------


def test_a_day_is_ingested_by_its_key(client: TestClient, small_installation: Workspace) -> None:
    page = form(client, "ingest", day="2026-03-19")
    assert 'data-dag="cards_ingest"' in page
    assert 'name="partition_key" value="2026-03-19"' in page
    assert "It is published already" in page
    assert "later partition" not in page
    assert "1 later partition is scored already" in form(client, "ingest", day="2026-03-18")


def test_a_day_that_is_not_over_or_no_day_cannot_be_started(client: TestClient) -> None:
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    assert "is not over before" in form(client, "ingest", day=tomorrow)
    for day in (tomorrow, "2026-02-30", "yesterday", "", "0"):
        assert not startable(form(client, "ingest", day=day)), day


def test_a_day_that_retention_removed_is_not_had_back(client: TestClient, small_installation: Workspace) -> None:
    remove(small_installation, "2026-03-17")
    page = form(client, "ingest", day="2026-03-17")
    assert "removed by retention" in page
    assert not startable(page)
    assert "1 partition was removed" in form(client, "backfill", first="2026-03-17", last="2026-03-19")


def test_scoring_again_says_that_the_inputs_have_changed(client: TestClient, small_installation: Workspace) -> None:
    page = form(client, "score", day="2026-03-19")
    assert "has changed since" in page
    assert 'name="partition_key" value="2026-03-19"' in page
    assert "ingest it first" in form(client, "score", day="2026-03-25")


# -- ranges -------------------------------------------------------------------------------------------------------


def test_a_backfill_asks_for_both_ends_one_run_at_a_time(client: TestClient, small_installation: Workspace) -> None:
    page = form(client, "backfill", first="2026-03-15", last="2026-03-20", behaviour="completed")
    (text,) = re.findall(r'<form data-backfill="(.*?)">\n', page)
    assert json.loads(text) == {
        "dag_id": "cards_ingest",
        "from_date": "2026-03-15T00:00:00+00:00",
        "to_date": "2026-03-20T00:00:00+00:00",
        "reprocess_behavior": "completed",
        "max_active_runs": 1,
    }
    assert "over 6 partitions" in page
    assert "3 partitions of them are published already" in page
    assert re.search(r"2026-03-15\s+to 2026-03-16", page)


NO_SENSE: dict[str, dict[str, str]] = {
    "before the first one": {"first": "2026-03-20", "last": "2026-03-19"},
    "is not over": {"first": "2026-03-20", "last": "2999-01-01"},
    "ask for at most 1,500": {"first": "1990-01-01", "last": "2026-03-19"},
    "Choose one of them": {"first": "2026-03-18", "last": "2026-03-19", "behaviour": "everything"},
    "Choose one.": {"first": "", "last": "2026-03-19"},
}
"""Ranges, by what is said of them."""


def test_ranges_that_make_no_sense(client: TestClient) -> None:
    for said, asked in NO_SENSE.items():
        page = form(client, "backfill", **asked)
        assert said in page, asked
        assert not startable(page), asked


def test_a_restatement_needs_days_a_model_and_a_reason(client: TestClient, small_installation: Workspace) -> None:
    asked = {"first": "2026-03-17", "last": "2026-03-19", "model": "v1", "reason": "an audit"}
    page = form(client, "restate", **asked)
    assert conf(page) == asked
    assert "3 partitions scored with v1" in page
    for wrong in ({"reason": ""}, {"reason": "no"}, {"model": "v9"}, {"first": "2025-01-01", "last": "2025-01-02"}):
        assert not startable(form(client, "restate", **(asked | wrong))), wrong


# -- files, models, the record --------------------------------------------------------------------------------------


def test_files_are_offered_and_named(client: TestClient, small_installation: Workspace) -> None:
    folder = small_installation.landing / "cards"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transactions_2026-03-20.csv").write_text("x" * 2_000)
    (folder / "transactions_4111111111111111.csv").write_text("x")
    page = form(client, "land")
    assert 'value="transactions_2026-03-20.csv"' in page
    assert "4111111111111111" not in page
    page = form(client, "land", file="transactions_2026-03-20.csv", names="gone.csv", corrections="true")
    assert conf(page) == {"path": ["transactions_2026-03-20.csv", "gone.csv"], "corrections": True}
    assert "matches a pattern: gone.csv" in page
    assert not startable(form(client, "land", names="../../etc/passwd"))


def test_a_training_says_what_it_learns_from_and_who_decides(client: TestClient, small_installation: Workspace) -> None:
    asked = {"reason": "new pattern", "candidates": ["lightgbm"], "split": "time", "as_of": "2026-03-18"}
    page = form(client, "train", **asked)
    assert "2 partitions, 2026-03-17 to 2026-03-18" in page
    assert "nobody approves what they asked for" in page
    assert conf(page)["candidates"] == ["lightgbm"]
    for wrong in ({"window": "soon"}, {"as_of": "1999-01-01"}, {"candidates": ["gpt"]}, {"reason": ""}):
        assert not startable(form(client, "train", **(asked | wrong))), wrong


def test_reconcile_names_what_is_undone(client: TestClient, small_installation: Workspace) -> None:
    page = form(client, "reconcile")
    assert "2 partitions were scored from what has changed since" in page
    assert startable(page)


def test_a_month_that_is_over_has_a_pack(client: TestClient, small_installation: Workspace) -> None:
    page = form(client, "report", month="2026-02")
    assert conf(page) == {"month": "2026-02"}
    assert "not published: 2026-02-01" in page
    for wrong in ({"month": "2999-01"}, {"month": "March"}, {"month": "2026-02", "as_of": "2026-02-05"}):
        assert not startable(form(client, "report", **wrong)), wrong


def test_verify_reads_everything_only_when_asked(client: TestClient, small_installation: Workspace) -> None:
    assert conf(form(client, "verify")) == {}
    assert conf(form(client, "verify", thorough="true")) == {"thorough": True}


# -- who may ------------------------------------------------------------------------------------------------------


def test_who_may_not_start_is_told_so_instead_of_given_a_button(
    visit: Callable[..., TestClient], may: set[str], small_installation: Workspace
) -> None:
    may.discard("POST")
    page = form(visit("a.viewer"), "ingest", day="2026-03-19")
    assert not startable(page)
    assert 'id="may-not"' in page
    may.discard("PUT")
    assert "data-turn-on" not in form(visit("a.viewer"), "ingest", day="2026-03-19")


# -- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "asked", "key"),
    [
        (24, {"day": "2026-03-05"}, "2026-03-05"),
        (168, {"day": "2026-03-05"}, "2026-03-02"),
        (6, {"day": "2026-03-05", "day_hour": "13"}, "2026-03-05T12"),
        (6, {"day": "2026-03-05T18"}, "2026-03-05T18"),
        (6, {"day": "2026-03-05", "day_hour": "99"}, None),
        (24, {"day": "2026-3-5"}, None),
        (24, {"day": ""}, None),
    ],
)
def test_from_a_picked_day_to_a_key(hours: int, asked: dict[str, str], key: str | None) -> None:
    assert partition(Asked.of(asked.items()), Partitioning(hours), "day").key == key


def remove(ws: Workspace, key: str) -> None:
    """Leave what retention leaves of a partition."""
    digest = ws.store.require("transactions", "cards", key).data_digest
    stone = Tombstone(dataset="transactions", portfolio="cards", key=key, digest=digest, rows=1, ledger=1)
    bury(ws.store, stone)
    remove_partition(ws.store, stone)
