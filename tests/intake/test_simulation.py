"""The simulated world keeps its promises: the same days in any order, fraud as described, feeds that fit."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fraudops.errors import ConfigurationError, ConflictError, ContractError
from fraudops.intake.simulation import (
    WORLD_FILE,
    World,
    ensure_day,
    load_world,
    save_world,
    write_day,
    write_history,
)
from fraudops.intake.simulator import Scenario, files
from fraudops.intake.simulator.card_numbers import TEST_PREFIXES
from fraudops.intake.simulator.feed import Dirt
from fraudops.intake.simulator.investigators import dispositions
from fraudops.intake.simulator.population import TESTING_COUNTRIES
from fraudops.intake.simulator.world import reports_of
from fraudops.portfolio import Portfolio

START = date(2026, 8, 25)
LAST = START + timedelta(days=89)
WEEK = timedelta(days=7)
SMALL = World(start=START, payments_per_day=300)


def moment(day: date) -> pd.Timestamp:
    return pd.Timestamp(day, tz="UTC")


@pytest.fixture(scope="module")
def world() -> World:
    return World(start=START)


@pytest.fixture(scope="module")
def payments(world: World) -> pd.DataFrame:
    """Ninety days with what was fraud: ``scenario``, empty for genuine payments."""
    truth = world.frauds(START, LAST).set_index("tx_id")["scenario"]
    frame = world.payments(START, LAST)
    return frame.assign(scenario=frame["tx_id"].map(truth).fillna(""), day=frame["tx_time"].dt.date)


class TestReproducibility:
    def test_the_same_parameters_make_the_same_payments(self) -> None:
        again = World(start=START, payments_per_day=300)
        reports_of.cache_clear()
        pd.testing.assert_frame_equal(SMALL.payments(START, START + WEEK), again.payments(START, START + WEEK))
        pd.testing.assert_frame_equal(SMALL.chargebacks(START, START + WEEK), again.chargebacks(START, START + WEEK))

    def test_another_seed_makes_other_payments(self) -> None:
        other = World(start=START, payments_per_day=300, seed=7)
        assert not SMALL.payments(START, START)["amount"].equals(other.payments(START, START)["amount"])

    def test_a_day_is_the_same_however_many_days_are_asked_for(self) -> None:
        days = [START + timedelta(days=offset) for offset in range(6)]
        alone = [SMALL.payments(day, day) for day in reversed(days)]
        together = SMALL.payments(days[0], days[-1])
        pd.testing.assert_frame_equal(pd.concat(alone[::-1], ignore_index=True), together)
        truth = pd.concat([SMALL.frauds(day, day) for day in days], ignore_index=True)
        pd.testing.assert_frame_equal(truth, SMALL.frauds(days[0], days[-1]))

    def test_reports_of_a_day_are_the_same_however_many_days_are_asked_for(self) -> None:
        days = [START + timedelta(days=offset) for offset in range(30)]
        alone = pd.concat([SMALL.chargebacks(day, day) for day in days], ignore_index=True)
        pd.testing.assert_frame_equal(alone, SMALL.chargebacks(days[0], days[-1]))

    def test_the_global_random_state_is_neither_used_nor_moved(self) -> None:
        np.random.seed(1)
        state = np.random.get_state()[1].copy()  # type: ignore[union-attr]
        SMALL.payments(START, START)
        assert (np.random.get_state()[1] == state).all()


class TestPayments:
    def test_columns_are_those_of_the_portfolio(self, payments: pd.DataFrame, portfolios: dict[str, Portfolio]) -> None:
        cards = portfolios["cards"]
        feed_names = [cards.transactions[0].calls(name) for name in cards.columns]
        assert list(payments.columns[: len(feed_names)]) == feed_names

    def test_ids_are_unique_and_name_the_day(self, payments: pd.DataFrame) -> None:
        assert payments["tx_id"].is_unique
        assert payments["tx_id"].str.fullmatch(r"C\d{8}-\d{6}").all()
        assert (payments["tx_id"].str[1:9] == payments["tx_time"].dt.strftime("%Y%m%d")).all()

    def test_rows_are_in_the_order_of_time(self, payments: pd.DataFrame) -> None:
        assert payments["tx_time"].is_monotonic_increasing
        assert str(payments["tx_time"].dtype) == "datetime64[us, UTC]"

    def test_as_many_a_day_as_asked_for(self, payments: pd.DataFrame) -> None:
        per_day = payments.groupby("day").size()
        assert per_day.mean() == pytest.approx(2000, rel=0.03)
        assert per_day.between(1400, 2900).all()

    def test_the_population_grows_with_the_payments(self) -> None:
        large = World(start=START, payments_per_day=3000)
        assert len(large.population.customers.cards) == 10 * len(SMALL.population.customers.cards)
        assert len(large.population.terminals.kind) > 5 * len(SMALL.population.terminals.kind)

    def test_amounts_are_positive_and_in_hundredths(self, payments: pd.DataFrame) -> None:
        assert payments["amount"].min() >= 0.5
        assert np.allclose(payments["amount"] * 100, (payments["amount"] * 100).round(), atol=1e-6)

    def test_channels_have_their_shares_and_their_amounts(self, payments: pd.DataFrame) -> None:
        shares = payments["channel"].value_counts(normalize=True)
        assert list(shares.index) == ["card_present", "online", "cash_withdrawal", "cash_deposit"]
        assert shares.iloc[0] == pytest.approx(0.57, abs=0.05)
        assert shares["cash_deposit"] > 0.02
        medians = payments[payments["currency"] == "EUR"].groupby("channel")["amount"].median()
        assert medians["card_present"] < medians["online"] < medians["cash_withdrawal"] < medians["cash_deposit"]

    def test_machines_give_notes(self, payments: pd.DataFrame) -> None:
        genuine = payments[(payments["channel"] == "cash_withdrawal") & (payments["scenario"] == "")]
        assert (genuine["amount"] % 10 == 0).all()

    def test_most_pay_in_euros_and_everybody_in_one_currency(self, payments: pd.DataFrame) -> None:
        assert (payments["currency"] == "EUR").mean() == pytest.approx(0.8, abs=0.08)
        assert payments["currency"].nunique() >= 5
        assert (payments.groupby("customer_id")["currency"].nunique() == 1).all()

    def test_a_terminal_has_one_channel_and_one_country(self, payments: pd.DataFrame) -> None:
        groups = payments.groupby("terminal_id")
        assert (groups["channel"].nunique() == 1).all()
        assert (groups["country"].nunique() <= 1).all()
        assert payments["country"].isna().mean() == pytest.approx(0.02, abs=0.005)

    def test_customers_stay_near_home(self, payments: pd.DataFrame) -> None:
        shops = payments[(payments["channel"] == "card_present") & (payments["scenario"] == "")]
        counts = shops.groupby(["customer_id", "terminal_id"]).size().reset_index(name="n")
        usual = counts.sort_values("n").groupby("customer_id")["n"].apply(lambda n: n.tail(6).sum())
        assert usual.sum() / len(shops) > 0.85

    def test_customers_keep_to_their_hours(self, payments: pd.DataFrame) -> None:
        shops = payments[(payments["channel"] == "card_present") & (payments["scenario"] == "")]
        hour = shops["tx_time"].dt.hour
        assert hour.between(8, 19).mean() > 0.8
        assert hour.between(2, 5).mean() < 0.05
        # Circular: 23 h and 1 h are near each other. 1 would be the same minute every day, 0 any hour.
        angle = np.exp(2j * np.pi * (hour + shops["tx_time"].dt.minute / 60) / 24)
        often = shops["customer_id"].map(shops["customer_id"].value_counts()) >= 30
        concentration = angle[often].groupby(shops["customer_id"][often]).mean().abs()
        assert concentration.median() > 0.65 > abs(angle[often].mean())

    def test_online_payments_come_later_in_the_day(self, payments: pd.DataFrame) -> None:
        hours = payments.assign(late=payments["tx_time"].dt.hour >= 19).groupby("channel")["late"].mean()
        assert hours["online"] > 3 * hours["card_present"]

    def test_weekdays_differ(self, payments: pd.DataFrame) -> None:
        per_day = payments.groupby("day").size()
        weekday = pd.Series([day.weekday() for day in per_day.index], index=per_day.index)
        mean = per_day.groupby(weekday).mean()
        assert mean[5] > 1.15 * mean[1]


class TestPeople:
    def test_card_numbers_are_valid_test_numbers(self, world: World) -> None:
        numbers = world.population.card_numbers.to_pylist()
        assert len(set(numbers)) == len(numbers)
        assert {number[:8] for number in numbers} == set(TEST_PREFIXES)
        assert all(len(number) == 16 and luhn(number) for number in numbers)

    def test_the_check_of_the_check_digit_is_right(self) -> None:
        assert luhn("4111111111111111")
        assert not luhn("4111111111111112")

    def test_some_customers_have_two_cards_and_use_both(self, payments: pd.DataFrame) -> None:
        cards = payments.groupby("customer_id")["card_number"].nunique()
        assert cards.max() == 2
        assert (cards == 2).mean() == pytest.approx(0.15, abs=0.05)
        assert (payments.groupby("card_number")["customer_id"].nunique() == 1).all()

    def test_a_customer_has_one_name(self, payments: pd.DataFrame) -> None:
        assert (payments.groupby("customer_id")["customer_name"].nunique() == 1).all()
        assert payments["customer_name"].str.fullmatch(r"\w+ \w+").all()


def luhn(number: str) -> bool:
    """Straight from the definition, unlike the simulator's."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


