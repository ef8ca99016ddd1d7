"""How much each member of a blend moves the blend's log-odds, per unit of its own.

A blend averages votes (probabilities, ranks or log-odds), and its log-odds are those of the average: not a sum of the
members' log-odds. So the members walk together in a straight line from their bases to the row, and what the blend's
log-odds gain at each step is shared by what each vote contributes to it: the path of Aumann and Shapley. The shares
add up to the whole way, whatever the averages do in between.

References
----------
Sundararajan, Taly and Yan (2017), Axiomatic attribution for deep networks, arXiv 1703.01365 (completeness of the path).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_STEPS = 32
_STILL = 1e-6
"""A member that moves less than this is moved as much, so that what it does per unit is known."""
_FLAT = 1e-12
_EDGE = 1e-9


class Blend(Protocol):
    """What is used of a blended estimator."""

    @property
    def members(self) -> Sequence[Any]:
        """Members with ``weight``, ``start``, ``stop`` and ``estimator``."""

    @property
    def average(self) -> str:
        """``probability``, ``rank`` or ``log_odds``."""

    def vote(self, member: Any, fraud: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a member adds to the average for its own probabilities."""


@dataclass(frozen=True, eq=False)
class Way:
    """From the members' bases to the rows.

    Attributes
    ----------
    base, margin
        The blend's log-odds at both ends. Shape (n,).
    stretch
        What the blend's log-odds gain per unit of each member's. Shape (n, members).
    """

    base: NDArray[np.float64]
    margin: NDArray[np.float64]
    stretch: NDArray[np.float64]


def walk(blend: Blend, bases: NDArray[np.float64], margins: NDArray[np.float64]) -> Way:
    """Walk from the bases to the margins of the members.

    Parameters
    ----------
    bases, margins
        Members' log-odds. Shape (n, members).
    """
    way = margins - bases
    way = np.where(np.abs(way) < _STILL, np.where(way < 0, -_STILL, _STILL), way)
    votes = _votes(blend, bases)
    odds = _odds(blend, votes.sum(axis=1))
    base, gained = odds, np.zeros_like(way)
    for step in range(1, _STEPS + 1):
        further = _votes(blend, bases + way * (step / _STEPS))
        reached = _odds(blend, further.sum(axis=1))
        change = further - votes
        gained += change * _slope(blend, votes, change, reached - odds)[:, None]
        votes, odds = further, reached
    return Way(base, odds, gained / way)


def log_odds(probability: NDArray[np.float64], edge: float = _EDGE) -> NDArray[np.float64]:
    """Log-odds, finite for 0 and 1."""
    found: NDArray[np.float64] = np.log(probability + edge) - np.log1p(edge - probability)
    return found


def _votes(blend: Blend, margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted votes of the members at some log-odds of theirs. Shape (n, members)."""
    vote: Callable[[Any, NDArray[np.float64]], NDArray[np.float64]] = blend.vote
    columns = [
        member.weight * vote(member, 1 / (1 + np.exp(-margins[:, place]))) for place, member in enumerate(blend.members)
    ]
    return np.column_stack(columns)


def _odds(blend: Blend, total: NDArray[np.float64]) -> NDArray[np.float64]:
    return total if blend.average == "log_odds" else log_odds(np.clip(total, 0.0, 1.0))


def _slope(
    blend: Blend, votes: NDArray[np.float64], change: NDArray[np.float64], gain: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log-odds per vote over one step; where the votes cancel out, at its beginning."""
    total = change.sum(axis=1)
    here = np.clip(votes.sum(axis=1), 0.0, 1.0)
    at_once = np.ones(len(total)) if blend.average == "log_odds" else 1 / ((here + _EDGE) * (1 + _EDGE - here))
    moving = np.abs(total) > _FLAT
    return np.where(moving, gain / np.where(moving, total, 1.0), at_once)
