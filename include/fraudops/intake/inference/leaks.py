"""Columns that give the answer away: each alone tells fraud from genuine nearly without a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from fraudops.intake.inference.labelling import LabelFound
from fraudops.intake.inference.profiling import Kind, Profile
from fraudops.intake.inference.roles import Choice
from fraudops.intake.values import labels
from fraudops.portfolio import Column, Role

_TELLING = 0.995
"""Area under the ROC curve from which a single column is under suspicion."""
_ENOUGH = 20
"""Frauds, and genuine rows, without which nothing can be said."""
_MOST_VALUES = 100


def fraud_of(profile: Profile, label: LabelFound) -> npt.NDArray[np.float64]:
    """1 for fraud, 0 for genuine, NaN for unknown: a row each."""
    column = Column.model_validate({"role": "label", "positive": label.positive, "negative": label.negative})
    found = labels(profile.text, column)[0]
    return pc.cast(found, "float64").to_numpy(zero_copy_only=False)


def with_suspects(choices: Sequence[Choice], fraud: npt.NDArray[np.float64]) -> list[Choice]:
    """The choices, with a reason to keep from the model those columns that give the answer away."""
    known = np.isfinite(fraud)
    positives = int(fraud[known].sum())
    if positives < _ENOUGH or int(known.sum()) - positives < _ENOUGH:
        return list(choices)
    answer = fraud[known] > 0
    return [_judged(choice, known, answer) for choice in choices]


def _judged(choice: Choice, known: npt.NDArray[np.bool_], answer: npt.NDArray[np.bool_]) -> Choice:
    if choice.role not in (Role.NUMBER, Role.BOOLEAN, Role.CATEGORY):
        return choice
    values = _as_numbers(choice.profile, known, answer)
    if values is None:
        return choice
    area = _area(values, answer)
    if max(area, 1 - area) < _TELLING:
        return choice
    told = f"it alone tells fraud from genuine (ROC AUC {max(area, 1 - area):.3f}): most likely an outcome"
    return replace(choice, exclude=told)


def _as_numbers(
    profile: Profile, known: npt.NDArray[np.bool_], answer: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64] | None:
    """Numbers as they are, a missing one below all; texts as the share of fraud among the rows that have them."""
    if profile.kind is Kind.NUMBER:
        values = profile.number[known]
        return np.where(np.isfinite(values), values, -np.inf)
    if profile.distinct > _MOST_VALUES:
        return None
    codes = profile.text.fill_null("").dictionary_encode().indices.to_numpy()[known]
    shares = np.bincount(codes, weights=answer) / np.maximum(1, np.bincount(codes))
    return shares[codes]


def _area(values: npt.NDArray[np.float64], answer: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve; equal values count half."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2
    positives = int(answer.sum())
    negatives = len(answer) - positives
    total = float(ranks[place][answer].sum())
    return (total - positives * (positives + 1) / 2) / (positives * negatives)