class TestFraud:
    def test_the_rate_is_that_of_card_fraud(self, payments: pd.DataFrame) -> None:
        fraud = payments["scenario"] != ""
        assert 0.006 < fraud.mean() < 0.012
        weekly = fraud.groupby((payments["tx_time"] - moment(START)).dt.days // 7).mean()
        assert weekly.between(0.003, 0.02).all()

    @pytest.mark.parametrize("seed", [1, 2])
    def test_the_rate_holds_for_other_seeds(self, seed: int) -> None:
        other = World(start=START, seed=seed)
        last = START + timedelta(days=59)
        assert 0.006 < len(other.frauds(START, last)) / len(other.payments(START, last)) < 0.012

    def test_every_kind_has_a_fair_share(self, payments: pd.DataFrame) -> None:
        counts = payments.loc[payments["scenario"] != "", "scenario"].value_counts()
        assert set(counts.index) == {scenario.text for scenario in Scenario}
        assert counts.min() > 50

    def test_frauds_are_payments(self, world: World, payments: pd.DataFrame) -> None:
        truth = world.frauds(START, LAST)
        assert truth["tx_id"].is_unique
        assert set(truth["tx_id"]) <= set(payments["tx_id"])

    def test_high_amounts_are_high(self, payments: pd.DataFrame) -> None:
        medians = payments.groupby("scenario")["amount"].median()
        assert medians["high_amount"] > 10 * medians[""]

    def test_compromised_terminals_are_bad_for_weeks_only(self, payments: pd.DataFrame) -> None:
        hit = payments[payments["scenario"] == "compromised_terminal"]
        assert set(hit["channel"]) <= {"card_present", "cash_withdrawal"}
        span = hit.groupby("terminal_id")["day"].agg(["min", "max", "size"])
        busy = span[span["size"] >= 20]
        days = (pd.to_datetime(busy["max"]) - pd.to_datetime(busy["min"])).dt.days
        assert len(busy) >= 5
        assert days.median() >= 20
        during = payments[
            payments["terminal_id"].isin(busy.index)
            & (payments["day"] >= payments["terminal_id"].map(busy["min"]))
            & (payments["day"] <= payments["terminal_id"].map(busy["max"]))
        ]
        assert during.groupby("terminal_id")["scenario"].apply(lambda s: (s != "").mean()).median() > 0.6

    def test_spending_on_stolen_cards_multiplies_for_about_two_weeks(self, payments: pd.DataFrame) -> None:
        stolen = payments[payments["scenario"] == "stolen_card"]
        spans = stolen.groupby("card_number")["day"].agg(lambda days: (max(days) - min(days)).days)
        assert spans.median() <= 14
        own = payments[(payments["scenario"] == "") & payments["card_number"].isin(stolen["card_number"])]
        ratio = stolen.groupby("card_number")["amount"].mean() / own.groupby("card_number")["amount"].mean()
        assert ratio.median() > 3
        strange = ~stolen.set_index(["customer_id", "terminal_id"]).index.isin(
            own.set_index(["customer_id", "terminal_id"]).index
        )
        assert strange.mean() > 0.6

    def test_some_fraud_looks_like_the_customer(self, payments: pd.DataFrame) -> None:
        stolen = payments[payments["scenario"] == "stolen_card"]
        own = payments[payments["scenario"] == ""]
        habit = own.groupby("customer_id")["amount"].quantile(0.8)
        assert (stolen["amount"] < stolen["customer_id"].map(habit)).mean() > 0.05

    def test_card_testing_is_small_payments_at_night_and_then_a_large_one(self, payments: pd.DataFrame) -> None:
        tests = payments[payments["scenario"] == "card_testing"]
        assert (tests["channel"] == "online").all()
        small = tests[tests["country"].isin(TESTING_COUNTRIES)]
        assert small["tx_time"].dt.hour.max() < 6
        runs = tests.groupby(["card_number", "day"])["amount"].agg(["size", "median", "max", "last"])
        assert runs["size"].min() >= 5
        assert (runs["last"] == runs["max"]).mean() > 0.9
        assert (runs["max"] > 10 * runs["median"]).mean() > 0.9

    def test_nothing_of_the_late_pattern_shows_before_it_begins(self, world: World, payments: pd.DataFrame) -> None:
        assert world.late_fraud_start == START + timedelta(days=70)
        early = payments[payments["day"] < world.late_fraud_start]
        late = payments[payments["day"] >= world.late_fraud_start]
        assert "card_testing" not in set(early["scenario"])
        assert not set(early["country"].dropna()) & set(TESTING_COUNTRIES)
        new = set(late.loc[late["country"].isin(TESTING_COUNTRIES), "terminal_id"])
        assert new
        assert not new & set(early["terminal_id"])

    def test_the_late_pattern_moves_with_the_parameter(self) -> None:
        early = World(start=START, payments_per_day=2000, late_fraud_after=1)
        scenarios = [set(early.frauds(day, day)["scenario"]) for day in (START, *days_after(START, 4))]
        assert "card_testing" not in scenarios[0]
        assert "card_testing" in set().union(*scenarios[1:])

    def test_fraud_is_in_full_swing_on_the_first_day(self, world: World) -> None:
        first_days = set(world.frauds(START, START + timedelta(days=3))["scenario"])
        assert {"high_amount", "compromised_terminal", "stolen_card"} <= first_days


def days_after(day: date, count: int) -> list[date]:
    return [day + timedelta(days=offset) for offset in range(1, count + 1)]


@pytest.fixture(scope="module")
def reported(world: World) -> pd.DataFrame:
    frame = world.chargebacks(START, LAST + timedelta(days=21))
    return frame[frame["transaction_id"].str[1:9] <= f"{LAST:%Y%m%d}"]


class TestChargebacks:
    def test_every_fraud_is_reported_once_and_nothing_else(self, reported: pd.DataFrame, world: World) -> None:
        assert reported["transaction_id"].is_unique
        assert set(reported["transaction_id"]) == set(world.frauds(START, LAST)["tx_id"])
        assert (reported["label"] == 1).all()

    def test_nearly_all_are_known_when_the_delay_has_passed(
        self, reported: pd.DataFrame, payments: pd.DataFrame, portfolios: dict[str, Portfolio]
    ) -> None:
        paid = reported["transaction_id"].map(payments.set_index("tx_id")["tx_time"])
        # A report counts from the end of the day on which it arrived.
        known_at = reported["reported_at"].dt.floor("D") + pd.Timedelta(days=1)
        late = known_at - paid > portfolios["cards"].labels.delay
        assert (reported["reported_at"].dt.floor("D") > paid).all()
        assert 0.005 < late.mean() < 0.04
        assert (reported["reported_at"] - paid).max() < pd.Timedelta(days=21)
        assert (known_at - paid)[late].min() > pd.Timedelta(days=8)

    def test_reports_are_in_the_order_of_arrival(self, world: World) -> None:
        reports = world.chargebacks(START + WEEK, START + 2 * WEEK)
        assert reports["reported_at"].is_monotonic_increasing
        assert reports["reported_at"].min() >= moment(START + WEEK)
        assert reports["reported_at"].max() < moment(START + 2 * WEEK + timedelta(days=1))

    def test_nothing_is_reported_on_the_first_day(self, world: World) -> None:
        assert world.chargebacks(START, START).empty


@pytest.fixture(scope="module")
def found(world: World) -> pd.DataFrame:
    frame = dispositions(world, START, LAST + timedelta(days=2))
    return frame[frame["transaction_id"].str[1:9] <= f"{LAST:%Y%m%d}"]


class TestDispositions:
    def test_they_are_few_early_and_lean_to_fraud(
        self, found: pd.DataFrame, payments: pd.DataFrame, reported: pd.DataFrame
    ) -> None:
        about = payments.set_index("tx_id").loc[found["transaction_id"].unique()]
        assert len(about) < 0.01 * len(payments)
        fraud, everywhere = (about["scenario"] != "").mean(), (payments["scenario"] != "").mean()
        assert fraud > 20 * everywhere
        # Before nearly all chargebacks of the same payments.
        first = found.drop_duplicates("transaction_id").set_index("transaction_id")["reported_at"]
        charged = reported.set_index("transaction_id")["reported_at"]
        both = first.index.intersection(charged.index)
        assert (first[both].dt.floor("D") <= charged[both].dt.floor("D")).all()

    def test_most_are_right_and_some_are_put_right_later(self, found: pd.DataFrame, payments: pd.DataFrame) -> None:
        truth = payments.set_index("tx_id")["scenario"].reindex(found["transaction_id"]).to_numpy() != ""
        assert set(found["finding"]) == {"fraud", "not_fraud", "insufficient"}
        right = found["finding"].to_numpy() == np.where(truth, "fraud", "not_fraud")
        assert 0.85 < right.mean() < 0.97
        again = found[found["transaction_id"].duplicated(keep=False)].groupby("transaction_id")["finding"].agg(list)
        assert len(again)
        assert all(findings == ["fraud", "not_fraud"] for findings in again)


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "value"),
        [("seed", -1), ("payments_per_day", 10), ("late_fraud_after", -1), ("dirty_share", 0.5)],
    )
    def test_a_parameter_out_of_range_is_named(self, name: str, value: float) -> None:
        with pytest.raises(ConfigurationError, match=name):
            World(start=START, **{name: value})  # type: ignore[arg-type]

    def test_a_day_before_the_start_is_refused(self) -> None:
        with pytest.raises(ContractError, match="starts on 2026-08-25"):
            SMALL.payments(START - timedelta(days=1), START)
        with pytest.raises(ContractError, match="starts on 2026-08-25"):
            SMALL.chargebacks(START - timedelta(days=1), START)

    def test_days_in_the_wrong_order_are_refused(self) -> None:
        with pytest.raises(ContractError, match="before the first day"):
            SMALL.frauds(START + WEEK, START)

    def test_the_smallest_world_works(self) -> None:
        tiny = World(start=START, payments_per_day=50)
        assert len(tiny.payments(START, START + WEEK)) > 200


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


