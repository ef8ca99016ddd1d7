"""The commands ``fraudops models`` and ``fraudops ledger``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fraudops.cli import ledger, models
from fraudops.database import open_engine
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote
from fraudops.stack.postgres import Postgres
from fraudops.workspace import Workspace
from sqlalchemy import text
from typer.testing import CliRunner, Result

from tests.databases import as_owner
from tests.installations import Template
from tests.registry.runs import leave_run, payments


def find_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands find an installation through the environment, as they do."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(workspace.store.root))
    monkeypatch.setenv("FRAUDOPS_LANDING", str(workspace.landing))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())


@pytest.fixture(scope="module")
def promoted_twice(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, portfolios: dict[str, Portfolio]
) -> Template:
    """An installation in which two models became champion, one after the other."""
    cards = portfolios["cards"]

    def promote_twice(ws: Workspace) -> None:
        for run_id, days, column in (("run-0", 26, "fair"), ("run-1", 30, "best")):
            leave_run(ws, cards, payments(days), {"logistic_regression": "poor", "lightgbm": column}, run_id=run_id)
            compare(ws, cards, run_id=run_id, as_of=datetime(2026, 4, 8, tzinfo=UTC))
            promote(ws, cards, run_id=run_id, approved_by="vera", reason="better on unseen rows")

    return Template.made(postgres, tmp_path_factory.mktemp("promoted_twice"), promote_twice)


@pytest.fixture
def two_champions(promoted_twice: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A copy of it of the test's own."""
    with promoted_twice.copy(tmp_path) as ws:
        find_it(ws, monkeypatch)
        yield ws


def _run(app: object, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"}, catch_exceptions=False)  # type: ignore[arg-type]


def test_an_empty_registry_says_how_to_fill_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    find_it(workspace, monkeypatch)
    found = _run(models.app, "list")
    assert (found.exit_code, "no model version yet" in found.output) == (0, True)


def test_versions_are_listed_with_the_champion(two_champions: Workspace) -> None:
    found = _run(models.app, "list", "--portfolio", "cards")
    assert found.exit_code == 0
    assert "v4 champion" in found.output
    assert "logistic_regression" in found.output


def test_a_version_is_shown_with_its_verdict(two_champions: Workspace) -> None:
    found = _run(models.app, "show", "v4")
    assert found.exit_code == 0
    for words in ("lightgbm", "PROMOTE", "better than the champion", "vera", "interval above 0", "SHA-256"):
        assert words in found.output, words
    assert "\\[" not in found.output


def test_rollback_by_command(two_champions: Workspace) -> None:
    found = _run(
        models.app,
        "rollback",
        "v2",
        "--portfolio",
        "cards",
        "--reason",
        "v4 blocks too much",
        "--by",
        "validator",
        "--yes",
    )
    assert (found.exit_code, "v2 (lightgbm) is champion" in found.output) == (0, True), found.output
    assert "rolled_back" in _run(ledger.app, "show", "--action", "rolled_back").output
    assert "cards/models/v2" in _run(ledger.app, "show", "--action", "evidence_filed").output


def test_rollback_asks_first(two_champions: Workspace) -> None:
    found = CliRunner().invoke(models.app, ["rollback", "v2", "-p", "cards", "--reason", "why"], input="n\n")
    assert found.exit_code == 1
    assert "v4 champion" in _run(models.app, "list").output


def test_the_ledger_is_shown_and_verified(two_champions: Workspace) -> None:
    shown = _run(ledger.app, "show", "--last", "2")
    assert [action in shown.output for action in ("promoted", "verdict", "trained")] == [True, True, False]
    verified = _run(ledger.app, "verify")
    assert (verified.exit_code, "unaltered: 8 entries" in verified.output) == (0, True)


def test_an_altered_ledger_ends_with_exit_code_1(two_champions: Workspace) -> None:
    with open_engine(as_owner(two_champions.database_url)).begin() as connection:
        connection.execute(text("alter table ledger disable trigger all"))
        connection.execute(text("update ledger set actor = 'somebody else' where number = 4"))
    found = _run(ledger.app, "verify")
    assert (found.exit_code, "entry 4: altered" in found.output) == (1, True)


def test_the_evidence_of_a_version_is_put_into_a_folder(two_champions: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "for the file"
    found = _run(models.app, "pack", "v4", "--portfolio", "cards", "--output", str(folder))
    assert found.exit_code == 0, found.output
    assert "revision 1" in found.output
    assert sorted(path.name for path in folder.iterdir()) == ["cards-v4-pack-r1.html", "cards-v4-pack-r1.json"]
    data = json.loads((folder / "cards-v4-pack-r1.json").read_bytes())
    assert data["decisions"][0]["by"] == "vera"
    assert "revision 1" in _run(models.app, "pack", "v4", "--portfolio", "cards", "--output", str(folder)).output


def test_a_rollback_by_somebody_who_may_not_is_refused(two_champions: Workspace) -> None:
    arguments = ("rollback", "v2", "-p", "cards", "--reason", "why not", "--by", "analyst", "--yes")
    with pytest.raises(ContractError, match="analyst may not roll back → one of validator, deputy may"):
        _run(models.app, *arguments)
    assert "v4 champion" in _run(models.app, "list").output


def test_a_shadow_is_started_listed_and_stopped_by_command(two_champions: Workspace) -> None:
    assert "There is no shadow yet" in _run(models.app, "shadow", "list").output
    given = ("-p", "cards", "--reason", "does the older one do as well?", "--by", "dana")
    started = _run(models.app, "shadow", "start", "v2", "--days", "3", *given)
    assert "v2 (lightgbm) is a shadow from" in started.output
    listed = _run(models.app, "shadow", "list").output
    assert [word in listed for word in ("v2 lightgbm", "dana", "running")] == [True] * 3
    _run(models.app, "shadow", "stop", *given)
    assert "stopped by dana" in _run(models.app, "shadow", "list").output
