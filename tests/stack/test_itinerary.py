from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest
from fraudops.errors import ContractError, FraudopsError
from fraudops.portfolio import Portfolio
from fraudops.stack import itinerary
from fraudops.stack.folder import StackFolder
from fraudops.stack.itinerary import (
    Itinerary,
    Simulation,
    copy_to_landing,
    from_file,
    partitions_in,
    remember,
    simulated,
)
from fraudops.stack.preparation import generated_files

SIMULATION = Simulation(seed=42, payments_per_day=2000)


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    return StackFolder(tmp_path / "stack")


def plan(portfolio: Portfolio, folder: StackFolder, end: date, simulation: Simulation = SIMULATION) -> Itinerary:
    return simulated(portfolio, folder, days=90, live_days=14, end=end, simulation=simulation)


def test_ninety_days_are_76_in_bulk_and_14_one_by_one(portfolios: dict[str, Portfolio], folder: StackFolder) -> None:
    found = plan(portfolios["cards"], folder, date(2026, 11, 22))
    assert (found.first, found.last) == ("2026-08-25", "2026-11-08")
    assert len(found.bulk) == 76
    assert found.live[0] == "2026-11-09"
    assert found.live[-1] == "2026-11-22"
    assert len(found.live) == 14


def test_the_demo_of_tomorrow_continues_that_of_today(portfolios: dict[str, Portfolio], folder: StackFolder) -> None:
    today = plan(portfolios["cards"], folder, date(2026, 11, 22))
    remember(today, folder)
    assert plan(portfolios["cards"], folder, date(2026, 11, 22)) == today
    tomorrow = plan(portfolios["cards"], folder, date(2026, 11, 23))
    assert tomorrow.bulk == today.bulk
    assert tomorrow.live == (*today.live, "2026-11-23")
    assert plan(portfolios["cards"], folder, date(2026, 11, 1)) == today


def test_weeks_may_follow_and_tomorrow_comes_one_by_one_again(
    portfolios: dict[str, Portfolio], folder: StackFolder
) -> None:
    def told(end: date) -> Itinerary:
        cards = portfolios["cards"]
        return simulated(cards, folder, days=90, live_days=14, later_days=28, end=end, simulation=SIMULATION)

    today = told(date(2026, 11, 22))
    assert [len(today.bulk), len(today.live), len(today.later)] == [76, 14, 28]
    assert [*today.bulk, *today.live, *today.later] == sorted({*today.bulk, *today.live, *today.later})
    assert today.later[-1] == "2026-11-22"
    remember(today, folder)
    assert told(date(2026, 11, 22)) == today
    tomorrow = told(date(2026, 11, 23))
    assert (tomorrow.bulk, tomorrow.later) == (today.bulk, today.later)
    assert tomorrow.live == (*today.live, "2026-11-23")
    remember(tomorrow, folder)
    assert told(date(2026, 11, 23)) == tomorrow


def test_another_world_is_refused(portfolios: dict[str, Portfolio], folder: StackFolder) -> None:
    remember(plan(portfolios["cards"], folder, date(2026, 11, 22)), folder)
    with pytest.raises(FraudopsError, match="make reset"):
        plan(portfolios["cards"], folder, date(2026, 11, 22), Simulation(seed=7, payments_per_day=2000))


def test_a_portfolio_without_simulator_needs_a_file(portfolios: dict[str, Portfolio], folder: StackFolder) -> None:
    with pytest.raises(FraudopsError, match="--file"):
        plan(portfolios["ulb"], folder, date(2026, 11, 22))
    with pytest.raises(FraudopsError, match="90 of 90 days"):
        simulated(portfolios["cards"], folder, days=90, live_days=90, end=date(2026, 1, 1), simulation=SIMULATION)


def ulb_file(folder: Path, hours: int) -> Path:
    file = folder / "ulb small.csv.gz"
    with gzip.open(file, "wt") as content:
        content.write('"Time","Amount","Class"\n')
        for hour in range(hours):
            content.write(f"{hour * 3600},1.5,0\n")
    return file


