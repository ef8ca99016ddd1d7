from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fraudops.errors import ContractError
from fraudops.explanation import Explanation, reasons
from fraudops.explanation.contributions import contributions
from fraudops.explanation.groups import group_columns
from fraudops.explanation.wording import _WORDINGS
from fraudops.features import ModelColumns, model_columns
from fraudops.portfolio import EntityFeatures, Features, Portfolio
from fraudops.training.calibration import log_odds

from tests.features.histories import with_everything


def explain(model: Any, frame: pd.DataFrame, portfolio: Portfolio, **arguments: Any) -> list[list[str]]:
    return [found.sentences for found in _explanations(model, frame, portfolio, **arguments)]


def _explanations(model: Any, frame: pd.DataFrame, portfolio: Portfolio, **arguments: Any) -> list[Explanation]:
    return reasons.explain(model, frame, portfolio, **arguments)


@dataclass
class Linear:
    """Log-odds are a weighted sum, so every contribution is known beforehand."""

    columns: ModelColumns
    background: Mapping[str, Any]
    weights: Mapping[str, float]
    levels: Mapping[str, Mapping[Any, float]] = field(default_factory=dict)
    calls: int = 0

    @property
    def origins(self) -> tuple[str, ...]:
        return self.columns.all

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        return frame[list(self.origins)].to_numpy(dtype=object)

    @property
    def estimator(self) -> None:
        """None whose contributions are known to be exact."""

    def margins(self, matrix: np.ndarray) -> np.ndarray:
        return log_odds(self.score(pd.DataFrame(matrix, columns=list(self.origins), dtype=object)))

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        self.calls += 1
        odds = np.full(len(frame), -3.0)
        for name, weight in self.weights.items():
            values = frame[name].fillna(self.background[name]).to_numpy(dtype=float)
            odds += weight * values
        for name, levels in self.levels.items():
            odds += frame[name].map(lambda v, levels=levels: levels.get(v, 0.0)).to_numpy(dtype=float)
        return 1 / (1 + np.exp(-odds))


def _background(columns: ModelColumns) -> dict[str, Any]:
    typical: dict[str, Any] = dict.fromkeys(columns.numeric, 0.0)
    typical |= {name: 1.0 for name in columns.numeric if "count" in name and "fraud" not in name}
    typical |= {"amount": 22.0, "hour": 14.0, "customer_seconds_since_last": 32_400.0}
    typical |= {name: None for name in columns.numeric if "since_fraud" in name}
    typical |= {name: 1.0 for name in columns.numeric if "ratio" in name}
    return typical | {"currency": "EUR", "country": "DE", "channel": "card_present"}


def _frame(columns: ModelColumns, **values: Any) -> pd.DataFrame:
    row = _background(columns) | {
        "transaction_id": "t1",
        "event_time": pd.Timestamp("2026-03-05T03:12:40Z"),
        "amount_minor": 41_200,
        "amount": 412.0,
    }
    return pd.DataFrame([row | values])


@pytest.fixture(scope="module")
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


@pytest.fixture
def columns(cards: Portfolio) -> ModelColumns:
    return model_columns(cards)


def _sentences(cards: Portfolio, values: dict[str, Any], *, weights: Any = None, levels: Any = None) -> list[str]:
    columns = model_columns(cards)
    model = Linear(columns, _background(columns), weights or {}, levels or {})
    return explain(model, _frame(columns, **values), cards)[0]


def test_all_windows_of_one_aggregate_are_one_group(cards: Portfolio, columns: ModelColumns) -> None:
    groups = {group.columns[0]: group for group in group_columns(columns.all, cards)}
    assert groups["customer_count_1d"].columns == [f"customer_count_{w}" for w in ("1d", "7d", "30d")]
    assert groups["terminal_fraud_count_1d"].kind == "frauds"
    assert {"amount", "customer_amount_ratio_7d"} <= set(groups["amount"].columns)
    assert groups["hour"].columns == ["hour", "night"]
    everything = [name for group in groups.values() for name in group.columns]
    assert sorted(everything) == sorted(columns.all)


