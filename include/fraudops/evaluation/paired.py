"""Two models on the same transactions: how much better one is, and how sure that is.

Both are judged on the same draws, so that what is easy or hard for both cancels out. Transactions are drawn in whole
days where there are at least 20, else in whole entities, else one by one (:mod:`fraudops.evaluation.resampling`).

Nothing is sorted again for a draw: between two frauds of a ranking genuine transactions are interchangeable, so a
draw is the number of frauds and of genuine ones at each *place* of the ranking, a product of two matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from fraudops.evaluation.costs import RowCosts
from fraudops.evaluation.ranking import average_precisions, shares_at
from fraudops.evaluation.resampling import Interval, Units, batches, expanded_percentiles, simultaneous, units_of

RESAMPLES = 1_000
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Difference:
    """A measure of the first model less that of the second.

    Attributes
    ----------
    first, second
        The measure of each.
    draws
        The difference in each resample; not a number where a resample holds no fraud.
    units
        How many drawn units hold a fraud: what the number rests on.
    """

    first: float
    second: float
    draws: np.ndarray
    units: int

    @property
    def value(self) -> float:
        """The difference itself."""
        return self.first - self.second

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Of the difference."""
        found = expanded_percentiles(self.draws, confidence, self.units)
        return found or Interval(self.value, self.value)

    @property
    def better(self) -> float:
        """Share of resamples in which the first model was better; equal ones count half."""
        found = self.draws[~np.isnan(self.draws)]
        return float(((found > 0) + 0.5 * (found == 0)).mean()) if len(found) else 0.5


@dataclass(frozen=True)
class SegmentDifference:
    """Share of a segment's fraud within the alert budget, first model less second."""

    name: str
    positives: int
    first: float
    second: float
    interval: Interval
    """Holds for all segments at once."""

    @property
    def value(self) -> float:
        """The difference itself."""
        return self.first - self.second


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two models on the same transactions.

    Attributes
    ----------
    savings
        None where nothing is measured in money.
    segments
        In the order in which they were asked for.
    unit, units
        What was drawn, and how many of them there were.
    """

    average_precision: Difference
    precision_at_k: Difference
    recall_at_k: Difference
    savings: Difference | None
    segments: tuple[SegmentDifference, ...]
    k: int
    unit: str
    units: int
    n: int
    positives: int


@dataclass(frozen=True, eq=False)
class Blocks:
    """What belongs together, of each transaction.

    Attributes
    ----------
    days
        Day; with at least 20 distinct ones whole days are drawn.
    entities
        Customer (or the like), drawn whole where there are too few days; a missing one stands for itself.
    """

    days: np.ndarray | None = None
    entities: np.ndarray | None = None


ROWS = Blocks()
"""Every transaction by itself."""


def compare(
    label: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    k: int,
    blocks: Blocks = ROWS,
    costs: tuple[RowCosts, RowCosts] | None = None,
    segments: Mapping[str, np.ndarray] | None = None,
    weight: np.ndarray | None = None,
    seed: int = 42,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Comparison | None:
    """Differences in average precision, precision and recall at the alert budget, and savings, from the same draws.

    Parameters
    ----------
    label
        True for fraud, one per transaction.
    first, second
        The two models' scores of these transactions.
    k
        Alert budget: how many of these transactions people can look at.
    blocks
        What is drawn whole. Absent: rows are drawn.
    costs
        Of these transactions under either model's decisions.
    segments
        Name → which transactions belong to it (boolean); segments may overlap, and each must hold a fraud.
    weight
        How many transactions each one stands for, where a label's becoming known was left to chance; absent: itself.
    seed
        Of the draws: the same seed gives the same intervals.
    confidence
        Of the segments' intervals, all of them together.

    Returns
    -------
    Comparison or None
        None where there is no fraud or nothing else.

    Raises
    ------
    ValueError
        The arrays differ in length.
    """
    label = np.asarray(label, dtype=bool)
    if not label.any() or label.all():
        return None
    rankings = [_places(label, np.asarray(score, dtype=np.float64)) for score in (first, second)]
    weight = np.ones(len(label)) if weight is None else np.asarray(weight, dtype=np.float64)
    money = [values * weight for values in _money(costs)]
    apart = [np.where(label, np.arange(len(label)), -1), weight, *(r.place for r in rankings), *money]
    units = units_of(len(label), blocks.days, blocks.entities, apart)
    measured = _Measures.prepare(label, weight, rankings, money, units, k, dict(segments or {}))
    itself = measured.of(units.sizes[:, None].astype(np.float64))
    random = np.random.default_rng(seed)
    cells = len(units.sizes) + max(r.places for r in rankings) + 2 * int(label.sum())
    drawn = [measured.of(units.draw(random, size)) for size in batches(resamples, cells)]
    found = np.concatenate(drawn, axis=2)
    return _comparison(itself[:, :, 0], found, measured, units, label, confidence)


# -- inside -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Ranked:
    """For each transaction, its place in the ranking, counted from the highest score."""

    place: np.ndarray
    places: int


def _places(label: np.ndarray, score: np.ndarray) -> _Ranked:
    """Frauds' scores have a place each; what lies between two of them shares one."""
    if score.shape != label.shape:
        raise ValueError(f"{label.shape[0]} labels but {score.shape[0]} scores")
    distinct, rank = np.unique(-score, return_inverse=True)
    has_fraud = np.zeros(len(distinct), dtype=bool)
    has_fraud[rank[label]] = True
    begins = has_fraud.copy()
    begins[1:] |= has_fraud[:-1]
    begins[:1] = True
    place = np.cumsum(begins) - 1
    return _Ranked(place[rank], int(place[-1]) + 1)


