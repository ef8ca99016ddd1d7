"""What decisions cost, in money, and what they save beside doing without a model.

A missed fraud costs its amount, a review the reviewer's time, a blocked genuine payment the customer's trouble.
Savings compare the sum with the cheaper of the two policies that need no model: allow everything, block everything.

References
----------
Bahnsen, Stojanovic, Aouada and Ottersten (2013), Cost sensitive credit card fraud detection using Bayes minimum risk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ALLOW, REVIEW, BLOCK = "allow", "review", "block"


@dataclass(frozen=True)
class CostModel:
    """What decisions cost, in minor units of the currency.

    Attributes
    ----------
    review
        A person's look at one transaction.
    friction
        A genuine payment that was blocked.
    recovered
        Share of a fraud's amount that a review saves; a block saves all of it.
    """

    review: float
    friction: float
    recovered: float = 1.0


@dataclass(frozen=True, eq=False)
class RowCosts:
    """Cost of each transaction under some decisions, and under the two policies that need no model.

    Sums of rows, so that a resample's cost is a dot product with its weights.

    Attributes
    ----------
    decided, allowing, blocking
        Minor units, one per transaction: as decided, had all been allowed, had all been blocked.
    """

    decided: np.ndarray
    allowing: np.ndarray
    blocking: np.ndarray

    @classmethod
    def of(cls, label: np.ndarray, decision: np.ndarray, amount_minor: np.ndarray, costs: CostModel) -> RowCosts:
        """Costs of some transactions.

        Parameters
        ----------
        label
            True for fraud.
        decision
            ``allow``, ``review`` or ``block``.
        amount_minor
            In minor units; what is not above zero (a refund) is lost to nobody.

        Raises
        ------
        ValueError
            The arrays differ in length, or a decision is none of the three.
        """
        label, decision = np.asarray(label, dtype=bool), np.asarray(decision)
        loss = np.where(label, np.maximum(np.asarray(amount_minor, dtype=np.float64), 0.0), 0.0)
        if not label.shape == decision.shape == loss.shape:
            raise ValueError(f"{len(label)} labels, {len(decision)} decisions, {len(loss)} amounts")
        reviewed, blocked = decision == REVIEW, decision == BLOCK
        if not np.all(reviewed | blocked | (decision == ALLOW)):
            raise ValueError("a decision is none of allow, review and block")
        blocking = np.where(label, 0.0, costs.friction)
        under_review = costs.review + (1 - costs.recovered) * loss
        return cls(np.select([reviewed, blocked], [under_review, blocking], loss), loss, blocking)

    def cost(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Cost as decided, minor units.

        Parameters
        ----------
        weights
            Shape (samples, transactions): how often each transaction was drawn. Absent: each once.

        Returns
        -------
        ndarray
            One value per sample; one where there are no weights.
        """
        return _summed(self.decided, weights)

    def savings(self, weights: np.ndarray | None = None) -> np.ndarray:
        """``1 − cost / min(cost of allowing all, cost of blocking all)``; weights and shape as in :meth:`cost`.

        1 is a policy that costs nothing, 0 one that is no better than doing without a model, less than 0 a worse
        one. NaN where doing without costs nothing.
        """
        without = np.minimum(_summed(self.allowing, weights), _summed(self.blocking, weights))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(without > 0, 1 - self.cost(weights) / without, np.nan)


def _summed(values: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    return values.sum(keepdims=True) if weights is None else np.asarray(weights, dtype=np.float64) @ values