def test_contributions_of_a_linear_model_are_exact_and_cost_one_call(cards: Portfolio, columns: ModelColumns) -> None:
    model = Linear(columns, _background(columns), {"customer_count_1d": 0.5, "hour": -0.1, "amount": 0.001})
    groups = group_columns(columns.all, cards)
    frame = pd.concat([_frame(columns, customer_count_1d=7.0, hour=3.0)] * 3, ignore_index=True)
    weights = contributions(model, frame, groups).groups
    found = {group.kind + "".join(group.members[0].entities): weights[1, i] for i, group in enumerate(groups)}
    assert found["countcustomer"] == pytest.approx(3.0)
    assert found["time_of_day"] == pytest.approx(1.1)
    assert found["amount"] == pytest.approx(0.39)
    assert found["fraudsterminal"] == 0
    assert model.calls == 1


@pytest.mark.parametrize(
    ("values", "column", "expected"),
    [
        (
            {"customer_amount_ratio_30d": 10.8136, "customer_amount_ratio_1d": 3.0},
            "customer_amount_ratio_30d",
            "amount 412.00, this customer's mean over 30 days is 38.10 (10.8 times)",
        ),
        (
            {f"customer_amount_ratio_{w}": None for w in ("1d", "7d", "30d")},
            "amount",
            "amount 412.00, no earlier payment by this customer in 30 days to compare with",
        ),
        (
            {"terminal_fraud_count_7d": 2.0, "terminal_fraud_count_30d": 2.0},
            "terminal_fraud_count_7d",
            "2 confirmed frauds at this terminal in the last 7 days",
        ),
        (
            {"terminal_fraud_count_30d": 1.0},
            "terminal_fraud_count_30d",
            "1 confirmed fraud at this terminal in the last 30 days",
        ),
        (
            {"customer_count_1d": 7.0},
            "customer_count_1d",
            "7 payments by this customer in the last 24 hours (typically 1)",
        ),
        (
            {"card_amount_sum_7d": 1234.5},
            "card_amount_sum_7d",
            "payments with this card in the last 7 days add up to 1,234.50 (typically 0.00)",
        ),
        (
            {"terminal_amount_mean_7d": 80.0},
            "terminal_amount_mean_7d",
            "payments at this terminal in the last 7 days have a mean of 80.00 (typically 0.00)",
        ),
        ({"night": 1.0, "hour": 3.0}, "night", "paid at night (03:12 UTC)"),
        ({"hour": 20.0}, "hour", "paid at 03:12 UTC"),
        ({"weekend": 1.0}, "weekend", "paid on a Thursday"),
    ],
)
def test_wording_next_to_what_is_normal(cards: Portfolio, values: dict[str, Any], column: str, expected: str) -> None:
    assert expected in _sentences(cards, values, weights={column: 0.01})


DAY = 86_400.0
EVERYTHING = [
    (
        {"customer_amount_ratio_20d": 10.8136, "customer_amount_z_20d": 17.5, "customer_amount_z_1d": 3.0},
        "customer_amount_z_20d",
        "amount 412.00, usually 38.10 ± 21.37 by this customer over 20 days (10.8 times)",
    ),
    (
        {"customer_amount_ratio_20d": 2.0, "customer_amount_z_7d": 3.0},
        "customer_amount_ratio_20d",
        "amount 412.00, this customer's mean over 20 days is 206.00 (2 times)",
    ),
    (
        {"customer_terminal_is_new": 1.0, "customer_terminal_seconds_since_first": 0.0},
        "customer_terminal_is_new",
        "first payment by this customer at this terminal in 20 days",
    ),
    (
        {"customer_terminal_seconds_since_first": 3 * DAY},
        "customer_terminal_seconds_since_first",
        "first payment by this customer at this terminal in 20 days was 3 days before",
    ),
    (
        {"terminal_fraud_count_20d": 3.0, "terminal_seconds_since_fraud": 9 * DAY},
        "terminal_fraud_count_20d",
        "3 confirmed frauds at this terminal in the last 20 days, the last known one 9 days ago",
    ),
    (
        {"customer_distinct_terminal_1d": 7.0},
        "customer_distinct_terminal_1d",
        "7 different terminals for payments by this customer in the last 24 hours (typically 0)",
    ),
    (
        {"customer_large_count_7d": 4.0},
        "customer_large_count_7d",
        "4 unusually large payments by this customer in the last 7 days (typically 1)",
    ),
    (
        {"customer_night_share_20d": 0.05},
        "customer_night_share_20d",
        "5 % of the earlier payments by this customer in the last 20 days were at night (typically 0 %)",
    ),
    (
        {"customer_weekend_share_20d": 0.5},
        "customer_weekend_share_20d",
        "50 % of the earlier payments by this customer in the last 20 days were at a weekend (typically 0 %)",
    ),
    (
        {"customer_amount_std_7d": 21.3},
        "customer_amount_std_7d",
        "amounts by this customer in the last 7 days vary by ± 21.30 (typically 0.00)",
    ),
    (
        {"customer_amount_min_7d": 5.0},
        "customer_amount_min_7d",
        "payments by this customer in the last 7 days are no smaller than 5.00 (typically 0.00)",
    ),
    (
        {"terminal_matured_count_7d": 12.0},
        "terminal_matured_count_7d",
        "12 payments at this terminal in 7 days up to the label delay (typically 1)",
    ),
]


