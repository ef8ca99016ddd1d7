"""The simulated bank: days that need no other day, feeds that can be landed, stories that are what they say."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fraudops import reference
from fraudops.errors import ConflictError
from fraudops.intake.accounts_simulator.fed_holidays import fed_holidays
from fraudops.intake.files import find_files
from fraudops.intake.landing import land
from fraudops.intake.simulation import (
    AccountsWorld,
    World,
    ensure_day,
    load_world,
    save_world,
    write_day,
    write_history,
)
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

START = date(2026, 6, 1)
LAST = START + timedelta(days=44)
WORLD = AccountsWorld(start=START, seed=11, payments_per_day=300)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landing") / "accounts"
    write_history(folder, WORLD, START, LAST)
    return folder


@pytest.fixture(scope="module")
def movements(history: Path) -> dict[str, dict[str, str]]:
    with gzip.open(history / f"transactions_history_{START}_{LAST}.csv.gz", "rt") as file:
        return {row["transaction_id"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def planted() -> list[dict[str, Any]]:
    return WORLD.planted(START, LAST)


def test_the_federal_reserve_keeps_sundays_on_monday_and_does_not_move_saturdays() -> None:
    def days(year: int) -> str:
        return " ".join(f"{day:%m-%d}" for day in fed_holidays(year))

    assert days(2024) == "01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25"
    assert days(2026) == "01-01 01-19 02-16 05-25 06-19 07-04 09-07 10-12 11-11 11-26 12-25"
    assert days(2027) == "01-01 01-18 02-15 05-31 06-19 07-05 09-06 10-11 11-11 11-25 12-25"


def test_a_day_alone_is_the_same_as_in_a_history(history: Path, movements: dict[str, Any], tmp_path: Path) -> None:
    day = START + timedelta(days=20)
    with gzip.open(history / f"transactions_history_{START}_{LAST}.csv.gz", "rb") as file:
        wanted = [line for line in file.read().splitlines() if line.startswith(f"A{day:%Y%m%d}".encode())]
    alone = write_day(tmp_path, AccountsWorld(start=START, seed=11, payments_per_day=300), day)
    assert alone[0].read_bytes().splitlines()[1:] == wanted
    for path in alone[2:]:
        assert path.read_bytes() == (history / path.name).read_bytes()


def test_a_folder_remembers_its_world(tmp_path: Path) -> None:
    save_world(tmp_path, WORLD)
    assert load_world(tmp_path) == WORLD
    with pytest.raises(ConflictError, match="another simulated world"):
        save_world(tmp_path, World(start=START))
    (tmp_path / "rates_2026-06-02.csv").write_text("a bank's own\n")
    written = [path.name for path in ensure_day(tmp_path, START + timedelta(days=1))]
    assert "transactions_2026-06-02.csv" in written
    assert "rates_2026-06-02.csv" not in written


def test_every_kind_of_story_is_planted_and_none_names_somebody_twice(planted: list[dict[str, Any]]) -> None:
    kinds = {entry["kind"] for entry in planted if not entry["decoy"]}
    assert kinds >= {
        "structuring", "smurfing", "cash", "mule", "fan_in", "fan_out", "velocity", "round", "country", "screening",
        "expired_document", "missing_document", "outdated_rating",
    }  # fmt: skip
    subjects: dict[str, set[str]] = defaultdict(set)
    for entry in planted:
        subjects[entry["customers"][0]].add(entry["kind"])
    assert {len(found) for found in subjects.values()} == {1}


def _cash(movements: dict[str, dict[str, str]], entry: dict[str, Any]) -> dict[str, int]:
    """Direction → cash in minor units of a story."""
    total: dict[str, int] = defaultdict(int)
    for row in (movements[name] for name in entry["transactions"]):
        if row["cash"] == "true":
            total[row["direction"]] += round(float(row["amount"]) * 100)
    return total


def test_stories_of_cash_cross_the_threshold_and_decoys_do_not(
    planted: list[dict[str, Any]], movements: dict[str, Any]
) -> None:
    whole = [entry for entry in planted if entry["days"] and max(entry["days"]) < str(LAST - timedelta(days=6))]
    for entry in whole:
        if entry["kind"] == "cash":
            assert max(_cash(movements, entry).values()) > 1_000_000, entry
        if entry["kind"] == "edge" and "exactly" in entry["variation"]:
            assert _cash(movements, entry) == {"in": 1_000_000}
        if entry["kind"] == "structuring":
            by_day: dict[str, int] = defaultdict(int)
            for row in (movements[name] for name in entry["transactions"]):
                by_day[row["event_time"][:10]] += round(float(row["amount"]) * 100)
            assert max(by_day.values()) <= 1_000_000
            assert sum(by_day.values()) > 1_000_000
            assert len(by_day) > 3


def test_a_mule_passes_on_nearly_all_that_it_receives(planted: list[dict[str, Any]], movements: dict[str, Any]) -> None:
    mules = [entry for entry in planted if entry["kind"] == "mule" and max(entry["days"]) < str(LAST)]
    assert mules
    for entry in mules:
        total: dict[str, float] = defaultdict(float)
        for row in (movements[name] for name in entry["transactions"]):
            total[row["direction"]] += float(row["amount"])
        assert 0.8 < total["out"] / total["in"] <= 1


def test_the_feeds_can_be_landed_and_say_what_was_planted(
    workspace: Workspace, portfolios: dict[str, Portfolio], history: Path, planted: list[dict[str, Any]]
) -> None:
    accounts, folder = portfolios["accounts"], workspace.landing / "accounts"
    folder.mkdir()
    for path in history.iterdir():
        if "history" not in path.name and path.name <= path.name.split("_")[0] + "_2026-06-12.csv":
            (folder / path.name).write_bytes(path.read_bytes())
    day = date(2026, 6, 12)
    for path in write_day(folder, WORLD, day)[:2]:
        assert path.exists()
    landed = land(workspace, accounts, find_files(workspace, accounts))
    assert landed.keys == ["2026-06-12"]
    assert landed.rows_quarantined <= 1  # a dirty row
    as_of = accounts.partitioning.end("2026-06-12")
    assert reference.holidays(workspace, accounts, as_of).num_rows == 33
    assert set(reference.rates(workspace, accounts, as_of)["currency"].to_pylist()) == {"EUR", "GBP", "CAD", "MXN"}
    listed = {row["entry_id"] for row in reference.watchlist(workspace, accounts, as_of).to_pylist()}
    known = {row["customer_id"]: row for row in reference.customers(workspace, accounts, as_of).to_pylist()}
    expired = {name for name, row in known.items() if _expiry(row["documents"]) < str(day)}
    assert expired == _subjects(planted, "expired_document", day)
    assert {name for name, row in known.items() if row["documents"] is None} == _subjects(
        planted, "missing_document", day
    )
    assert all(entry["entry"] in listed for entry in planted if entry["kind"] == "screening" and _is_due(entry, day))


def _expiry(documents: str | None) -> str:
    return (documents or ":").partition(":")[2] or "9999"


def _is_due(entry: dict[str, Any], day: date) -> bool:
    return bool(entry["days"][0] <= (day - timedelta(days=7)).isoformat())


def _subjects(planted: list[dict[str, Any]], kind: str, day: date) -> set[str]:
    return {entry["customers"][0] for entry in planted if entry["kind"] == kind and entry["days"][0] <= day.isoformat()}


def test_no_file_tells_what_was_planted(history: Path) -> None:
    told = json.dumps(sorted(path.name for path in history.iterdir()))
    assert "planted" not in told
    with gzip.open(history / f"transactions_history_{START}_{LAST}.csv.gz", "rt") as file:
        assert not {"story", "fraud", "decoy"} & set(next(csv.reader(file)))
