"""Our areas against scikit-learn's, and what compressing a ranking must not change."""

from __future__ import annotations

import numpy as np
import pytest
from fraudops.evaluation.ranking import (
    Ranking,
    average_precision,
    average_precisions,
    caught_at,
    roc_auc,
    roc_aucs,
)
from sklearn.metrics import average_precision_score, roc_auc_score


def _sample(seed: int, *, rows: int = 400, distinct: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    label = random.random(rows) < 0.05
    label[:2] = True, False
    score = random.normal(size=rows) + 1.5 * label
    return label, np.round(score, 1) if distinct else score


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("distinct", [None, 1])
def test_areas_are_those_of_scikit_learn(seed: int, distinct: int | None) -> None:
    label, score = _sample(seed, distinct=distinct)
    assert average_precision(label, score) == pytest.approx(average_precision_score(label, score), abs=1e-12)
    assert roc_auc(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-12)


@pytest.mark.parametrize("label", [[False, False], [True, True]])
def test_without_both_kinds_there_is_no_area_under_the_roc_curve(label: list[bool]) -> None:
    assert roc_auc(np.array(label), np.array([0.1, 0.2])) is None


def test_without_frauds_there_is_no_average_precision() -> None:
    assert average_precision(np.zeros(3, dtype=bool), np.arange(3.0)) is None
    assert average_precision(np.zeros(0, dtype=bool), np.zeros(0)) is None


@pytest.mark.parametrize("distinct", [None, 1])
def test_compressing_changes_no_number(distinct: int | None) -> None:
    label, score = _sample(7, distinct=distinct)
    whole = Ranking.of(label, score)
    small = whole.compressed()
    assert len(small.scores) <= 2 * whole.n_positives + 1
    for measure in (average_precisions, roc_aucs):
        first, second = (measure(r.positives[None, :], r.negatives[None, :])[0] for r in (whole, small))
        assert first == pytest.approx(second, abs=1e-12)
    for k in (1, 5, 37, 400):
        first, second = (caught_at(r.positives[None, :], r.negatives[None, :], k)[0] for r in (whole, small))
        assert first == pytest.approx(second, abs=1e-9)


def test_frauds_at_a_tied_last_place_count_in_proportion() -> None:
    # Two of the four rows at the second-highest score are looked at; one of the four is fraud.
    ranking = Ranking.of(np.array([1, 1, 0, 0, 0, 0]), np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1]))
    assert caught_at(ranking.positives[None, :], ranking.negatives[None, :], 3)[0] == 1.5


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="1 scores are not a number"):
        Ranking.of(np.array([True, False]), np.array([np.nan, 0.1]))
    with pytest.raises(ValueError, match="2 labels but 1 scores"):
        Ranking.of(np.array([True, False]), np.array([0.1]))