@pytest.mark.parametrize(("values", "column", "expected"), EVERYTHING)
def test_wording_of_every_aggregate(cards: Portfolio, values: dict[str, Any], column: str, expected: str) -> None:
    assert expected in _sentences(with_everything(cards), values, weights={column: 0.01})


@pytest.mark.parametrize(
    ("aggregates", "values", "expected"),
    [
        (("seconds_since_fraud",), {"terminal_seconds_since_fraud": 3 * DAY},
         "last known fraud at this terminal was 3 days ago"),
        (("seconds_since_fraud_report",), {"terminal_seconds_since_fraud_report": 3 * DAY},
         "last known fraud at this terminal became known 3 days ago"),
        (("fraud_streak",), {"terminal_fraud_streak": 4.0},
         "4 confirmed frauds at this terminal, one after the other, were the latest of which that is known"),
        (("seconds_since_fraud_streak",), {"terminal_seconds_since_fraud_streak": 12 * DAY},
         "every payment at this terminal of which that is known has been a confirmed fraud for 12 days"),
        (("fraud_rate_smoothed",), {"terminal_fraud_rate_smoothed_7d": 0.25},
         "confirmed frauds are 25 % of the payments at this terminal in the last 7 days (typically 0 %)"),
        (("fraud_amount_share", "seconds_since_fraud"),
         {"terminal_fraud_amount_share_7d": 0.5, "terminal_seconds_since_fraud": 9 * DAY},
         "confirmed frauds are 50 % of the amount of the payments at this terminal in the last 7 days (typically 0 %), "
         "the last known one 9 days ago"),
    ],
)  # fmt: skip
def test_wording_of_what_was_known_of_fraud(
    cards: Portfolio, aggregates: tuple[str, ...], values: dict[str, Any], expected: str
) -> None:
    group = EntityFeatures(entity="terminal", windows=(timedelta(days=7),), aggregates=aggregates)
    portfolio = cards.model_copy(update={"features": Features(behaviour=(group,))})
    columns = model_columns(portfolio)
    background = _background(columns) | {name: 0.0 for name in columns.numeric if "since" in name}
    model = Linear(columns, background, dict.fromkeys(values, 0.01))
    assert expected in explain(model, _frame(columns, **values), portfolio)[0]


def test_every_aggregate_has_words_of_its_own(cards: Portfolio) -> None:
    portfolio = with_everything(cards)
    kinds = {group.kind for group in group_columns(model_columns(portfolio).all, portfolio)}
    assert kinds - set(_WORDINGS) == {"column"}, "columns of the transaction itself are told as they are"


def test_time_between_payments(cards: Portfolio) -> None:
    weights = {"customer_seconds_since_last": -0.001}
    assert _sentences(cards, {"customer_seconds_since_last": 42.0}, weights=weights) == [
        "42 seconds after the previous payment by this customer (typically 9 hours)"
    ]


