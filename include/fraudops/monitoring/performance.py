"""How well a model does, from sums and histograms of days that add up; before labels mature, what to expect.

Days are drawn with replacement, in runs of a week where there are two weeks or more (campaigns of fraud last for days),
and intervals widened for few of them (:mod:`fraudops.evaluation.resampling`). The estimate without labels takes each
probability at its word (confidence-based performance estimation, CBPE): it is right as long as the scores are
calibrated, and blind to a new kind of fraud, which they do not know. It decides nothing.

References
----------
Garg, Balakrishnan, Lipton, Neyshabur and Sedghi (2022), Leveraging unlabeled data to predict out-of-distribution
performance. NannyML's documentation: confidence-based performance estimation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudops.evaluation.ranking import average_precisions
from fraudops.evaluation.resampling import expanded_percentiles, standard_errors
from fraudops.monitoring.bins import LADDER, ladder
from fraudops.monitoring.null import WEEK, multiplicities

SUMS = ("rows", "frauds", "budget", "caught", "expected", "squares", "expected_of_frauds", "alerts", "alerted_frauds")
"""What is added up, a day each. ``expected`` is the sum of probabilities, ``squares`` that of their squares."""
FEWEST_UNITS = 5
_SEED = 20_261
_MANY = 10**9


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Days whose labels are known.

    Attributes
    ----------
    units
        Day of each row of the arrays.
    sums
        Shape (days, len(SUMS)).
    fraud, genuine
        Transactions at each step of the ladder of scores, shape (days, LADDER).
    """

    units: tuple[str, ...]
    sums: np.ndarray
    fraud: np.ndarray
    genuine: np.ndarray

    def total(self, name: str) -> float:
        """Sum over the days."""
        return float(self.sums[:, SUMS.index(name)].sum())


@dataclass(frozen=True, eq=False)
class Expectations:
    """Days of which only the scores are known.

    Attributes
    ----------
    rows, expected
        Transactions, and sum of their probabilities, at each step of the ladder, shape (days, LADDER).
    budget, within_budget
        Alerts that the budget allows on each day, and sum of the probabilities of as many highest scores.
    """

    units: tuple[str, ...]
    rows: np.ndarray
    expected: np.ndarray
    budget: np.ndarray
    within_budget: np.ndarray


@dataclass(frozen=True)
class Measure:
    """A number with its interval, and how far it lies from the reference's.

    Attributes
    ----------
    difference_low, difference_high
        Interval of ``value − reference``; None where there is no reference.
    """

    value: float
    low: float
    high: float
    reference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None


def sums_of(
    score: np.ndarray, label: np.ndarray, alerted: np.ndarray, budget: int, weight: np.ndarray | None = None
) -> np.ndarray:
    """One day's :data:`SUMS`.

    Parameters
    ----------
    score, label, alerted
        Probability, whether it was fraud, whether it was reviewed or blocked, of each transaction.
    budget
        How many alerts the policy allows.
    weight
        How many transactions each row stands for.
    """
    weight = np.ones(len(score)) if weight is None else weight
    inside = within_budget(score, budget)
    # Not as products of vectors: their last bits depend on how many threads the processor gives them.
    return np.array(
        [
            weight.sum(),
            (weight * label).sum(),
            min(budget, len(score)),
            (weight * label)[inside].sum(),
            (weight * score).sum(),
            (weight * np.square(score)).sum(),
            (weight * (score * label)).sum(),
            (weight * alerted).sum(),
            (weight * (alerted & label)).sum(),
        ],
        dtype=np.float64,
    )


def within_budget(score: np.ndarray, budget: int) -> np.ndarray:
    """Places of the highest scores, as many as may be alerted; of equal ones the earlier."""
    return np.argsort(-score, kind="stable")[:budget]


def on_ladder(score: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Transactions (or a weight of each) at every step of the ladder."""
    return np.bincount(ladder(score), weights=weight, minlength=LADDER).astype(np.float64)


def measure(now: Outcomes, then: Outcomes | None, *, confidence: float, resamples: int) -> dict[str, Measure]:
    """Performance on matured days beside that on the reference's.

    Returns
    -------
    dict of str to Measure
        ``average_precision``, ``precision`` and ``recall`` within the alert budget, ``brier``, ``calibration``
        (observed over expected frauds), ``alert_rate``. One that cannot be measured is left out.
    """
    random = np.random.default_rng(_SEED)
    found = _drawn(now, _draws(random, len(now.units), resamples))
    values = _drawn(now, np.ones((1, len(now.units))))
    others, reference = {}, {}
    if then is not None and len(then.units) >= FEWEST_UNITS:
        others = _drawn(then, _draws(random, len(then.units), resamples))
        reference = _drawn(then, np.ones((1, len(then.units))))
    measures = {}
    for name, samples in found.items():
        value = float(values[name][0])
        interval = expanded_percentiles(samples, confidence, len(now.units))
        if interval is None or np.isnan(value):
            continue
        if name not in others or np.isnan(reference[name][0]):
            measures[name] = Measure(value, interval.low, interval.high)
            continue
        there = float(reference[name][0])
        apart = _widened(samples - value, len(now.units), confidence)
        apart = apart - _widened(others[name] - there, len(then.units if then else ()), confidence)
        tail = 50 * (1 - confidence)
        low, high = np.nanpercentile(value - there + apart, [tail, 100 - tail])
        measures[name] = Measure(value, interval.low, interval.high, there, float(low), float(high))
    return measures


def expect(days: Expectations, *, confidence: float, resamples: int) -> dict[str, Measure]:
    """Estimate of performance on days whose labels are not known: an expectation, not a measurement."""
    random = np.random.default_rng(_SEED)

    def drawn(often: np.ndarray) -> dict[str, np.ndarray]:
        frauds, rows = often @ days.expected, often @ days.rows
        inside = often @ days.within_budget
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "average_precision": average_precisions(frauds, np.maximum(rows - frauds, 0.0)),
                "precision": inside / (often @ days.budget),
                "recall": inside / frauds.sum(axis=1),
            }

    found = drawn(_draws(random, len(days.units), resamples))
    measures = {}
    for name, value in drawn(np.ones((1, len(days.units)))).items():
        interval = expanded_percentiles(found[name], confidence, len(days.units))
        if interval is not None and not np.isnan(value[0]):
            measures[name] = Measure(float(value[0]), interval.low, min(interval.high, 1.0))
    return measures


# -- inside -------------------------------------------------------------------------------------------


def _draws(random: np.random.Generator, days: int, samples: int) -> np.ndarray:
    return multiplicities(random, days, days, WEEK if days >= 2 * WEEK else 1, samples)


def _drawn(days: Outcomes, often: np.ndarray) -> dict[str, np.ndarray]:
    total = dict(zip(SUMS, (often @ days.sums).T, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "average_precision": average_precisions(often @ days.fraud, often @ days.genuine),
            "precision": total["caught"] / total["budget"],
            "recall": total["caught"] / total["frauds"],
            "brier": (total["squares"] - 2 * total["expected_of_frauds"] + total["frauds"]) / total["rows"],
            "calibration": total["frauds"] / total["expected"],
            "alert_rate": total["alerts"] / total["rows"],
        }


def _widened(deviations: np.ndarray, units: int, confidence: float) -> np.ndarray:
    return deviations * standard_errors(confidence, units) / standard_errors(confidence, _MANY)
