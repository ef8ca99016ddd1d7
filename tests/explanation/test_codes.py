"""Every reason has a code, which is told apart from others and stays what it is."""

from __future__ import annotations

import pytest
from fraudops.aggregates import AGGREGATES
from fraudops.explanation.codes import WHAT, code_of
from fraudops.explanation.groups import group_columns
from fraudops.features import model_columns
from fraudops.portfolio import Portfolio

CARDS = {
    "amount": "customer.amount_unusual",
    "country": "column.country",
    "currency": "column.currency",
    "channel": "column.channel",
    "hour": "transaction.time_of_day",
    "weekday": "transaction.day_of_week",
    "card_amount_sum_1d": "card.amount_sum",
    "card_count_1d": "card.count",
    "customer_amount_max_1d": "customer.amount_largest",
    "customer_amount_mean_1d": "customer.amount_mean",
    "customer_count_1d": "customer.count",
    "customer_large_count_1d": "customer.large_payments",
    "customer_seconds_since_first": "customer.new",
    "customer_seconds_since_last": "customer.time_since_last",
    "customer_terminal_count_30d": "customer_terminal.count",
    "customer_terminal_seconds_since_first": "customer_terminal.new",
    "terminal_amount_mean_1d": "terminal.amount_mean",
    "terminal_count_1d": "terminal.count",
    "terminal_fraud_count_1d": "terminal.known_frauds",
}
"""As they were given out: a change here is a change for every client."""


def test_the_codes_of_cards_stay_what_they_are(portfolios: dict[str, Portfolio]) -> None:
    groups = group_columns(model_columns(portfolios["cards"]).all, portfolios["cards"])
    assert {group.columns[0]: code_of(group) for group in groups} == CARDS


@pytest.mark.parametrize("name", ["cards", "accounts", "handbook", "ulb"])
def test_every_group_has_a_code_of_its_own(portfolios: dict[str, Portfolio], name: str) -> None:
    groups = group_columns(model_columns(portfolios[name]).all, portfolios[name])
    assert len({code_of(group) for group in groups}) == len(groups)


def test_every_aggregate_has_one() -> None:
    told_with_others = {"amount_ratio", "amount_z", "is_new", "seconds_since_first"}
    for name, aggregate in AGGREGATES.items():
        assert aggregate.labels or name in told_with_others or name in WHAT, name
