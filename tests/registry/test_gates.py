from __future__ import annotations

from dataclasses import replace

import pytest
from fraudops.portfolio import CalibrationGate, Gates, SegmentGate
from fraudops.registry import gates as of
from fraudops.registry.evidence import (
    AgainstChampion,
    Calibration,
    Compared,
    Estimate,
    Evidence,
    Footprint,
    Pair,
    Rows,
    Segment,
)
from fraudops.registry.gates import Gate
from fraudops.registry.judging import judge

ROWS = Rows("2026-03-05", "2026-03-11", 14_000, 92)
FEW = Rows("2026-03-11", "2026-03-11", 2_000, 5)
NONE = Rows(None, None, 0, 0)


def pair(value: float, low: float, high: float, wider: float = 0.0) -> Pair:
    return Pair(0.5 + value, 0.5, Estimate(value, low, high), Estimate(value, low - wider, high + wider))


BESIDE = Compared(
    average_precision=pair(0.03, 0.01, 0.05),
    precision=pair(0.02, -0.01, 0.05),
    recall=pair(0.02, -0.01, 0.05),
    savings=None,
    segments=(),
    too_small=0,
    k=105,
    drawn="1,203 entities",
)
FIRST = Evidence(
    challenger="v3 (lightgbm)",
    baseline="logistic_regression",
    is_baseline=False,
    split="time",
    minimum_positives=20,
    margin=0.02,
    test=ROWS,
    average_precision=Estimate(0.7, 0.62, 0.78),
    over_baseline=replace(BESIDE, average_precision=pair(0.1, 0.05, 0.15)),
    champion=None,
    gates=Gates(),
    calibration=Calibration(90.0, 92, Estimate(1.02, 0.8, 1.3), Estimate(0.95, 0.7, 1.2)),
)
CHAMPION = AgainstChampion(name="v1 (random_forest)", trained_until="2026-03-01 00:00", rows=ROWS, compared=BESIDE)
AGAINST = replace(FIRST, champion=CHAMPION)


def over_baseline(value: float, low: float, high: float, evidence: Evidence = FIRST) -> Evidence:
    return replace(evidence, over_baseline=replace(BESIDE, average_precision=pair(value, low, high)))


def compared(**changes: object) -> Evidence:
    """The challenger beside the champion, with other numbers."""
    return replace(AGAINST, champion=replace(CHAMPION, compared=replace(BESIDE, **changes)))  # type: ignore[arg-type]


def precision(value: float, low: float, high: float) -> Evidence:
    return compared(average_precision=pair(value, low, high))


def gate(evidence: Evidence, name: str) -> Gate:
    return next(found for found in judge(evidence).gates if found.name == name)


