"""``fraudops simulate`` writes what it says, and says what is wrong."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from fraudops.cli.simulate import app
from fraudops.errors import ConflictError, ContractError
from fraudops.intake.simulation import load_world
from typer.testing import CliRunner


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def history(folder: Path, *more: str) -> str:
    return run("history", "--folder", str(folder), "--days", "3", *more)


def test_history_writes_two_files_and_remembers_the_world(tmp_path: Path) -> None:
    output = history(tmp_path, "--first", "2026-08-25", "--payments-per-day", "100", "--seed", "3")
    assert "transactions_history_2026-08-25_2026-08-27.csv.gz" in output
    world = load_world(tmp_path)
    assert world is not None
    assert (world.start, world.payments_per_day, world.seed) == (date(2026, 8, 25), 100, 3)


def test_days_go_on_where_history_ends(tmp_path: Path) -> None:
    history(tmp_path, "--first", "2026-08-25", "--payments-per-day", "100")
    output = run("day", "--folder", str(tmp_path), "2026-08-28", "2026-08-29")
    assert "transactions_2026-08-28.csv" in output
    assert (tmp_path / "chargebacks_2026-08-29.csv").exists()


def test_the_known_world_fills_in_what_is_not_given(tmp_path: Path) -> None:
    history(tmp_path, "--first", "2026-08-25", "--payments-per-day", "100", "--seed", "3")
    assert "history_2026-08-30_2026-09-01" in history(tmp_path, "--first", "2026-08-30")


def test_another_world_is_refused(tmp_path: Path) -> None:
    history(tmp_path, "--first", "2026-08-25", "--payments-per-day", "100")
    with pytest.raises(ConflictError, match="another simulated world"):
        history(tmp_path, "--seed", "4")
    with pytest.raises(ConflictError, match="another simulated world"):
        history(tmp_path, "--first", "2026-08-01")


def test_a_day_without_a_world_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="simulate history"):
        run("day", "--folder", str(tmp_path), "2026-08-28")


def test_a_wrong_day_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="'tomorrow' is not a day"):
        history(tmp_path, "--first", "tomorrow")


def test_files_go_to_the_portfolio_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDOPS_LANDING", str(tmp_path))
    run("history", "--first", "2026-08-25", "--days", "1", "--payments-per-day", "100")
    assert (tmp_path / "cards" / "simulation.json").exists()


def test_a_bank_is_simulated_with_its_feeds_and_what_was_planted(tmp_path: Path) -> None:
    landing, planted = tmp_path / "landing", tmp_path / "planted.json"
    bank = ("--portfolio", "accounts", "--payments-per-day", "200", "--first", "2026-06-01")
    assert "planted.json" in history(landing, *bank, "--planted", str(planted))
    run("day", "--folder", str(landing), "2026-06-04", "--portfolio", "accounts")
    feeds = {path.name.split("_")[0] for path in landing.glob("*.csv*")}
    assert feeds == {"transactions", "reports", "customers", "watchlist", "holidays", "rates"}
    assert {entry["kind"] for entry in json.loads(planted.read_text())} >= {"missing_document", "screening"}
    with pytest.raises(ConflictError, match="another simulated world"):
        history(landing, "--portfolio", "cards", "--seed", "1", "--first", "2026-06-01")


def test_cards_plant_no_stories(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no stories are planted"):
        history(tmp_path, "--payments-per-day", "100", "--planted", str(tmp_path / "planted.json"))
