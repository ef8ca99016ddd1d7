from __future__ import annotations

import numpy as np
import pandas as pd
from fraudops.evaluation.importance import permutation_importance


def _rows(rows: int = 4_000) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"telling": random.normal(size=rows), "noise": random.normal(size=rows)})
    frame["kind"] = random.choice(["a", "b"], rows)
    return frame, (frame["telling"] + (frame["kind"] == "a") > 2.3).to_numpy()


def _score(frame: pd.DataFrame) -> np.ndarray:
    return (frame["telling"] + (frame["kind"] == "a")).to_numpy(dtype=float)


def test_what_tells_is_found_and_the_rest_is_not() -> None:
    frame, label = _rows()
    before = frame.copy()
    found = permutation_importance(_score, frame, label, list(frame.columns), seed=1)
    assert [importance.column for importance in found] == ["telling", "kind", "noise"]
    assert found[0].mean > 0.2
    assert found[2].mean == 0.0
    pd.testing.assert_frame_equal(frame, before)
    assert found == permutation_importance(_score, frame, label, list(frame.columns), seed=1)


def test_frauds_are_kept_when_rows_are_sampled() -> None:
    frame, label = _rows()
    seen: list[int] = []

    def score(rows: pd.DataFrame) -> np.ndarray:
        seen.append(len(rows))
        return _score(rows)

    permutation_importance(score, frame, label, ["telling"], seed=1, rows=500, repeats=1)
    assert seen == [500, 500]


def test_without_frauds_there_is_none() -> None:
    frame, _ = _rows(100)
    assert permutation_importance(_score, frame, np.zeros(100, dtype=bool), ["noise"], seed=1) == ()
