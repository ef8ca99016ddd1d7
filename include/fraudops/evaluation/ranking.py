"""Scores in their order: curves and areas that depend on the ranking alone, ties taken as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """Distinct scores from the highest down, with what lies at each.

    Attributes
    ----------
    scores
        Distinct scores, descending.
    positives, negatives
        Frauds and genuine transactions with exactly that score.
    """

    scores: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray

    @classmethod
    def of(cls, label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> Ranking:
        """Rank labels (boolean) by score.

        Parameters
        ----------
        weight
            How many transactions each row stands for; absent: itself.

        Raises
        ------
        ValueError
            The two differ in length, or a score is not a number.
        """
        label, score = np.asarray(label, dtype=bool), np.asarray(score, dtype=np.float64)
        if label.shape != score.shape:
            raise ValueError(f"{label.shape[0]} labels but {score.shape[0]} scores")
        if np.isnan(score).any():
            raise ValueError(f"{int(np.isnan(score).sum())} scores are not a number")
        distinct, place = np.unique(-score, return_inverse=True)
        counted = np.ones(len(label)) if weight is None else np.asarray(weight, dtype=np.float64)
        positives = np.bincount(place, weights=label * counted, minlength=len(distinct))
        negatives = np.bincount(place, weights=~label * counted, minlength=len(distinct))
        return cls(-distinct, positives, negatives)

    @property
    def n(self) -> int:
        """Number of transactions, to the nearest where rows have weights."""
        return round(float(self.positives.sum() + self.negatives.sum()))

    @property
    def n_positives(self) -> int:
        """Number of frauds."""
        return round(float(self.positives.sum()))

    @property
    def flagged(self) -> np.ndarray:
        """Transactions at or above each distinct score."""
        return np.cumsum(self.positives + self.negatives)

    @property
    def caught(self) -> np.ndarray:
        """Frauds at or above each distinct score."""
        return np.cumsum(self.positives)

    def precision_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """Precision and recall when everything at or above each distinct score is flagged."""
        return self.caught / self.flagged, self.caught / max(self.n_positives, 1)

    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        """False- and true-positive rate at each distinct score, from (0, 0) to (1, 1): the ROC curve."""
        n_negatives = max(self.n - self.n_positives, 1)
        false = np.concatenate([[0.0], np.cumsum(self.negatives) / n_negatives])
        true = np.concatenate([[0.0], self.caught / max(self.n_positives, 1)])
        return false, true

    def compressed(self) -> Ranking:
        """The same ranking with neighbouring frauds-free scores put together.

        Every number of this module is unchanged by it, and there are at most twice as many places as frauds:
        that is what makes hundreds of resamples of a large slice cheap.
        """
        has_positive = self.positives > 0
        # A place with frauds stands for itself; the run of places without any after it is one.
        starts = has_positive | np.concatenate([[True], has_positive[:-1]])
        if not len(starts):
            return self
        first = np.flatnonzero(starts)
        return Ranking(
            self.scores[first],
            np.add.reduceat(self.positives, first),
            np.add.reduceat(self.negatives, first),
        )


def average_precision(label: np.ndarray, score: np.ndarray) -> float | None:
    """Area under the precision–recall steps, as scikit-learn computes it; None without frauds."""
    ranking = Ranking.of(label, score)
    found = average_precisions(ranking.positives[None, :], ranking.negatives[None, :])[0]
    return None if np.isnan(found) else float(found)


def roc_auc(label: np.ndarray, score: np.ndarray) -> float | None:
    """Chance that a fraud scores above a genuine transaction, ties counting half; None without both."""
    ranking = Ranking.of(label, score)
    found = roc_aucs(ranking.positives[None, :], ranking.negatives[None, :])[0]
    return None if np.isnan(found) else float(found)


def average_precisions(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Average precision of many samples of one ranking.

    Parameters
    ----------
    positives, negatives
        Shape (samples, places): counts at each place, highest score first.

    Returns
    -------
    ndarray
        One value per sample; NaN where a sample has no fraud.
    """
    caught = np.cumsum(positives, axis=1, dtype=np.float64)
    flagged = caught + np.cumsum(negatives, axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(flagged > 0, caught / flagged, 0.0)
        return (positives * precision).sum(axis=1) / positives.sum(axis=1)


def roc_aucs(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of many samples of one ranking; shapes as in :func:`average_precisions`."""
    above = np.cumsum(positives, axis=1, dtype=np.float64) - positives
    pairs = (negatives * (above + positives / 2)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return pairs / (positives.sum(axis=1) * negatives.sum(axis=1))


def caught_at(positives: np.ndarray, negatives: np.ndarray, k: int) -> np.ndarray:
    """Frauds among the k highest scores of many samples of one ranking.

    Where the k-th place falls among equal scores, the frauds there count in proportion: nobody knows which
    of them would have been looked at.
    """
    return (positives * shares_at(positives, negatives, k)).sum(axis=1)


def shares_at(positives: np.ndarray, negatives: np.ndarray, k: int) -> np.ndarray:
    """Share of each place that lies among the k highest scores; shapes as in :func:`average_precisions`."""
    here = positives + negatives
    flagged = np.cumsum(here, axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip((k - (flagged - here)) / here, 0.0, 1.0)
    return np.where(here > 0, share, 0.0)
