"""Settles a candidate's parameters before it is fitted: a small search, early stopping, or both.

Both look at the training slice alone. Its last part is held out, one label delay after the rows that are learned
from, as a model is used after its training; trials are compared by their average precision there, boosting stops
where the log-loss there stops falling. The selection slice stays unseen: with it the candidates are compared, and a
search that had used it would have an advantage over a candidate without one.

Trials are counted, never timed: the same rows and seed settle on the same parameters on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudops.evaluation.ranking import average_precision
from fraudops.portfolio import Candidate, Range
from fraudops.portfolio import Search as SearchPlan
from fraudops.training import estimators
from fraudops.training.lessons import Lesson, Matrix, matrix_of
from fraudops.training.preprocessing import prepare
from fraudops.training.probabilities import probability

FEWEST_POSITIVES = 5
"""Frauds without which nothing can be learned or judged; the candidate is then fitted as it is written."""
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)


def _log(low: float, high: float, *, integer: bool = False) -> Range:
    return Range(low=low, high=high, scale="log", integer=integer)


SPACES: dict[str, dict[str, Range]] = {
    "lightgbm": {
        "learning_rate": _log(0.02, 0.1),
        "num_leaves": _log(7, 63, integer=True),
        "min_child_samples": _log(10, 200, integer=True),
        "reg_lambda": _log(1, 50),
        "colsample_bytree": Range(low=0.3, high=0.9),
        "subsample": Range(low=0.6, high=1.0),
    },
    "xgboost": {
        "learning_rate": _log(0.02, 0.12),
        "max_depth": Range(low=3, high=8, integer=True),
        "min_child_weight": _log(0.5, 20),
        "reg_lambda": _log(1, 50),
        "colsample_bytree": Range(low=0.3, high=0.9),
        "subsample": Range(low=0.6, high=1.0),
    },
    "hist_gradient_boosting": {
        "learning_rate": _log(0.02, 0.12),
        "max_leaf_nodes": _log(7, 63, integer=True),
        "l2_regularization": _log(1, 50),
        "max_features": Range(low=0.3, high=0.9),
    },
    "random_forest": {"min_samples_leaf": _log(1, 20, integer=True), "max_features": Range(low=0.1, high=0.6)},
    "extra_trees": {"min_samples_leaf": _log(1, 20, integer=True), "max_features": Range(low=0.1, high=0.6)},
    "logistic_regression": {"C": _log(0.001, 10)},
}
"""What is tried unless the portfolio says otherwise: around the defaults that hold where frauds are rare."""


@dataclass(frozen=True)
class Trial:
    """One set of parameters, tried.

    Attributes
    ----------
    parameters
        Those that differ from the candidate as it is written.
    average_precision
        On the rows held out.
    rounds
        Where boosting stopped; None without early stopping.
    """

    parameters: dict[str, Any]
    average_precision: float
    rounds: int | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return dict(self.__dict__)


@dataclass(frozen=True, eq=False)
class _Bench:
    """Where trials are compared: what they learn from, and what they are judged on."""

    lesson: Lesson
    learned: Matrix
    held: np.ndarray
    truth: np.ndarray
    scale: float
    """How many times the rounds found here the whole lesson is worth."""


def settle(candidate: Candidate, lesson: Lesson) -> tuple[Candidate, dict[str, Any]]:
    """The candidate with its parameters settled, and how they were found, as JSON-able values.

    Where the rows hold too few frauds to learn from some and to judge on others, it is taken as it is written.

    Raises
    ------
    EstimatorUnavailableError
        The estimator's library does not work on this machine.
    ContractError
        A parameter is unknown or refused.
    """
    asked = candidate.search or candidate.early_stopping
    if asked is None:
        return candidate, {}
    bench = _bench(candidate, lesson, asked.holdout)
    if bench is None:
        return _written(candidate, {}), {"search": {"left_out": f"fewer than {FEWEST_POSITIVES} frauds on one side"}}
    plans = proposals(candidate, lesson.seed)
    trials = [_try(candidate, plan, bench) for plan in plans]
    # The first of equally good ones: the candidate as it is written comes first of all.
    best = max(range(len(trials)), key=lambda number: (trials[number].average_precision, -number))
    parameters = {**trials[best].parameters, **_rounds(candidate, trials[best], bench.scale)}
    told = {
        "chosen": best,
        "trials": [trial.to_dict() for trial in trials],
        "learned_rows": len(bench.learned.label),
        "judged_rows": len(bench.truth),
        "judged_positives": int(bench.truth.sum()),
    }
    return _written(candidate, parameters), {"search": told}


def proposals(candidate: Candidate, seed: int) -> list[dict[str, Any]]:
    """What a search tries: first nothing, the candidate as it is written, then points of the space."""
    search = candidate.search
    if search is None:
        return [{}]
    space = search.space or SPACES[candidate.kind]
    # What the portfolio sets for itself is not searched, unless it says what to try.
    names = [name for name in space if search.space or name not in candidate.parameters]
    if not names:
        return [{}]
    points = _points(search, len(names), seed)
    return [{}, *({name: value_at(space[name], u) for name, u in zip(names, point, strict=True)} for point in points)]


def value_at(values: Range, u: float) -> Any:
    """The value at a place between 0 and 1 of a range."""
    if values.choices:
        return values.choices[min(int(u * len(values.choices)), len(values.choices) - 1)]
    low, high = float(values.low or 0.0), float(values.high or 0.0)
    found = math.exp(math.log(low) + u * math.log(high / low)) if values.scale == "log" else low + u * (high - low)
    # Few digits: they are read by people, and mean the same to every library.
    return round(found) if values.integer else float(f"{found:.4g}")


def halton(points: int, dimensions: int) -> np.ndarray:
    """The Halton sequence from its second point on: shape (points, dimensions), each between 0 and 1.

    Raises
    ------
    ValueError
        More dimensions than there are primes here.
    """
    if dimensions > len(_PRIMES):
        raise ValueError(f"at most {len(_PRIMES)} parameters can be spread evenly, not {dimensions}")
    return np.array([[_reversed(n, base) for base in _PRIMES[:dimensions]] for n in range(1, points + 1)])


def _points(search: SearchPlan, dimensions: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    if search.sampler == "random" or dimensions > len(_PRIMES):
        return random.random((search.trials - 1, dimensions))
    # Moved round by a random distance, so that another seed tries other points.
    return (halton(search.trials - 1, dimensions) + random.random(dimensions)) % 1.0


def _reversed(number: int, base: int) -> float:
    """The digits of a number in a base, mirrored behind the point."""
    found, unit = 0.0, 1.0
    while number:
        unit /= base
        number, digit = divmod(number, base)
        found += unit * digit
    return found


def _bench(candidate: Candidate, lesson: Lesson, share: float) -> _Bench | None:
    shorter, last = lesson.held_back(share)
    truth = last["label"].to_numpy(dtype=bool)
    if min(int(shorter.rows["label"].sum()), int(truth.sum())) < FEWEST_POSITIVES:
        return None
    learned = matrix_of(candidate, shorter)
    held = np.ascontiguousarray(learned.transform.transform(prepare(last, lesson.columns)))
    return _Bench(shorter, learned, held, truth, 1 / (1 - share))


def _try(candidate: Candidate, plan: Mapping[str, Any], bench: _Bench) -> Trial:
    lesson, stop = bench.lesson, candidate.early_stopping
    written = _written(candidate, plan)
    rounds = None
    if stop is None:
        estimator = estimators.make(written, seed=lesson.seed, jobs=lesson.jobs, where=lesson.where)
        estimators.fit(
            written,
            estimator,
            bench.learned.values,
            bench.learned.label,
            jobs=lesson.jobs,
            where=lesson.where,
            weight=bench.learned.weight,
        )
    else:
        written = _written(written, {"n_estimators": stop.most})
        estimator = estimators.make(written, seed=lesson.seed, jobs=lesson.jobs, where=lesson.where)
        watched = estimators.Watched(bench.held, bench.truth.astype(np.int64), stop.rounds)
        rounds = estimators.fit_until(
            written, estimator, bench.learned.values, bench.learned.label, watched,
            jobs=lesson.jobs, where=lesson.where, weight=bench.learned.weight,
        )  # fmt: skip
    found = average_precision(bench.truth, probability(estimator, bench.held))
    return Trial(dict(plan), found or 0.0, rounds)


def _rounds(candidate: Candidate, trial: Trial, scale: float) -> dict[str, int]:
    """More rows bear more rounds: as many times more as the whole lesson is longer than what was learned from."""
    if candidate.early_stopping is None or trial.rounds is None:
        return {}
    return {"n_estimators": min(math.ceil(trial.rounds * scale), candidate.early_stopping.most)}


def _written(candidate: Candidate, parameters: Mapping[str, Any]) -> Candidate:
    changes = {"parameters": {**candidate.parameters, **parameters}, "search": None, "early_stopping": None}
    return candidate.model_copy(update=changes)
