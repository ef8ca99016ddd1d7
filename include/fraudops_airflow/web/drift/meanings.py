"""What each check of monitoring means, and what people do about it: texts, and the levels that a portfolio sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fraudops.monitoring.checks import (
    ALERTS,
    CALIBRATION,
    FEATURES,
    FRAUDS,
    MISSING_VALUES,
    NEW,
    PRECISION_AVERAGE,
    RECALL,
    SCORES,
    Check,
)
from fraudops.portfolio.monitoring import Monitoring

Line = Callable[[Check], float | None]
DISTRIBUTIONS = (FEATURES, SCORES, FRAUDS)
SHARES = (ALERTS, MISSING_VALUES, NEW)
"""Families whose numbers are shares."""


@dataclass(frozen=True)
class Meaning:
    """Plain words about a family of checks.

    Attributes
    ----------
    number
        What the number is, for an axis.
    reads
        How it is read.
    act
        What to do where it is more than ok.
    """

    title: str
    number: str
    reads: str
    act: str


_SOURCE = (
    "Look at the source first: a new sender, another unit, codes that changed. Training repairs no source. Where "
    "payments themselves have changed, a challenger trained on recent days is the answer; act asks for one by itself."
)
_TRAIN = (
    "See which features and which frauds have moved, then train on recent days and compare: a person decides. Until "
    "then a lower threshold finds more, at the price of more reviews."
)
_MEANINGS = {
    FEATURES: Meaning(
        "Features",
        "Population stability index",
        "How far the column's values of the last window lie from those of the reference. 0: the same. What lies in the "
        "grey band, chance shows once in twenty looks.",
        _SOURCE,
    ),
    SCORES: Meaning(
        "Scores",
        "Population stability index",
        "How far the champion's scores of the last window lie from those on its gate slice. They move when what it "
        "reads moves in a way that matters to it.",
        "Look at the features that moved most, and at the alert rate.",
    ),
    FRAUDS: Meaning(
        "Known frauds",
        "Population stability index",
        "How far known frauds of the matured days look from those of the reference: a new kind of fraud shows here "
        "first. Chance is told by campaigns, because frauds of one terminal stand or fall together.",
        "Read some of them in their cases. A challenger that has seen the new kind is the answer; act asks for one.",
    ),
    ALERTS: Meaning(
        "Alert rate",
        "Share reviewed or blocked",
        "Share of the transactions of matured days that were reviewed or blocked, beside that on the gate slice.",
        "More alerts than people can read: raise the review threshold, by training or by the policy. Far fewer: look "
        "whether scores moved.",
    ),
    PRECISION_AVERAGE: Meaning(
        "Average precision",
        "Average precision",
        "How well the champion ranks frauds above the rest on the days whose labels are known. Better than at the gate "
        "is no reason to worry.",
        _TRAIN,
    ),
    RECALL: Meaning(
        "Recall within the alert budget",
        "Share of frauds found",
        "Share of the frauds that are among each day's highest scores, as many as the budget allows.",
        _TRAIN,
    ),
    CALIBRATION: Meaning(
        "Observed over expected frauds",
        "Observed over expected",
        "1: there were as many frauds as the scores promised. 2: twice as many. Thresholds in money trust the scores.",
        "Where only the level moved, a training run calibrates anew; where the ranking got worse too, see average "
        "precision.",
    ),
    MISSING_VALUES: Meaning(
        "Missing values",
        "Share missing",
        "Share of the column's values that are missing in the last window, beside the reference. At most watch.",
        "Ask the sender: a model does not repair a source.",
    ),
    NEW: Meaning(
        "New categories",
        "Share of new values",
        "Share of values that training had never seen. The champion treats them as unknown. At most watch.",
        "A new code that is right: train, so that the model learns it. A wrong one: ask the sender.",
    ),
}
_SHOWN = Meaning("", "Value", "It is shown and not judged: it moves with how much fraud there is.", "Nothing.")


def meaning(family: str) -> Meaning:
    """Of a family; one that is not judged has words of its own."""
    return _MEANINGS.get(family, _SHOWN)


def levels(rule: Monitoring, family: str) -> list[tuple[str, Line]]:
    """Lines from which on a check is watch or act (``"watch"``, ``"act"``), each told from a look's check."""
    if family in DISTRIBUTIONS:
        return [("watch", lambda _: rule.drift.watch), ("act", lambda _: rule.drift.act)]
    if family in (PRECISION_AVERAGE, RECALL):
        return [("watch", _below(rule.loss.watch)), ("act", _below(rule.loss.act))]
    if family == CALIBRATION:
        pair = rule.calibration
        factors = (("watch", pair.watch), ("act", pair.act), ("watch", 1 / pair.watch), ("act", 1 / pair.act))
        return [(name, lambda _, factor=factor: factor) for name, factor in factors]
    if family == ALERTS:
        return [("watch", _times(rule.alert_rate.watch)), ("act", _times(rule.alert_rate.act))]
    if family == MISSING_VALUES:
        return [("watch", _above(rule.missing))]
    return [("watch", lambda _: rule.new_categories)] if family == NEW else []


def _below(distance: float) -> Line:
    return lambda check: None if check.reference is None else check.reference - distance


def _above(distance: float) -> Line:
    return lambda check: None if check.reference is None else check.reference + distance


def _times(factor: float) -> Line:
    return lambda check: None if check.reference is None else check.reference * factor
