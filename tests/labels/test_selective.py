"""What a labelled row stands for where decisions tell which labels become known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from fraudops.labels.selective import PASSED_BLOCK, POLICY, SAMPLE, weigh
from fraudops.portfolio import Labels

ROWS = {
    # decision, route, propensity, reported
    "blocked": ("block", POLICY, 0.05, False),
    "blocked, reported all the same": ("block", POLICY, 0.05, True),
    "passed": ("review", PASSED_BLOCK, 0.05, False),
    "passed, reported": ("review", PASSED_BLOCK, 0.05, True),
    "reviewed": ("review", POLICY, 1.0, False),
    "reviewed, reported": ("review", POLICY, 1.0, True),
    "sampled": ("review", SAMPLE, 0.01, False),
    "sampled, reported": ("review", SAMPLE, 0.01, True),
    "allowed": ("allow", POLICY, 0.01, False),
    "allowed, reported": ("allow", POLICY, 0.01, True),
    "not scored": (None, None, np.nan, False),
    "not scored, reported": (None, None, np.nan, True),
}


def _weights(**labels: str) -> dict[str, float]:
    decision, route, propensity, reported = (np.array(column) for column in zip(*ROWS.values(), strict=True))
    found = weigh(
        Labels(delay=timedelta(days=7), **labels),
        decision=decision.astype(object),
        route=route.astype(object),
        propensity=propensity.astype(float),
        reported=reported.astype(bool),
    )
    return dict(zip(ROWS, found.tolist(), strict=True))


def test_where_labels_tell_all_each_row_stands_for_itself() -> None:
    assert set(_weights().values()) == {1.0}


def test_blocks_without_labels_are_left_out_and_the_passed_stand_for_them() -> None:
    found = _weights(blocked="unlabelled")
    assert (found["blocked"], found["blocked, reported all the same"]) == (0.0, 0.0)
    assert found["passed"] == found["passed, reported"] == pytest.approx(20)
    others = {name: weight for name, weight in found.items() if "blocked" not in name and "passed" not in name}
    assert set(others.values()) == {1.0}


def test_where_nothing_else_is_known_samples_stand_for_what_was_allowed() -> None:
    found = _weights(blocked="unlabelled", unreported="unknown")
    assert found == {
        "blocked": 0.0,
        "blocked, reported all the same": 0.0,
        "passed": 0.0,
        "passed, reported": pytest.approx(20),
        "reviewed": 0.0,
        "reviewed, reported": 1.0,
        "sampled": 0.0,
        "sampled, reported": pytest.approx(100),
        "allowed": 0.0,
        "allowed, reported": 0.0,
        "not scored": 0.0,
        "not scored, reported": 1.0,
    }