def test_missing_behaviour_is_told_as_such(cards: Portfolio) -> None:
    class Missing(Linear):
        def score(self, frame: pd.DataFrame) -> np.ndarray:
            return np.where(frame["customer_seconds_since_last"].isna(), 0.8, 0.1)

    columns = model_columns(cards)
    frame = _frame(columns, customer_seconds_since_last=None)
    assert explain(Missing(columns, _background(columns), {}), frame, cards) == [
        ["no earlier payment by this customer in 30 days"]
    ]


def test_categories_and_their_missing_values(cards: Portfolio) -> None:
    levels = {"channel": {"online": 2.0}, "country": {None: 1.0}}
    told = _sentences(cards, {"channel": "online", "country": None}, levels=levels)
    assert told == ["channel is online, mostly card_present", "country is missing, mostly DE"]


def test_a_value_that_is_as_usual_and_still_a_reason_says_so(cards: Portfolio, columns: ModelColumns) -> None:
    """Against an average of many rows even the commonest value may raise a score."""
    background = {**_background(columns), "country": "(missing)"}

    class Blind(Linear):
        def matrix(self, frame: pd.DataFrame) -> np.ndarray:
            # The typical row differs in what it computes with, not in what is told.
            made = super().matrix(frame)
            if "transaction_id" not in frame:
                made[:, list(self.origins).index("country")] = "elsewhere"
            return made

    model = Blind(columns, background, {}, {"country": {None: 1.0}})
    assert explain(model, _frame(columns, country=None), cards) == [["country is missing, as usual"]]


def test_where_a_category_is_mostly_missing(cards: Portfolio, columns: ModelColumns) -> None:
    background = {**_background(columns), "country": "(missing)"}
    model = Linear(columns, background, {}, {"country": {"FR": 1.0}})
    assert explain(model, _frame(columns, country="FR"), cards) == [["country is FR, mostly missing"]]


def test_a_category_cannot_carry_a_card_number_or_a_line_break(cards: Portfolio) -> None:
    evil = "a\nBcc: x 4111 1111 1111 1111 " + "z" * 100
    (told,) = _sentences(cards, {"channel": evil}, levels={"channel": {evil: 2.0}})
    assert "4111" not in told
    assert "\n" not in told
    assert len(told) < 100


def test_columns_of_which_nothing_is_known(portfolios: dict[str, Portfolio]) -> None:
    ulb = portfolios["ulb"]
    columns = model_columns(ulb)
    background = dict.fromkeys(columns.numeric, 0.0) | {"V14": 0.03, "amount": 22.0}
    row = background | {
        "V14": -8.22,
        "V4": 3.0,
        "event_time": pd.Timestamp("2013-09-01T10:00Z"),
        "amount_minor": 2200,
    }
    model = Linear(columns, background, {"V14": -0.5, "V4": 0.5, "amount": 0.01})
    assert explain(model, pd.DataFrame([row]), ulb) == [["V14 is −8.2, typically 0.0", "V4 is 3, typically 0"]]


def test_an_amount_without_behaviour(portfolios: dict[str, Portfolio]) -> None:
    ulb = portfolios["ulb"]
    columns = model_columns(ulb)
    background = dict.fromkeys(columns.numeric, 0.0) | {"amount": 22.0}
    row = background | {"amount": 412.0, "event_time": pd.Timestamp("2013-09-01T10:00Z"), "amount_minor": 41_200}
    model = Linear(columns, background, {"amount": 0.01})
    assert explain(model, pd.DataFrame([row]), ulb) == [["amount 412.00, typically 22.00"]]


def test_a_row_that_nothing_sets_apart_still_has_a_reason(cards: Portfolio) -> None:
    (told,) = _sentences(cards, {}, weights={"customer_count_1d": 1.0})
    assert "combination" in told


def test_saturated_scores_still_have_reasons(cards: Portfolio) -> None:
    """Each of two causes alone suffices: taking one away changes nothing, so both ends are measured."""

    class Either(Linear):
        def score(self, frame: pd.DataFrame) -> np.ndarray:
            return np.where((frame["customer_count_1d"] > 5) | (frame["card_count_1d"] > 5), 1.0, 0.0)

    columns = model_columns(cards)
    frame = _frame(columns, customer_count_1d=9.0, card_count_1d=9.0)
    (told,) = explain(Either(columns, _background(columns), {}), frame, cards)
    assert told == [
        "9 payments by this customer in the last 24 hours (typically 1)",
        "9 payments with this card in the last 24 hours (typically 1)",
    ]


