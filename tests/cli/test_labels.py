"""The command ``fraudops labels``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from fraudops.cli import labels
from fraudops.errors import ContractError
from fraudops.store import Store
from typer.testing import CliRunner, Result

US = pa.timestamp("us", tz="UTC")


def _arrived(store: Store, dataset: str, day: int, ids: list[str], **columns: list[object]) -> None:
    known_at = datetime(2026, 3, day, tzinfo=UTC) + timedelta(days=1)
    moments = {
        "reported_at": pa.array([known_at - timedelta(hours=2)] * len(ids), US),
        "known_at": pa.array([known_at] * len(ids), US),
    }
    table = pa.table({"transaction_id": ids, **columns, **moments})
    store.write(dataset, "cards", f"2026-03-{day:02d}", table, config="c")


@pytest.fixture
def told(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Store:
    store.write("transactions", "cards", "2026-03-09", pa.table({"transaction_id": ["t1", "t2"]}), config="c")
    _arrived(store, "dispositions", 2, ["t1"], finding=["fraud"], by=["ann\x1b[2J"])
    _arrived(store, "labels", 5, ["t1"], label=[False])
    monkeypatch.setenv("FRAUDOPS_STORE", str(store.root))
    monkeypatch.setenv("FRAUDOPS_STATE", str(tmp_path))
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", database_url)
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", "ab" * 32)
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", "cd" * 32)
    return store


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(labels.app, arguments, env={"COLUMNS": "200"}, catch_exceptions=False)


def test_the_feeds_are_counted_apart(told: Store) -> None:
    output = _run("--portfolio", "cards").output
    chargebacks, found = (next(line for line in output.splitlines() if name in line) for name in labels.NAMES.values())
    assert [cell.strip() for cell in chargebacks.split("│")[2:6]] == ["1", "1", "0", "0"]
    assert [cell.strip() for cell in found.split("│")[2:6]] == ["1", "1", "1", "0"]
    assert "2 transactions are younger than 7d" in output
    counted = json.loads(_run("--portfolio", "cards", "--as-of", "2026-03-04", "--json").output)["cards"]
    assert [feed["reports"] for feed in counted["feeds"]] == [0, 1]


def test_the_history_of_a_transaction_is_shown_in_its_order(told: Store) -> None:
    output = _run("history", "t1", "--portfolio", "cards").output
    assert output.index("nothing said") < output.index("not fraud")
    assert "\x1b" not in output, "what a file holds is not obeyed by the terminal"
    first, second = json.loads(_run("history", "t1", "--portfolio", "cards", "--json").output)
    assert (first["by"], second["before"], second["after"]) == ("ann\x1b[2J", "fraud", "not fraud")


def test_a_transaction_of_which_nothing_was_said(told: Store) -> None:
    assert "counts as genuine 7d after its time" in _run("history", "t9", "--portfolio", "cards").output


def test_a_wrong_moment_is_named(told: Store) -> None:
    with pytest.raises(ContractError, match="March"):
        _run("--portfolio", "cards", "--as-of", "March")
