"""Learning from a sample of the genuine rows."""

from __future__ import annotations

import numpy as np
import pytest
from fraudops.training.probabilities import probability
from fraudops.training.sampling import Sampled, corrected, kept
from sklearn.linear_model import LogisticRegression


def test_all_frauds_and_the_stated_share_of_the_genuine_rows_are_kept() -> None:
    label = np.random.default_rng(0).random(20_000) < 0.01
    rows = kept(label, 0.1, seed=3)
    assert set(np.flatnonzero(label)) <= set(rows)
    assert (np.diff(rows) > 0).all()
    assert (~label[rows]).sum() == pytest.approx(0.1 * (~label).sum(), rel=0.05)
    assert (rows == kept(label, 0.1, seed=3)).all()
    assert not np.array_equal(rows, kept(label, 0.1, seed=4))
    assert (kept(label, 1.0, seed=3) == np.arange(len(label))).all()


def test_the_correction_undoes_what_sampling_does_to_a_probability() -> None:
    # Of 1,000 rows alike 20 are frauds; with a tenth of the genuine ones 20 of 118 are.
    assert corrected(np.array([20 / 118]), 0.1)[0] == pytest.approx(20 / 1_000)
    assert list(corrected(np.array([0.0, 1.0]), 0.1)) == [0.0, 1.0]


def test_corrected_probabilities_add_up_to_the_frauds_and_keep_the_order() -> None:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(40_000, 2))
    label = random.random(len(matrix)) < 1 / (1 + np.exp(5 - matrix[:, 0]))
    rows = kept(label, 0.05, seed=0)
    plain = LogisticRegression().fit(matrix[rows], label[rows])
    found = probability(Sampled(plain, 0.05), matrix)
    assert found.sum() == pytest.approx(label.sum(), rel=0.1)
    assert probability(plain, matrix).sum() > 5 * label.sum()
    assert (np.argsort(found) == np.argsort(probability(plain, matrix))).all()
