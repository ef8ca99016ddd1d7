"""``fraudops hold``, ``retain``, ``verify``, ``store`` and ``ledger head``, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fraudops.cli.main import app
from fraudops.store import Store
from fraudops.workspace import Workspace
from typer.testing import CliRunner

from tests.conftest import CHECKOUT

KEY = "2015-03-05"


@pytest.fixture
def installation(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """One partition of cards, long past its retention, and its entry in the ledger."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(workspace.store.root))
    monkeypatch.setenv("FRAUDOPS_PORTFOLIOS", str(CHECKOUT / "include" / "portfolios"))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())
    table = pa.table({"transaction_id": ["a", "b"]})
    manifest = workspace.store.write("transactions", "cards", KEY, table, config="c")
    with workspace.transaction() as session:
        workspace.record(
            session,
            portfolio="cards",
            actor="a",
            action="ingested",
            subject=f"cards/transactions/{KEY}",
            details={"after": manifest.data_digest},
        )
    return workspace


def _run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_what_is_held_is_listed_and_not_removed_until_it_is_released(installation: Workspace) -> None:
    said = _run("hold", "add", "-p", "cards", "--transaction", "b", "--reason", "case 17", "--by", "ann")
    assert said == f"hold 1: cards {KEY} stays until it is released\n"
    assert "case 17" in _run("hold", "list")
    assert "cards: 0 things are older" in _run("retain", "-p", "cards", "--dry-run")
    _run("hold", "release", "1", "--reason", "closed")
    assert _run("hold", "list") == "Nothing is held.\n"
    assert f"transactions {KEY}: 2 rows" in _run("retain", "-p", "cards", "--dry-run")
    assert installation.store.keys("transactions", "cards") == [KEY]
    assert "removed 1 and 0 files" in _run("retain", "-p", "cards", "--yes")
    assert installation.store.keys("transactions", "cards") == []
    assert "cards: unaltered" in _run("verify", "-p", "cards")


def test_size_is_told_to_people_and_programs(installation: Workspace) -> None:
    found: dict[str, Any] = json.loads(_run("store", "size", "--json"))
    (area,) = found["areas"]
    assert (area["area"], area["partitions"], area["oldest"]) == ("transactions", 1, KEY)
    assert found["bytes"] == area["bytes"] > 0
    assert "of the disk are free" in _run("store", "size")


def test_heads_that_were_kept_are_looked_for(installation: Workspace, tmp_path: Path) -> None:
    heads = tmp_path / "heads.txt"
    assert "entry 1 appended" in _run("ledger", "head", "-o", str(heads))
    assert "unaltered" in _run("ledger", "verify", "--heads", str(heads))
    heads.write_text(f"1 {'0' * 64}\n")
    assert "entry 1: cut off: it was once the end of the chain" in _run(
        "ledger", "verify", "--heads", str(heads), code=1
    )


def test_an_older_store_is_brought_up_to_date_by_command(installation: Workspace) -> None:
    assert "nothing to do" in _run("store", "migrate")
    (Path(str(installation.store.root)) / "format.json").unlink()
    assert "format 0 to 1" in _run("store", "migrate")
    Store(installation.store.root).put(b"x", "reports", "cards", "a.html")
