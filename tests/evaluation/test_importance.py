from __future__ import annotations

import numpy as np
from fraudops.evaluation.importance import permutation_importance

ORIGINS = ("telling", "noise", "kind", "kind")


def _rows(rows: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """A number that tells, one that does not, and a category as two indicators that say the same."""
    random = np.random.default_rng(0)
    kind = random.random(rows) < 0.5
    matrix = np.column_stack([random.normal(size=rows), random.normal(size=rows), kind, ~kind])
    return matrix, _score(matrix) > 2.3


def _score(matrix: np.ndarray) -> np.ndarray:
    return matrix[:, 0] + 0.5 * (matrix[:, 2] - matrix[:, 3]) + 0.5


def test_what_tells_is_found_and_the_rest_is_not() -> None:
    matrix, label = _rows()
    before = matrix.copy()
    found = permutation_importance(_score, matrix.__getitem__, label, ORIGINS, seed=1)
    assert [importance.column for importance in found] == ["telling", "kind", "noise"]
    assert found[0].mean > 0.2
    assert found[2].mean == 0.0
    assert (matrix == before).all()
    assert found == permutation_importance(_score, matrix.__getitem__, label, ORIGINS, seed=1)


def test_the_indicators_of_a_category_are_shuffled_together() -> None:
    matrix, label = _rows()

    def score(values: np.ndarray) -> np.ndarray:
        assert (values[:, 2] + values[:, 3] == 1).all()
        return _score(values)

    assert permutation_importance(score, matrix.__getitem__, label, ORIGINS, seed=1)


def test_frauds_are_kept_when_rows_are_sampled() -> None:
    matrix, label = _rows()
    label = label & (np.arange(len(label)) % 4 == 0)
    seen: list[np.ndarray] = []

    def rows(chosen: np.ndarray) -> np.ndarray:
        seen.append(chosen)
        return matrix[chosen]

    permutation_importance(_score, rows, label, ORIGINS, seed=1, rows=500, repeats=1)
    assert [len(chosen) for chosen in seen] == [500]
    assert label[seen[0]].sum() == label.sum()


def test_without_frauds_there_is_none() -> None:
    matrix, label = _rows(100)
    assert permutation_importance(_score, matrix.__getitem__, label & False, ORIGINS, seed=1) == ()
