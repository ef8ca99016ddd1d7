"""The numbers that the gates look at, from held-out rows and scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fraudops.evaluation import paired
from fraudops.evaluation.agreement import agreement
from fraudops.evaluation.bootstrap import ranking_intervals
from fraudops.evaluation.costs import RowCosts
from fraudops.evaluation.paired import Blocks, Comparison, Difference
from fraudops.evaluation.ranking import average_precision
from fraudops.evaluation.resampling import Interval
from fraudops.labels.selective import WEIGHT
from fraudops.portfolio import Portfolio
from fraudops.registry.evidence import Calibration, Compared, Estimate, Pair, Segment
from fraudops.registry.segments import Segments, segments_of
from fraudops.training.money import cost_model

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Scored:
    """What a model says about some rows.

    Attributes
    ----------
    score
        Calibrated probability of fraud.
    decision
        ``allow``, ``review`` or ``block``, by the model's own thresholds.
    """

    score: np.ndarray
    decision: np.ndarray


def labels(frame: pd.DataFrame) -> np.ndarray:
    """True where a row is a fraud."""
    return frame["label"].to_numpy(dtype=bool)


def estimate(frame: pd.DataFrame, score: np.ndarray, *, k: int, seed: int) -> Estimate | None:
    """Average precision with its interval; None where there is no fraud."""
    value = average_precision(labels(frame), score)
    interval = ranking_intervals(labels(frame), score, k=k, seed=seed).average_precision
    if value is None or interval is None:
        return None
    return Estimate(value, interval.low, interval.high)


def compared(portfolio: Portfolio, frame: pd.DataFrame, ours: Scored, theirs: Scored, *, k: int) -> Compared | None:
    """A challenger beside another model on the same rows; None without frauds or without others.

    Whole days are drawn where there are enough of them, else whole entities where the rows name them: the
    payments of a compromised terminal or a stolen card stand or fall together.
    """
    gates, segments = portfolio.promotion.gates, segments_of(portfolio, frame)
    found = paired.compare(
        labels(frame),
        ours.score,
        theirs.score,
        k=k,
        blocks=_blocks(portfolio, frame),
        costs=_costs(portfolio, frame, ours, theirs),
        segments=segments.members,
        weight=_weight(frame),
        seed=portfolio.training.seed,
        confidence=gates.confidence,
    )
    return _in_words(found, segments, gates.confidence) if found else None


def calibration(portfolio: Portfolio, frame: pd.DataFrame, score: np.ndarray) -> Calibration | None:
    """What the probabilities promised on some rows, and what happened; None without rows."""
    if frame.empty:
        return None
    confidence = portfolio.promotion.gates.confidence
    found = agreement(
        labels(frame), score, blocks=_blocks(portfolio, frame), weight=_weight(frame), confidence=confidence
    )
    return Calibration(
        expected=found.expected,
        observed=found.observed,
        ratio=_estimate(found.ratio, found.ratio_interval),
        slope=_estimate(found.slope, found.slope_interval),
    )


def _weight(frame: pd.DataFrame) -> np.ndarray | None:
    """How many transactions each row stands for, where decisions leave labels to chance."""
    return frame[WEIGHT].to_numpy(dtype=np.float64) if WEIGHT in frame.columns else None


def _blocks(portfolio: Portfolio, frame: pd.DataFrame) -> Blocks:
    entity = next((column for column in portfolio.entities.values() if column in frame.columns), None)
    return Blocks(
        days=frame["event_time"].dt.floor("D").to_numpy(),
        entities=frame[entity].to_numpy() if entity else None,
    )


def _costs(portfolio: Portfolio, frame: pd.DataFrame, ours: Scored, theirs: Scored) -> tuple[RowCosts, RowCosts] | None:
    model = cost_model(portfolio)
    if model is None or "amount_minor" not in frame.columns:
        return None
    label, amount = labels(frame), frame["amount_minor"].to_numpy(dtype=np.float64)
    return RowCosts.of(label, ours.decision, amount, model), RowCosts.of(label, theirs.decision, amount, model)


def _in_words(found: Comparison, segments: Segments, confidence: float) -> Compared:
    # Two measures by which a challenger may win: each may err half as often.
    ways = 1 if found.savings is None else 2
    strict = 1 - (1 - confidence) / ways
    plural = {"day": "days", "entity": "entities", "row": "transactions"}[found.unit]
    return Compared(
        average_precision=_pair(found.average_precision, confidence, strict),
        precision=_pair(found.precision_at_k, confidence, strict),
        recall=_pair(found.recall_at_k, confidence, strict),
        savings=_pair(found.savings, confidence, strict) if found.savings else None,
        segments=tuple(
            Segment(s.name, s.positives, s.first, s.second, Estimate(s.value, s.interval.low, s.interval.high))
            for s in found.segments
        ),
        too_small=segments.too_small,
        k=found.k,
        drawn=f"{found.units:,} {plural}",
    )


def _pair(found: Difference, confidence: float, strict: float) -> Pair:
    plain, together = found.interval(confidence), found.interval(strict)
    return Pair(
        challenger=found.first,
        other=found.second,
        difference=Estimate(found.value, plain.low, plain.high),
        together=Estimate(found.value, together.low, together.high),
    )


def _estimate(value: float | None, interval: Interval | None) -> Estimate | None:
    return Estimate(value, interval.low, interval.high) if value is not None and interval is not None else None
