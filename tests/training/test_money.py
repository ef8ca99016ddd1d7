from __future__ import annotations

from pathlib import Path

from fraudops.evaluation.costs import CostModel
from fraudops.portfolio import Costs, Policy, load_portfolio
from fraudops.training.money import cost_model

CARDS = load_portfolio(Path(__file__).parents[2] / "include/portfolios/cards.yaml")


def test_costs_are_stated_in_major_units_and_reckoned_in_minor_ones() -> None:
    policy = Policy(costs=Costs(review=2.5, friction=12, recovered=0.9))
    portfolio = CARDS.model_copy(update={"policy": policy})
    assert cost_model(portfolio) == CostModel(review=250, friction=1_200, recovered=0.9)
    yen = portfolio.model_copy(update={"minor_digits": 0})
    assert cost_model(yen) == CostModel(review=2.5, friction=12, recovered=0.9)


def test_who_states_no_costs_measures_no_money() -> None:
    assert cost_model(CARDS.model_copy(update={"policy": Policy()})) is None
