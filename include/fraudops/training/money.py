"""What a portfolio's decisions cost, in the units that amounts are kept in."""

from __future__ import annotations

from fraudops.evaluation.costs import CostModel
from fraudops.portfolio import Portfolio


def cost_model(portfolio: Portfolio) -> CostModel | None:
    """The portfolio's costs in minor units; None where it states none, or its transactions have no amount."""
    costs = portfolio.policy.costs
    if costs is None or not portfolio.has_amount:
        return None
    minor = 10**portfolio.minor_digits
    return CostModel(review=costs.review * minor, friction=costs.friction * minor, recovered=costs.recovered)
