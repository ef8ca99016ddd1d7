"""What is decided by chance, so that the labels which decisions would hide become known all the same.

A blocked payment never yields a chargeback, and what is allowed may be looked at by nobody. A model that learns from
what its predecessors let through alone learns a world without their blocks. So a stated share of would-be blocks goes
to review, and a small share of what would be allowed is reviewed as well; how likely each transaction's label was to
become known is stored beside its score, and training weighs by it.

Chance is a keyed hash of the transaction's id: a re-run chooses the same, and who does not hold the key cannot tell
which payment would slip through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fraudops.evaluation.costs import ALLOW, BLOCK, REVIEW
from fraudops.labels.selective import PASSED_BLOCK, POLICY, SAMPLE
from fraudops.portfolio import Portfolio

REASONS = {
    PASSED_BLOCK: "The policy would have blocked it; passed to review by chance, as a stated share of blocks is",
    SAMPLE: "Drawn by chance from what the policy allows, to learn what it misses: no suspicion raised it",
}
"""What an alert says first where chance raised it."""


class Rates(Protocol):
    """Shares that a model's thresholds state."""

    @property
    def pass_blocks(self) -> float:
        """Of would-be blocks."""

    @property
    def sample_below(self) -> float:
        """Of what would be allowed."""


@dataclass(frozen=True, eq=False)
class Explored:
    """Decisions after chance has had its say.

    Attributes
    ----------
    decision
        ``allow``, ``review`` or ``block``: what is done.
    route
        One of :data:`fraudops.labels.selective.ROUTES`.
    propensity
        Probability, before chance was asked, that the transaction's label would become known.
    """

    decision: np.ndarray
    route: np.ndarray
    propensity: np.ndarray


def explore(portfolio: Portfolio, decision: np.ndarray, ids: Sequence[str], rates: Rates, *, key: bytes) -> Explored:
    """Pass a share of the blocks to review, and review a sample of what is allowed.

    Parameters
    ----------
    decision
        What the thresholds say.
    ids
        Of the transactions.
    key
        Secret of the installation.
    """
    blocked, allowed = decision == BLOCK, decision == ALLOW
    passed = _drawn(portfolio, ids, blocked, rates.pass_blocks, PASSED_BLOCK, key)
    sampled = _drawn(portfolio, ids, allowed, rates.sample_below, SAMPLE, key)
    propensity = np.ones(len(decision))
    if portfolio.labels.blocked == "unlabelled":
        propensity[blocked] = rates.pass_blocks
    if portfolio.labels.unreported == "unknown":
        propensity[allowed] = rates.sample_below
    return Explored(
        decision=np.where(passed | sampled, REVIEW, decision).astype(object),
        route=np.select([passed, sampled], [PASSED_BLOCK, SAMPLE], POLICY).astype(object),
        propensity=propensity,
    )


def _drawn(
    portfolio: Portfolio, ids: Sequence[str], among: np.ndarray, rate: float, purpose: str, key: bytes
) -> np.ndarray:
    drawn = np.zeros(len(among), dtype=bool)
    if rate > 0:
        limit = rate * 2.0**64
        subject = f"exploration/{portfolio.name}/{purpose}".encode()
        salt = hashlib.blake2b(subject, key=key[:64], digest_size=32).digest()
        for row in np.flatnonzero(among).tolist():
            chance = hashlib.blake2b(ids[row].encode(), key=salt, digest_size=8).digest()
            drawn[row] = int.from_bytes(chance, "big") < limit
    return drawn