@pytest.mark.parametrize(
    ("evidence", "outcome", "says"),
    [
        (FIRST, "PROMOTE", "first champion"),
        (replace(FIRST, is_baseline=True, over_baseline=None), "PROMOTE", "is the baseline"),
        (over_baseline(-0.06, -0.09, -0.02), "REJECT", "lies below the baseline"),
        (over_baseline(-0.007, -0.027, 0.012), "HOLD", "may lie below the baseline"),
        (over_baseline(0.01, -0.03, 0.05), "PROMOTE", "is not below the baseline"),
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
        (precision(0.0, 0.0, 0.0), "HOLD", "cannot be told from"),
        (precision(0.004, -0.01, 0.02), "HOLD", "cannot be told from"),
        (precision(0.03, -0.03, 0.09), "HOLD", "may be worse than"),
        (precision(-0.05, -0.08, -0.02), "REJECT", "is worse than"),
        (precision(-0.01, -0.015, -0.005), "REJECT", "is worse than"),
        (replace(AGAINST, split="random"), "HOLD", "random split"),
        (over_baseline(-0.1, -0.2, -0.05, AGAINST), "REJECT", "below the baseline"),
        (replace(AGAINST, champion=replace(CHAMPION, rows=FEW)), "HOLD", "has 5 frauds since then"),
        (
            replace(AGAINST, champion=replace(CHAMPION, rows=NONE, compared=None)),
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


@pytest.mark.parametrize(
    ("changes", "outcome", "says"),
    [
        # Two ways to win, and the other must not be lost.
        ({"savings": pair(0.03, -0.01, 0.07)}, "PROMOTE", "is better than"),
        ({"average_precision": pair(0.004, -0.01, 0.02), "savings": pair(0.05, 0.02, 0.08)}, "PROMOTE", "saves more"),
        ({"average_precision": pair(-0.01, -0.015, -0.005), "savings": pair(0.05, 0.02, 0.08)}, "PROMOTE", "saves mo"),
        ({"average_precision": pair(0.004, -0.03, 0.03), "savings": pair(0.05, 0.02, 0.08)}, "HOLD", "may be worse"),
        ({"savings": pair(0.0, -0.09, 0.09)}, "HOLD", "saves no less than the champion (+0.000"),
        ({"savings": pair(-0.2, -0.3, -0.1)}, "REJECT", "saves no less than the champion (-0.200"),
        # What holds for one measure alone does not hold for two at once.
        ({"average_precision": pair(0.03, 0.005, 0.055, 0.01), "savings": pair(0, -0.01, 0.01)}, "HOLD", "cannot be"),
        # Within the alert budget.
        ({"recall": pair(-0.02, -0.08, 0.04)}, "HOLD", "fraud found within the alert budget (-0.020"),
        ({"recall": pair(-0.12, -0.18, -0.06)}, "REJECT", "fraud found within the alert budget (-0.120"),
        ({"precision": pair(-0.12, -0.18, -0.06)}, "PROMOTE", "is better than"),
    ],
)
def test_what_must_be_won_and_what_must_not_be_lost(changes: dict[str, Pair], outcome: str, says: str) -> None:
    found = judge(compared(**changes))
    assert (found.outcome, says in found.reason) == (outcome, True), found.reason


def segment(name: str, value: float, low: float, high: float) -> Segment:
    return Segment(name, 25, 0.5 + value, 0.5, Estimate(value, low, high))


@pytest.mark.parametrize(
    ("losing", "outcome"),
    [
        (segment("channel online", -0.30, -0.50, 0.02), "PROMOTE"),  # may be chance
        (segment("channel online", -0.08, -0.10, -0.06), "PROMOTE"),  # less than what is allowed
        (segment("channel online", -0.30, -0.50, -0.05), "HOLD"),
        (segment("channel online", -0.30, -0.45, -0.15), "REJECT"),  # more than what is allowed, for sure
    ],
)
def test_a_segment_must_not_pay_for_the_others(losing: Segment, outcome: str) -> None:
    evidence = compared(segments=(segment("channel shop", 0.1, 0.0, 0.2), losing), too_small=3)
    found = gate(evidence, of.SEGMENTS)
    assert judge(evidence).outcome == outcome
    assert "3 with fewer than 20 frauds are not judged" in found.explanation
    assert [part.name for part in found.parts] == ["channel shop", "channel online"]
    assert found.measured.startswith("channel online: -0.")


def test_a_segment_too_small_to_judge_decides_nothing() -> None:
    evidence = compared(too_small=4)
    assert judge(evidence).outcome == "PROMOTE"
    assert gate(evidence, of.SEGMENTS).measured == "no segment with enough frauds"


OFF = Calibration(30.0, 92, Estimate(3.1, 2.5, 3.8), Estimate(0.3, 0.2, 0.4))
WORSE = Calibration(20.0, 92, Estimate(4.6, 3.7, 5.7), Estimate(0.2, 0.1, 0.3))


@pytest.mark.parametrize("evidence", [FIRST, AGAINST])
def test_probabilities_that_do_not_hold_are_held(evidence: Evidence) -> None:
    found = judge(replace(evidence, calibration=OFF))
    assert found.outcome == "HOLD"
    assert "not passed: as many frauds as expected (3.100 [2.500, 3.800]; required:" in found.reason
    assert "calibration slope (0.300" in found.reason


def test_a_champion_whose_probabilities_hold_even_less_is_no_reason_to_keep_it() -> None:
    champion = replace(CHAMPION, calibration=WORSE)
    assert judge(replace(AGAINST, calibration=OFF, champion=champion)).outcome == "PROMOTE"


def test_what_is_not_measurable_about_probabilities_is_not_held_against_them() -> None:
    assert judge(replace(FIRST, calibration=Calibration(3.0, 92, None, None))).outcome == "PROMOTE"


HEAVY = {"footprint": Footprint(40.0, 90.0, 25.0), "other_footprint": Footprint(0.05, 1.0, 0.1)}


def test_time_and_size_are_shown_and_decide_nothing_by_default() -> None:
    evidence = replace(AGAINST, **HEAVY)  # type: ignore[arg-type]
    found = gate(evidence, of.ONE_ROW)
    assert judge(evidence).outcome == "PROMOTE"
    assert (found.decides, found.measured, found.required) == (False, "40 ms", "for information")
    assert "of v1 (random_forest): 0.05 ms" in found.explanation


@pytest.mark.parametrize("limit", ["one_row_ms", "thousand_rows_ms", "size_mb"])
def test_a_stated_limit_of_time_or_size_decides(limit: str) -> None:
    for bound, outcome in ((100.0, "PROMOTE"), (10.0, "REJECT")):
        evidence = replace(AGAINST, gates=Gates.model_validate({limit: bound}), **HEAVY)  # type: ignore[arg-type]
        assert judge(evidence).outcome == outcome


def test_a_gate_without_a_threshold_lets_no_verdict_depend_on_it() -> None:
    open_gates = Gates(
        savings_margin=None,
        recall_loss=None,
        calibration=CalibrationGate(factor=None, slope=None),
        segments=SegmentGate(loss=None),
    )
    lost = replace(
        BESIDE,
        savings=pair(-0.2, -0.3, -0.1),
        recall=pair(-0.2, -0.3, -0.1),
        segments=(segment("channel online", -0.3, -0.4, -0.2),),
    )
    evidence = replace(AGAINST, gates=open_gates, calibration=OFF, champion=replace(CHAMPION, compared=lost))
    found = judge(evidence)
    assert found.outcome == "PROMOTE"
    shown = {line.name for line in found.gates if not line.decides}
    assert shown >= {of.SAVINGS, of.RECALL, of.SEGMENTS, of.RATIO, of.SLOPE, of.PRECISION}


@pytest.mark.parametrize("evidence", [FIRST, AGAINST])
def test_promote_means_that_every_deciding_gate_is_passed(evidence: Evidence) -> None:
    assert all(line.passed for line in judge(evidence).gates if line.decides)


def test_a_statistical_tie_is_not_worse_and_not_better() -> None:
    evidence = precision(0.004, -0.01, 0.02)
    assert (gate(evidence, of.NOT_WORSE).passed, gate(evidence, of.BETTER).passed) == (True, False)


def test_a_first_champion_is_shown_beside_the_baseline_within_the_budget() -> None:
    evidence = over_baseline(0.1, 0.05, 0.15)
    assert {line.name for line in judge(evidence).gates if not line.decides} == {of.RECALL, of.PRECISION}


def test_why_the_baseline_stands_in_is_part_of_the_reason() -> None:
    instead = "It stands in for v3 (lightgbm)."
    found = judge(replace(FIRST, is_baseline=True, over_baseline=None, instead_of=instead))
    assert (found.outcome, found.reason.endswith(instead)) == ("PROMOTE", True)


def test_every_gate_says_in_words_what_was_measured_and_required_and_on_which_rows() -> None:
    for line in judge(AGAINST).gates:
        kept = line.to_dict()
        assert set(kept) == {
            "name", "value", "interval", "threshold", "passed", "decides", "refuted", "measured", "required",
            "explanation", "rows", "parts",
        }  # fmt: skip
        assert "" not in (kept["measured"], kept["required"])
        assert kept["explanation"].endswith(".")
        if kept["name"] != of.SPLIT:
            assert kept["rows"]["first"] == "2026-03-05"
