"""What every threshold would do with some scores, as a table that is small enough for a page to draw and slide on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudops.evaluation.costs import CostModel
from fraudops.evaluation.money import CostCurve
from fraudops.evaluation.ranking import Ranking

MOST_POINTS = 500
_BY_FLAGGED, _BY_CAUGHT = 260, 200
_DIGITS = 9


@dataclass(frozen=True, eq=False)
class CurveTable:
    """What lies at or above each of some thresholds, the highest first.

    Attributes
    ----------
    threshold
        Distinct scores, descending, at most :data:`MOST_POINTS`.
    flagged, caught
        Transactions, and frauds among them, that score so much or more.
    caught_minor
        Amounts of those frauds, minor units; None where transactions have no amount.
    cost_minor
        Cost when all of them are reviewed (blocked from the block threshold on), minor units; None without costs.
    """

    threshold: np.ndarray
    flagged: np.ndarray
    caught: np.ndarray
    caught_minor: np.ndarray | None = None
    cost_minor: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        label: np.ndarray,
        score: np.ndarray,
        amount_minor: np.ndarray | None = None,
        costs: CostModel | None = None,
        *,
        block: float | None = None,
        keep: Iterable[float] = (),
    ) -> CurveTable:
        """The table of some scores.

        Parameters
        ----------
        label
            True for fraud.
        amount_minor, costs
            Minor units; absent: nothing is told in money.
        block
            Scores at or above it are blocked, wherever the review threshold lies.
        keep
            Thresholds whose place must be in the table.

        Raises
        ------
        ValueError
            The arrays differ in length, or a score is not a number.
        """
        label, score = np.asarray(label, dtype=bool), np.asarray(score, dtype=np.float64)
        ranking = Ranking.of(label, score)
        places = _places(ranking, [*keep, *([] if block is None else [block])])
        value = cost = None
        if amount_minor is not None:
            value = _caught_value(label, score, amount_minor)[places]
        if amount_minor is not None and costs is not None:
            cost = np.round(CostCurve.of(label, score, amount_minor, costs, block=block).cost[places])
        return cls(ranking.scores[places], ranking.flagged[places], ranking.caught[places], value, cost)

    def to_dict(self) -> dict[str, Any]:
        """A column each, as JSON-able values; scores with nine significant digits."""
        columns = {
            "flagged": self.flagged,
            "caught": self.caught,
            "caught_minor": self.caught_minor,
            "cost_minor": self.cost_minor,
        }
        whole = {name: None if found is None else [int(item) for item in found] for name, found in columns.items()}
        return {"threshold": [float(f"{item:.{_DIGITS}g}") for item in self.threshold], **whole}


def _places(ranking: Ranking, keep: list[float]) -> np.ndarray:
    """Places worth keeping: dense where alerts are affordable, where frauds are found, and where it was asked for."""
    last = len(ranking.scores) - 1
    if last < MOST_POINTS:
        return np.arange(last + 1)
    by_flagged = np.searchsorted(ranking.flagged, np.geomspace(1, ranking.n, _BY_FLAGGED))
    by_caught = np.searchsorted(ranking.caught, np.linspace(0, ranking.n_positives, _BY_CAUGHT))
    asked = np.searchsorted(-ranking.scores, -np.asarray(keep, dtype=np.float64), side="right") - 1
    return np.unique(np.concatenate([by_flagged, by_caught, asked, [0, last]]).clip(0, last))


def _caught_value(label: np.ndarray, score: np.ndarray, amount_minor: np.ndarray) -> np.ndarray:
    """Amount of fraud at or above each distinct score; a refund is lost to nobody."""
    _, place = np.unique(-score, return_inverse=True)
    value = np.where(label, np.maximum(np.asarray(amount_minor, dtype=np.float64), 0.0), 0.0)
    return np.cumsum(np.bincount(place, weights=value))