def _money(costs: tuple[RowCosts, RowCosts] | None) -> list[np.ndarray]:
    if costs is None:
        return []
    return [costs[0].decided, costs[1].decided, costs[0].allowing, costs[0].blocking]


_AVERAGE_PRECISION, _PRECISION, _RECALL, _SAVINGS = range(4)
_FIRST_SEGMENT = 4


@dataclass(frozen=True, eq=False)
class _Measures:
    """Everything that is measured, as sums over units."""

    positives: tuple[csr_matrix, csr_matrix]
    """Of each model: frauds of a unit at a place, shape (places, units)."""
    negatives: tuple[csr_matrix, csr_matrix]
    money: np.ndarray | None
    """Shape (4, units)."""
    frauds: np.ndarray
    """Unit of each fraud."""
    fraud_weights: np.ndarray
    """How many frauds each stands for."""
    fraud_places: tuple[np.ndarray, np.ndarray]
    names: tuple[str, ...]
    members: np.ndarray
    """Which frauds belong to which segment, shape (segments, frauds)."""
    k: int

    @classmethod
    def prepare(
        cls,
        label: np.ndarray,
        weight: np.ndarray,
        rankings: list[_Ranked],
        money: list[np.ndarray],
        units: Units,
        k: int,
        segments: dict[str, np.ndarray],
    ) -> _Measures:
        rows = units.members
        fraud = np.flatnonzero(label)

        def counted(ranked: _Ranked, chosen: np.ndarray) -> csr_matrix:
            shape = (ranked.places, len(units.sizes))
            where = (ranked.place[chosen], units.codes[chosen])
            return csr_matrix((weight[chosen], where), shape=shape)

        codes = units.codes[rows]
        sums = [np.bincount(codes, weights=values[rows], minlength=len(units.sizes)) for values in money]
        return cls(
            positives=(counted(rankings[0], rows[label[rows]]), counted(rankings[1], rows[label[rows]])),
            negatives=(counted(rankings[0], rows[~label[rows]]), counted(rankings[1], rows[~label[rows]])),
            money=np.stack(sums) if sums else None,
            frauds=units.codes[fraud],
            fraud_weights=weight[fraud],
            fraud_places=(rankings[0].place[fraud], rankings[1].place[fraud]),
            names=tuple(segments),
            members=np.array([held[fraud] for held in segments.values()], dtype=np.float64).reshape(-1, len(fraud)),
            k=k,
        )

    def of(self, drawn: np.ndarray) -> np.ndarray:
        """Shape (models, measures, samples) for units drawn so often; see ``_AVERAGE_PRECISION`` and so on."""
        weights = drawn[self.frauds] * self.fraud_weights[:, None] if self.names else None
        found = [self._of_model(model, drawn, weights) for model in (0, 1)]
        return np.stack(found)

    def _of_model(self, model: int, drawn: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        positives, negatives = (self.positives[model] @ drawn).T, (self.negatives[model] @ drawn).T
        shares = shares_at(positives, negatives, self.k)
        caught, total = (positives * shares).sum(axis=1), positives.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = np.where(total > 0, caught / total, np.nan)
        found = [average_precisions(positives, negatives), caught / self.k, recall, self._savings(model, drawn)]
        if weights is not None:
            looked_at = weights * shares.T[self.fraud_places[model]]
            with np.errstate(invalid="ignore", divide="ignore"):
                found += list((self.members @ looked_at) / (self.members @ weights))
        return np.stack(found)

    def _savings(self, model: int, drawn: np.ndarray) -> np.ndarray:
        if self.money is None:
            return np.full(drawn.shape[1], np.nan)
        *decided, allowing, blocking = self.money @ drawn
        without = np.minimum(allowing, blocking)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(without > 0, 1 - decided[model] / without, np.nan)


def _comparison(
    itself: np.ndarray, found: np.ndarray, measured: _Measures, units: Units, label: np.ndarray, confidence: float
) -> Comparison:
    draws = found[0] - found[1]
    holding = units.holding(label)

    def difference(number: int) -> Difference:
        return Difference(float(itself[0, number]), float(itself[1, number]), draws[number], holding)

    has_savings = measured.money is not None and not np.isnan(itself[:, _SAVINGS]).any()
    return Comparison(
        average_precision=difference(_AVERAGE_PRECISION),
        precision_at_k=difference(_PRECISION),
        recall_at_k=difference(_RECALL),
        savings=difference(_SAVINGS) if has_savings else None,
        segments=_segments(itself, draws, measured, units, confidence),
        k=measured.k,
        unit=units.kind,
        units=units.count,
        n=len(label),
        positives=int(label.sum()),
    )


def _segments(
    itself: np.ndarray, draws: np.ndarray, measured: _Measures, units: Units, confidence: float
) -> tuple[SegmentDifference, ...]:
    first, second = itself[:, _FIRST_SEGMENT:]
    frauds = measured.members.astype(bool)
    if units.kind == "row":
        holding = frauds.sum(axis=1)
    else:
        holding = np.array([len(np.unique(measured.frauds[held])) for held in frauds], dtype=np.int64)
    intervals = simultaneous(draws[_FIRST_SEGMENT:].T, first - second, confidence, holding)
    return tuple(
        SegmentDifference(name, int(held.sum()), float(one), float(other), interval)
        for name, held, one, other, interval in zip(measured.names, frauds, first, second, intervals, strict=True)
    )