def test_the_limit_the_order_and_the_repetition(cards: Portfolio, columns: ModelColumns) -> None:
    names = [n for n in columns.numeric if n != "amount" and "seconds" not in n]
    model = Linear(columns, _background(columns), dict.fromkeys(names, 0.01) | {"customer_count_7d": 0.1})
    frame = pd.concat([_frame(columns, **{n: _background(columns)[n] + 1 for n in names})] * 20)
    first = explain(model, frame, cards, limit=3)
    assert first == explain(model, frame, cards, limit=3)
    assert {len(told) for told in first} == {3}
    assert "payments by this customer" in first[0][0]


def test_a_column_that_the_model_learned_nothing_from_is_no_reason(cards: Portfolio) -> None:
    class Deaf(Linear):
        @property
        def origins(self) -> tuple[str, ...]:
            return tuple(name for name in self.columns.all if not name.startswith("customer_count_"))

    columns = model_columns(cards)
    frame = _frame(columns, customer_count_1d=9.0, card_count_1d=9.0)
    (told,) = explain(Deaf(columns, _background(columns), {"card_count_1d": 0.1}), frame, cards)
    assert told == ["9 payments with this card in the last 24 hours (typically 1)"]


def test_nothing_to_explain(cards: Portfolio, columns: ModelColumns) -> None:
    assert explain(Linear(columns, {}, {}), _frame(columns).iloc[:0], cards) == []


def test_a_column_that_the_model_misses_is_named(cards: Portfolio, columns: ModelColumns) -> None:
    with pytest.raises(ContractError, match="customer_count_1d"):
        explain(Linear(columns, {}, {}), _frame(columns).drop(columns="customer_count_1d"), cards)


def test_a_reason_is_data_as_well(cards: Portfolio, columns: ModelColumns) -> None:
    model = Linear(columns, _background(columns), {"customer_count_1d": 0.5, "hour": -0.1, "amount": 0.001})
    frame = _frame(columns, customer_count_1d=7.0, hour=20.0, customer_count_7d=None)
    (found,) = _explanations(model, frame, cards)
    count, amount = found.reasons
    assert (count.group, count.contribution) == ("count", pytest.approx(3.0, abs=1e-6))
    told = {fact.column: (fact.value, fact.usual) for fact in count.columns}
    assert told["customer_count_1d"] == (7.0, 1.0)
    assert told["customer_count_7d"] == (None, 1.0)
    assert (amount.group, amount.contribution) == ("amount", pytest.approx(0.39, abs=1e-6))
    # The hour lowered the score: it is no reason, and still part of the sum.
    assert found.rest == pytest.approx(-0.6, abs=1e-6)
    assert found.method == "exchange"


def test_base_reasons_rest_and_remainder_are_the_margin(cards: Portfolio, columns: ModelColumns) -> None:
    class Either(Linear):
        def score(self, frame: pd.DataFrame) -> np.ndarray:
            return np.where((frame["customer_count_1d"] > 5) & (frame["card_count_1d"] > 5), 0.9, 0.1)

    (found,) = _explanations(
        Either(columns, _background(columns), {}), _frame(columns, customer_count_1d=9.0, card_count_1d=9.0), cards
    )
    told = sum(reason.contribution for reason in found.reasons)
    assert found.base + told + found.rest + found.remainder == pytest.approx(found.margin, abs=1e-5)
    assert found.margin == pytest.approx(np.log(9), abs=1e-5)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_long_number_is_no_fact_either(cards: Portfolio, columns: ModelColumns) -> None:
    evil = "x 4111 1111 1111 1111"
    model = Linear(columns, _background(columns), {}, {"channel": {evil: 2.0}})
    (found,) = _explanations(model, _frame(columns, channel=evil), cards)
    assert "4111" not in json.dumps(found.to_dict())