class TestFiles:
    def test_a_day_comes_back_as_it_was(self, tmp_path: Path) -> None:
        world = World(start=START, payments_per_day=300, dirty_share=0.0)
        day = START + WEEK
        transactions, chargebacks, looked_at = write_day(tmp_path, world, day)
        assert transactions.name == "transactions_2026-09-01.csv"
        assert chargebacks.name == "chargebacks_2026-09-01.csv"
        read = pd.read_csv(transactions, dtype={"card_number": "str"}, parse_dates=["tx_time"])
        expected = world.payments(day, day)
        pd.testing.assert_frame_equal(read, expected, check_dtype=False)
        read = pd.read_csv(chargebacks, parse_dates=["reported_at"])
        pd.testing.assert_frame_equal(read, world.chargebacks(day, day), check_dtype=False)
        assert looked_at.name == "dispositions_2026-09-01.csv"
        read = pd.read_csv(looked_at, parse_dates=["reported_at"])
        pd.testing.assert_frame_equal(read, dispositions(world, day, day), check_dtype=False)

    def test_times_and_amounts_are_written_as_agreed(self, tmp_path: Path) -> None:
        rows = rows_of(write_day(tmp_path, SMALL, START)[0].read_bytes())
        frame = pd.DataFrame(rows)
        clean = frame[frame["tx_time"] != ""]
        assert clean["tx_time"].str.fullmatch(r"2026-08-25T\d\d:\d\d:\d\dZ").all()
        assert frame.loc[frame["amount"] != "n/a", "amount"].str.fullmatch(r"-?\d+\.\d\d").all()

    def test_history_and_days_hold_the_same_rows(self, tmp_path: Path) -> None:
        first, last = START + WEEK, START + 2 * WEEK
        transactions, chargebacks, looked_at = write_history(tmp_path, SMALL, first, last)
        assert transactions.name == "transactions_history_2026-09-01_2026-09-08.csv.gz"
        assert chargebacks.name == "chargebacks_history_2026-09-01_2026-09-08.csv.gz"
        days = [write_day(tmp_path / "days", SMALL, day) for day in SMALL.days(first, last)]
        for place, bulk in enumerate((transactions, chargebacks, looked_at)):
            singles = [row for files in days for row in rows_of(files[place].read_bytes())]
            assert rows_of(gzip.decompress(bulk.read_bytes())) == singles

    def test_names_match_the_portfolio_patterns(self, tmp_path: Path, portfolios: dict[str, Portfolio]) -> None:
        cards = portfolios["cards"]
        write_history(tmp_path, SMALL, START, START)
        write_day(tmp_path, SMALL, START + timedelta(days=1))
        for source in (*cards.transactions, *cards.labels.feeds.values()):
            assert len(list(tmp_path.glob(source.path.format(key="*")))) == 2
            assert len(list(tmp_path.glob(source.path.format(key="2026-08-26")))) == 1

    def test_the_same_bytes_again(self, tmp_path: Path) -> None:
        once = write_history(tmp_path / "a", SMALL, START, START + WEEK)
        again = write_history(tmp_path / "b", SMALL, START, START + WEEK)
        assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
        assert once[0].read_bytes()[4:8] == bytes(4), "the gzip header holds no time of writing"

    def test_a_failure_leaves_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> bytes:
            assert [path.name[0] for path in tmp_path.iterdir()] == ["."], "unfinished files are hidden"
            raise OSError("disk full")

        monkeypatch.setattr(files, "payments_text", fail)
        with pytest.raises(OSError, match="disk full"):
            write_history(tmp_path, SMALL, START, START)
        assert list(tmp_path.iterdir()) == []

    def test_files_can_be_read_by_others(self, tmp_path: Path) -> None:
        mask = os.umask(0o022)
        try:
            path = write_day(tmp_path, SMALL, START)[0]
        finally:
            os.umask(mask)
        assert path.stat().st_mode & 0o777 == 0o644


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, pd.DataFrame]:
    world = World(start=START, payments_per_day=300, dirty_share=0.01)
    path = write_history(tmp_path_factory.mktemp("dirty"), world, START, START + WEEK)[0]
    return world, pd.DataFrame(rows_of(gzip.decompress(path.read_bytes())))


