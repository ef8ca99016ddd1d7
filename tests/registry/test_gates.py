from __future__ import annotations

from dataclasses import replace

import pytest
from fraudops.registry.gates import (
    BETTER,
    NOT_WORSE,
    AgainstChampion,
    AtBudget,
    Estimate,
    Evidence,
    Rows,
    judge,
)

ROWS = Rows("2026-03-05", "2026-03-11", 14_000, 92)
FEW = Rows("2026-03-11", "2026-03-11", 2_000, 5)
NONE = Rows(None, None, 0, 0)

FIRST = Evidence(
    challenger="v3 (lightgbm)",
    baseline="logistic_regression",
    is_baseline=False,
    split="time",
    minimum_positives=20,
    margin=0.02,
    test=ROWS,
    average_precision=Estimate(0.7, 0.62, 0.78),
    over_baseline=Estimate(0.1, 0.05, 0.15),
    champion=None,
    at_budget=None,
)
CHAMPION = AgainstChampion(
    name="v1 (random_forest)",
    trained_until="2026-03-01 00:00",
    rows=ROWS,
    difference=Estimate(0.03, 0.01, 0.05),
)
AGAINST = replace(FIRST, champion=CHAMPION)


def _with_difference(value: float, low: float, high: float) -> Evidence:
    return replace(FIRST, champion=replace(CHAMPION, difference=Estimate(value, low, high)))


@pytest.mark.parametrize(
    ("evidence", "outcome", "says"),
    [
        (FIRST, "PROMOTE", "first champion"),
        (replace(FIRST, is_baseline=True, over_baseline=Estimate(0, 0, 0)), "PROMOTE", "is the baseline"),
        (replace(FIRST, over_baseline=Estimate(-0.01, -0.03, 0.01)), "REJECT", "below the baseline"),
        (replace(FIRST, average_precision=Estimate(0.004, 0.003, 0.006)), "REJECT", "no better than chance"),
        (replace(FIRST, average_precision=Estimate(0.010, 0.006, 0.02)), "HOLD", "cannot be told from chance"),
        (replace(FIRST, test=FEW), "HOLD", "5 frauds and 20 are needed"),
        (replace(FIRST, test=NONE, average_precision=None, over_baseline=None), "HOLD", "0 frauds and 20"),
        (replace(FIRST, split="random"), "HOLD", "random split"),
        (
            AGAINST,
            "PROMOTE",
            "is better than champion v1 (random_forest): average precision +0.030 [+0.010, +0.050]",
        ),
        (_with_difference(0.0, 0.0, 0.0), "HOLD", "cannot be told from"),
        (_with_difference(0.004, -0.01, 0.02), "HOLD", "cannot be told from"),
        (_with_difference(0.03, -0.03, 0.09), "HOLD", "may be worse than"),
        (_with_difference(-0.05, -0.08, -0.02), "REJECT", "is worse than"),
        (replace(AGAINST, split="random"), "HOLD", "random split"),
        (replace(AGAINST, over_baseline=Estimate(-0.1, -0.2, -0.05)), "REJECT", "below the baseline"),
        (replace(AGAINST, champion=replace(CHAMPION, rows=FEW)), "HOLD", "has 5 frauds since then"),
        (
            replace(AGAINST, champion=replace(CHAMPION, rows=NONE, difference=None)),
            "HOLD",
            "has 0 frauds since then",
        ),
        (replace(AGAINST, champion=replace(CHAMPION, tie="The two are one.")), "HOLD", "a tie keeps the champion"),
        (replace(AGAINST, champion=replace(CHAMPION, obstacle="It needs x.")), "HOLD", "It needs x, so"),
    ],
)
def test_verdict(evidence: Evidence, outcome: str, says: str) -> None:
    found = judge(evidence)
    assert (found.outcome, found.reason.count(says)) == (outcome, 1), found.reason
    assert "\n" not in found.reason
    assert found.reason.endswith(".")


@pytest.mark.parametrize("evidence", [FIRST, AGAINST])
def test_promote_means_that_every_deciding_gate_is_passed(evidence: Evidence) -> None:
    assert all(gate.passed for gate in judge(evidence).gates if gate.decides)


def test_a_statistical_tie_is_not_worse_and_not_better() -> None:
    passed = {gate.name: gate.passed for gate in judge(_with_difference(0.004, -0.01, 0.02)).gates}
    assert (passed[NOT_WORSE], passed[BETTER]) == (True, False)


def test_precision_at_the_budget_is_shown_and_decides_nothing() -> None:
    worse = AtBudget(k=70, challenger=0.4, other=0.5, other_name="champion v1", rows=ROWS)
    found = judge(replace(AGAINST, at_budget=worse))
    assert found.outcome == "PROMOTE"
    assert (found.gates[-1].passed, found.gates[-1].decides) == (False, False)


def test_every_gate_names_what_was_measured_and_on_which_rows() -> None:
    for gate in judge(AGAINST).gates[1:]:
        line = gate.to_dict()
        assert set(line) == {
            "name", "value", "interval", "threshold", "passed", "decides", "explanation", "rows",
        }  # fmt: skip
        assert line["rows"]["first"] == "2026-03-05"
