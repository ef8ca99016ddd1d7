"""Where scores become decisions: thresholds that the policy implies on the selection slice.

Without costs the review threshold spends the alert budget. With costs the budget is a limit, and below it only what
is worth a review is reviewed: by the score alone, or, as Höppner et al. propose, by what is expected to be lost.

References
----------
Höppner, Baesens, Verbeke and Verdonck (2022), Instance-dependent cost-sensitive learning for detecting transfer
fraud, arXiv 2005.02488.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from fraudops.evaluation.costs import ALLOW, BLOCK, REVIEW, CostModel
from fraudops.evaluation.metrics import alert_budget
from fraudops.evaluation.ranking import Ranking
from fraudops.portfolio import Policy


@dataclass(frozen=True)
class Thresholds:
    """From where on a transaction is reviewed, and blocked.

    Attributes
    ----------
    review
        A score at or above it is reviewed at least. 0 where ``review_value`` decides.
    block
        A score at or above it is blocked; None: nothing is. Never below ``review``.
    alerts_per_day
        How many of the selection slice would have been reviewed or blocked, per day, samples included.
    block_precision, block_rows
        Share of fraud at or above the block threshold on the selection slice, and how many rows lie there.
    review_value
        Where the policy decides by value: what must be expected to be lost (score × amount, minor units) for a
        transaction to be reviewed, whatever its score. None: the score decides.
    pass_blocks, sample_below
        Share of would-be blocks that goes to review instead, and of what would be allowed that is reviewed all the
        same; see :mod:`fraudops.decisions.exploration`. What :meth:`decide` says is before that.
    """

    review: float
    block: float | None
    alerts_per_day: float
    block_precision: float | None
    block_rows: int
    # Models stored before there was such a field read its default.
    review_value: float | None = None
    pass_blocks: float = 0.0
    sample_below: float = 0.0

    def decide(self, score: np.ndarray, amount_minor: np.ndarray | None = None) -> np.ndarray:
        """``allow``, ``review`` or ``block`` for each score.

        Parameters
        ----------
        amount_minor
            Amounts in minor units; needed where the policy decides by value.

        Raises
        ------
        ValueError
            They are needed and absent.
        """
        score = np.asarray(score, dtype=np.float64)
        if self.review_value is None:
            return decide(score, self.review, self.block)
        if amount_minor is None:
            raise ValueError("these thresholds weigh a score with its amount, and there are no amounts")
        decision = np.where(expected_loss(score, amount_minor) >= self.review_value, REVIEW, ALLOW).astype(object)
        if self.block is not None:
            decision[score >= self.block] = BLOCK
        return decision

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Thresholds:
        """From :meth:`to_dict`'s result, of this version or an earlier one."""
        measured = {"alerts_per_day": 0.0, "block_precision": None, "block_rows": 0}
        known = {field.name for field in fields(cls)}
        return cls(**{**measured, **{name: value for name, value in stored.items() if name in known}})

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)


def decide(score: np.ndarray, review: float, block: float | None) -> np.ndarray:
    """``allow``, ``review`` or ``block`` for each score, by the score alone."""
    decision = np.where(score >= review, REVIEW, ALLOW).astype(object)
    if block is not None:
        decision[score >= block] = BLOCK
    return decision


def expected_loss(score: np.ndarray, amount_minor: np.ndarray) -> np.ndarray:
    """Probability of fraud × amount, minor units; a refund loses nothing."""
    return np.asarray(score, dtype=np.float64) * np.maximum(np.asarray(amount_minor, dtype=np.float64), 0.0)


def choose(
    label: np.ndarray,
    score: np.ndarray,
    *,
    days: float,
    policy: Policy,
    amount_minor: np.ndarray | None = None,
    costs: CostModel | None = None,
    weight: np.ndarray | None = None,
) -> Thresholds:
    """Thresholds by a portfolio's policy.

    Parameters
    ----------
    label, score
        Of the selection slice: true for fraud, calibrated probability.
    days
        Time that the slice covers.
    policy
        Alert budget, and the precision from which on blocking is right.
    amount_minor, costs
        Amounts and what decisions cost, minor units; without either the budget alone sets the review threshold.
    weight
        How many transactions each row stands for; absent: itself.
    """
    label, score = np.asarray(label, dtype=bool), np.asarray(score, dtype=np.float64)
    weight = np.ones(len(label)) if weight is None else np.asarray(weight, dtype=np.float64)
    budget, rate = _shared(policy, days, round(weight.sum()))
    held = _Slice(label, score, weight, budget, rate, days, policy)
    if amount_minor is None or costs is None:
        return held.by_budget()
    money = _Money(np.maximum(np.asarray(amount_minor, dtype=np.float64), 0.0), costs)
    return held.by_value(money) if policy.thresholds == "value" else held.by_score(money)


_CANDIDATES = 200
"""Block thresholds that are weighed against each other by value."""

# -- inside -------------------------------------------------------------------------------------------


def _shared(policy: Policy, days: float, n: int) -> tuple[int, float]:
    """Alerts that are left to the thresholds, and the rate of samples, which take at most their share of the budget."""
    budget = alert_budget(policy.alerts_per_day, days, n)
    if not policy.exploration.sample_below or not n:
        return budget, 0.0
    rate = min(policy.exploration.sample_below, policy.exploration.budget_share * budget / n)
    return max(int(budget - rate * n + 1e-9), min(1, n)), rate


@dataclass(frozen=True, eq=False)
class _Money:
    """What decisions on each transaction are expected to cost, minor units."""

    amount: np.ndarray
    costs: CostModel

    def allowing(self, score: np.ndarray) -> np.ndarray:
        return score * self.amount

    def reviewing(self, score: np.ndarray) -> np.ndarray:
        return self.costs.review + (1 - self.costs.recovered) * score * self.amount

    def blocking(self, score: np.ndarray) -> np.ndarray:
        return (1 - score) * self.costs.friction