class TestDirtyRows:
    def test_every_kind_appears_in_its_share(self, dirty: tuple[World, pd.DataFrame]) -> None:
        _, rows = dirty
        kinds = {
            Dirt.NEGATIVE_AMOUNT: rows["amount"].str.startswith("-"),
            Dirt.TEXT_AMOUNT: rows["amount"] == "n/a",
            Dirt.MISSING_TERMINAL: rows["terminal_id"] == "",
            Dirt.DUPLICATE_LINE: rows.duplicated(),
            Dirt.MISSING_TIME: rows["tx_time"] == "",
        }
        assert sum(kinds.values()).max() == 1, "one fault a row"
        counts = {kind: int(found.sum()) for kind, found in kinds.items()}
        assert set(counts) == set(Dirt)
        assert max(counts.values()) - min(counts.values()) <= 1
        assert sum(counts.values()) == 24

    def test_they_come_on_top_of_the_payments(self, dirty: tuple[World, pd.DataFrame]) -> None:
        world, rows = dirty
        clean = world.payments(START, START + WEEK)
        assert len(rows) == len(clean) + 24
        assert set(clean["tx_id"]) <= set(rows["tx_id"])
        assert rows.drop_duplicates()["tx_id"].is_unique

    def test_no_chargeback_refers_to_one(self, dirty: tuple[World, pd.DataFrame]) -> None:
        world, rows = dirty
        extra = set(rows["tx_id"]) - set(world.payments(START, START + WEEK)["tx_id"])
        assert len(extra) == 24 - rows.duplicated().sum()
        assert not extra & set(world.chargebacks(START, START + 4 * WEEK)["transaction_id"])

    def test_the_default_share_is_small(self, world: World, tmp_path: Path) -> None:
        path = write_history(tmp_path, world, START, START + 3 * WEEK)[0]
        lines = gzip.decompress(path.read_bytes()).count(b"\n") - 1
        extra = lines - len(world.payments(START, START + 3 * WEEK))
        assert extra == pytest.approx(0.0005 * lines, abs=2)


