"""What another policy would have done with the champion's scores, beside what its own thresholds did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fraudops.database import ModelVersion
from fraudops.errors import ContractError
from fraudops.evaluation import money
from fraudops.evaluation.costs import ALLOW, BLOCK, CostModel
from fraudops.evaluation.money import Money
from fraudops.portfolio import Policy, Portfolio
from fraudops.registry.comparison import read_predictions, rows_of
from fraudops.registry.versions import champion
from fraudops.training.money import cost_model
from fraudops.training.splits import TEST, VALIDATION
from fraudops.training.thresholds import Thresholds, choose
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Outcome:
    """What thresholds do on the test slice.

    Attributes
    ----------
    alerts_per_day
        Reviewed or blocked, without samples.
    caught, frauds
        Frauds among them, and all there were.
    caught_value, value
        Their amounts, minor units; None where transactions have none.
    blocked, blocked_genuine
        Blocked transactions, and those of them that were genuine.
    money
        None where there are no costs.
    """

    thresholds: Thresholds
    alerts_per_day: float
    caught: int
    frauds: int
    caught_value: int | None
    value: int | None
    blocked: int
    blocked_genuine: int
    money: Money | None


@dataclass(frozen=True)
class Trial:
    """Two policies on the same transactions, with the same costs."""

    version: str
    candidate: str
    first: str
    last: str
    n: int
    days: float
    today: Outcome
    tried: Outcome


def try_policy(ws: Workspace, portfolio: Portfolio, policy: Policy) -> Trial:
    """Set thresholds by another policy where the champion's were set, and measure both where it was gated.

    Nothing is changed: a policy comes into force with the next model that is trained and promoted.

    Parameters
    ----------
    policy
        To be tried; its costs measure both.

    Raises
    ------
    ContractError
        There is no champion yet.
    IntegrityError
        Its predictions are not those that were written.
    """
    with ws.transaction() as session:
        model = champion(session, portfolio.name)
    if model is None:
        raise ContractError(
            "there is no champion whose scores another policy could be tried on",
            where=portfolio.name,
            remedy=f"run {portfolio.dag_id('train')} and promote a model first",
        )
    predictions = read_predictions(ws, model)
    costs = cost_model(portfolio.model_copy(update={"policy": policy}))
    chosen_on, test = rows_of(predictions, VALIDATION), rows_of(predictions, TEST)
    tried = choose(
        chosen_on["label"].to_numpy(dtype=bool),
        chosen_on["score"].to_numpy(dtype=np.float64),
        days=model.metrics[VALIDATION]["days"],
        policy=policy,
        amount_minor=_amounts(portfolio, chosen_on),
        costs=costs,
    )
    return Trial(
        version=model.version,
        candidate=model.candidate,
        first=str(test["partition_key"].min()),
        last=str(test["partition_key"].max()),
        n=len(test),
        days=model.metrics["days"],
        today=_outcome(portfolio, model, test, Thresholds.read(model.thresholds), costs),
        tried=_outcome(portfolio, model, test, tried, costs),
    )


def _outcome(
    portfolio: Portfolio, model: ModelVersion, test: pd.DataFrame, thresholds: Thresholds, costs: CostModel | None
) -> Outcome:
    label, score = test["label"].to_numpy(dtype=bool), test["score"].to_numpy(dtype=np.float64)
    amount = _amounts(portfolio, test)
    decision = thresholds.decide(score, amount)
    flagged, blocked = decision != ALLOW, decision == BLOCK
    return Outcome(
        thresholds=thresholds,
        alerts_per_day=float(flagged.sum() / model.metrics["days"]),
        caught=int((flagged & label).sum()),
        frauds=int(label.sum()),
        caught_value=None if amount is None else int(amount[flagged & label].sum()),
        value=None if amount is None else int(amount[label].sum()),
        blocked=int(blocked.sum()),
        blocked_genuine=int((blocked & ~label).sum()),
        money=None
        if costs is None or amount is None
        else money.measure(label, score, decision, amount, costs, block=thresholds.block, seed=portfolio.training.seed),
    )


def _amounts(portfolio: Portfolio, rows: pd.DataFrame) -> np.ndarray | None:
    return rows["amount_minor"].to_numpy() if portfolio.has_amount else None