def test_a_file_s_last_partitions_come_one_by_one(portfolios: dict[str, Portfolio], tmp_path: Path) -> None:
    ulb = portfolios["ulb"]
    file = ulb_file(tmp_path, 48)
    assert list(partitions_in(ulb, file, tmp_path).items())[:2] == [("2013-09-01T00", 6), ("2013-09-01T06", 6)]
    found = from_file(ulb, file, tmp_path)
    assert (found.first, found.last) == ("2013-09-01T00", "2013-09-02T12")
    assert found.live == ("2013-09-02T18",)
    assert found.file == "ulb small.csv.gz"


def test_the_rest_of_a_long_file_comes_in_a_second_bulk_run(
    portfolios: dict[str, Portfolio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ulb = portfolios["ulb"]
    file = ulb_file(tmp_path, 100 * 6)
    found = from_file(ulb, file, tmp_path)
    assert [len(found.bulk), len(found.catch_up), len(found.live)] == [85, 8, 7]
    assert sorted({*found.bulk, *found.catch_up, *found.live}) == [*found.bulk, *found.catch_up, *found.live]
    monkeypatch.setattr(itinerary, "_LARGE", 10)
    assert len(from_file(ulb, file, tmp_path).live) == 2


def test_a_partition_that_the_file_ends_in_the_middle_of_is_left_out(
    portfolios: dict[str, Portfolio], tmp_path: Path
) -> None:
    found = from_file(portfolios["ulb"], ulb_file(tmp_path, 50), tmp_path)
    assert (found.live, found.left_out) == (("2013-09-02T18",), ("2013-09-03T00",))
    assert from_file(portfolios["ulb"], ulb_file(tmp_path, 52), tmp_path).left_out == ()


def test_a_file_with_other_bytes_takes_the_place_of_the_one_before(
    portfolios: dict[str, Portfolio], tmp_path: Path
) -> None:
    file = ulb_file(tmp_path, 48)
    found = from_file(portfolios["ulb"], file, tmp_path)
    landed = tmp_path / "landing" / "ulb" / file.name
    copy_to_landing(found, file, tmp_path / "landing")
    file.write_bytes(landed.read_bytes()[:-1] + b"x")
    copy_to_landing(found, file, tmp_path / "landing")
    assert landed.read_bytes() == file.read_bytes()


def test_files_that_cannot_be_used_are_named(portfolios: dict[str, Portfolio], tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no such file"):
        from_file(portfolios["ulb"], tmp_path / "none.csv", tmp_path)
    with pytest.raises(ContractError, match="covers 1 partitions of 6 h"):
        from_file(portfolios["ulb"], ulb_file(tmp_path, 2), tmp_path)
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(ContractError, match="Time"):
        from_file(portfolios["ulb"], other, tmp_path)


def test_a_reset_takes_away_what_was_made_and_nothing_else(
    portfolios: dict[str, Portfolio], folder: StackFolder, tmp_path: Path
) -> None:
    ulb, cards = portfolios["ulb"], portfolios["cards"]
    landing = tmp_path / "landing"
    found = from_file(ulb, ulb_file(tmp_path, 48), landing)
    copy_to_landing(found, tmp_path / "ulb small.csv.gz", landing)
    (landing / "ulb" / "mine.csv").write_text("mine")
    remember(found, folder)
    assert [file.name for file in generated_files(landing / "ulb", ulb, folder)] == ["ulb small.csv.gz"]

    (landing / "cards").mkdir()
    for name in ("transactions_2026-11-09.csv", "chargebacks_2026-11-09.csv", "notes.txt"):
        (landing / "cards" / name).write_text("x")
    assert generated_files(landing / "cards", cards, folder) == []
    (landing / "cards" / "simulation.json").write_text("{}")
    assert [file.name for file in generated_files(landing / "cards", cards, folder)] == [
        "chargebacks_2026-11-09.csv",
        "simulation.json",
        "transactions_2026-11-09.csv",
    ]