class TestRememberedWorld:
    def test_a_saved_world_comes_back(self, tmp_path: Path) -> None:
        path = save_world(tmp_path / "cards", SMALL)
        assert path.name == WORLD_FILE
        assert load_world(tmp_path / "cards") == SMALL
        save_world(tmp_path / "cards", SMALL)

    def test_no_world_no_day(self, tmp_path: Path) -> None:
        assert load_world(tmp_path) is None
        assert ensure_day(tmp_path, START) == []

    def test_another_world_in_the_same_folder_is_refused(self, tmp_path: Path) -> None:
        save_world(tmp_path, SMALL)
        with pytest.raises(ConflictError, match="another simulated world"):
            save_world(tmp_path, World(start=START, seed=1))
        assert load_world(tmp_path) == SMALL

    @pytest.mark.parametrize(
        "content",
        [
            "{",
            "[]",
            "{}",
            '{"format": 1}',
            '{"format": 1, "start": "soon"}',
            '{"format": 99, "start": "2026-08-25"}',
            '{"format": 1, "start": "2026-08-25", "colour": "red"}',
            '{"format": 1, "start": "2026-08-25", "seed": "x"}',
        ],
    )
    def test_a_broken_file_is_named(self, tmp_path: Path, content: str) -> None:
        (tmp_path / WORLD_FILE).write_text(content)
        with pytest.raises(ConfigurationError, match=WORLD_FILE):
            load_world(tmp_path)

    def test_a_missing_day_is_written_once(self, tmp_path: Path) -> None:
        save_world(tmp_path, SMALL)
        written = ensure_day(tmp_path, START + WEEK)
        feeds = ("transactions", "chargebacks", "dispositions")
        assert [path.name for path in written] == [f"{feed}_2026-09-01.csv" for feed in feeds]
        content = [path.read_bytes() for path in written]
        written[0].write_bytes(b"from somebody else")
        assert ensure_day(tmp_path, START + WEEK) == []
        assert written[0].read_bytes() == b"from somebody else"
        assert content == [path.read_bytes() for path in write_day(tmp_path / "b", SMALL, START + WEEK)]

    def test_a_compressed_file_counts_as_there(self, tmp_path: Path) -> None:
        save_world(tmp_path, SMALL)
        (tmp_path / "transactions_2026-09-01.csv.gz").write_bytes(b"")
        written = [path.name for path in ensure_day(tmp_path, START + WEEK)]
        assert written == ["chargebacks_2026-09-01.csv", "dispositions_2026-09-01.csv"]

    def test_before_the_start_nothing_is_written(self, tmp_path: Path) -> None:
        save_world(tmp_path, SMALL)
        assert ensure_day(tmp_path, START - timedelta(days=1)) == []
        assert [path.name for path in tmp_path.iterdir()] == [WORLD_FILE]

    def test_the_file_can_be_read_by_people(self, tmp_path: Path) -> None:
        content = json.loads(save_world(tmp_path, SMALL).read_text())
        assert content["start"] == "2026-08-25"
        assert content["payments_per_day"] == 300