@dataclass(frozen=True, eq=False)
class _Slice:
    """The selection slice, and what the policy says about it."""

    label: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    budget: int
    sample_below: float
    days: float
    policy: Policy

    def by_budget(self) -> Thresholds:
        """Review as many as the budget allows; block from the lowest score that is precise enough."""
        review = float(self._ranking.scores[max(self._affordable(self._ranking) - 1, 0)])
        precise = np.flatnonzero(self._precise)
        block = float(self._ranking.scores[precise[-1]]) if len(precise) else None
        return self._measured(review, None if block is None else max(block, review))

    def by_score(self, money: _Money) -> Thresholds:
        """Within the budget, review and block from the scores that are expected to cost least.

        Expected by the calibrated probabilities rather than counted in the slice's own frauds, which are few: one
        large amount more or less would move the threshold.
        """
        gain = self._by_place(money.allowing(self.score) - money.reviewing(self.score))
        # At least the highest score is looked at: who never looks learns nothing.
        review = float(self._ranking.scores[np.argmax(gain[: max(self._affordable(self._ranking), 1)])])
        block = self._block(money.reviewing(self.score) - money.blocking(self.score), self._precise)
        return self._measured(review, None if block is None else max(block, review))

    def by_value(self, money: _Money) -> Thresholds:
        """Review what is expected to lose more than a review costs, the most first where the budget is short.

        Blocks and reviews share the budget: a block threshold is right where the two together are expected to gain
        most.
        """
        block = max(self._candidate_blocks(), key=lambda block: self._gained(money, block))
        passed = self._below(block)
        loss = Ranking.of(self.label[passed], money.allowing(self.score)[passed], self.weight[passed])
        left = self.budget - self.weight[~passed].sum()
        affordable = int(np.searchsorted(loss.flagged, left, side="right"))
        # The least loss that the budget has room for; where it has room for all, what a review is worth decides.
        cut = float(loss.scores[affordable]) if affordable < len(loss.scores) else None
        worth = money.costs.review / money.costs.recovered
        value = worth if cut is None else max(worth, float(np.nextafter(cut, np.inf)))
        return self._measured(0.0, block, amount=money.amount, review_value=value)

    def _candidate_blocks(self) -> list[float | None]:
        """Scores that blocking may start at within budget and precision, and None; no more than make a difference."""
        places = np.flatnonzero(self._precise & (self._ranking.flagged <= self.budget))
        if len(places) > _CANDIDATES:
            places = places[np.linspace(0, len(places) - 1, _CANDIDATES).astype(int)]
        return [None, *self._ranking.scores[places].tolist()]

    def _gained(self, money: _Money, block: float | None) -> float:
        """What blocking from a score on, and reviewing with what is left of the budget, gains beside allowing all."""
        allowing, passed = money.allowing(self.score), self._below(block)
        blocking = (self.weight * (allowing - money.blocking(self.score)))[~passed].sum()
        gain = allowing - money.reviewing(self.score)
        worth = np.flatnonzero(passed & (gain > 0))
        worth = worth[np.argsort(-allowing[worth], kind="stable")]
        room = np.cumsum(self.weight[worth]) <= self.budget - self.weight[~passed].sum()
        return float(blocking + (self.weight * gain)[worth[room]].sum())

    def _below(self, block: float | None) -> np.ndarray:
        return self.score < (np.inf if block is None else block)

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking.of(self.label, self.score, self.weight)

    @cached_property
    def _precise(self) -> np.ndarray:
        """For each distinct score, whether enough rows lie at or above it, and enough of them were fraud."""
        precision, _ = self._ranking.precision_recall()
        rows = Ranking.of(self.label, self.score).flagged
        return (precision >= self.policy.block_precision) & (rows >= self.policy.block_minimum)

    def _affordable(self, ranking: Ranking) -> int:
        """How many distinct scores the budget reaches; equal ones at its edge are left out together."""
        return int(np.searchsorted(ranking.flagged, self.budget, side="right"))

    def _by_place(self, value: np.ndarray) -> np.ndarray:
        """Sum over all rows at or above each distinct score."""
        _, place = np.unique(-self.score, return_inverse=True)
        return np.cumsum(np.bincount(place, weights=value * self.weight))

    def _block(self, gain: np.ndarray, possible: np.ndarray) -> float | None:
        """Of the possible thresholds the one above which blocking gains most; None where none gains anything."""
        total = np.where(possible, self._by_place(gain), 0.0)
        best = int(np.argmax(total))
        return float(self._ranking.scores[best]) if total[best] > 0 else None

    def _measured(
        self, review: float, block: float | None, amount: np.ndarray | None = None, review_value: float | None = None
    ) -> Thresholds:
        """The thresholds, with what they would have done on the slice."""
        passed = 0.0 if block is None else self.policy.exploration.pass_blocks
        bare = Thresholds(review, block, 0.0, None, 0, review_value, passed, self.sample_below)
        decision = bare.decide(self.score, amount)
        allowed, blocked = decision == ALLOW, decision == BLOCK
        flagged = float(self.weight[~allowed].sum() + self.sample_below * self.weight[allowed].sum())
        caught, weight = float(self.weight[blocked & self.label].sum()), float(self.weight[blocked].sum())
        return replace(
            bare,
            alerts_per_day=flagged / self.days if self.days > 0 else flagged,
            block_precision=caught / weight if weight else None,
            block_rows=int(blocked.sum()),
        )
