from __future__ import annotations

from fraudops.registry.gate_lines import failed_gates, gate_lines

OLD = {
    "name": "not worse than the champion",
    "value": -0.0123,
    "interval": [-0.05, 0.03],
    "threshold": -0.02,
    "passed": False,
    "decides": True,
    "explanation": "Why.",
    "rows": {"first": "2026-03-05", "last": "2026-03-11", "n": 14_000, "positives": 92},
}
NEW = {
    **OLD,
    "name": "no segment loses",
    "measured": "channel online: -0.300 [-0.500, -0.100]",
    "required": "no loss of more than 0.1",
    "refuted": False,
    "parts": [
        {"name": "channel online", "measured": "-0.300", "value": -0.3, "interval": [-0.5, -0.1], "passed": False,
         "positives": 1_025},
        {"name": "savings", "measured": "+0.1", "value": 0.1, "interval": [0, 0.2], "passed": True, "positives": None},
    ],
}  # fmt: skip


def test_a_gate_of_an_earlier_version_is_told_by_its_numbers() -> None:
    (line,) = gate_lines([OLD])
    assert (line.measured, line.required, line.result) == ("-0.012 [-0.050, 0.030]", "-0.020", "not passed")
    assert line.rows == "2026-03-05 to 2026-03-11: 14,000 transactions, 92 frauds"


def test_the_least_that_was_ever_stored_is_shown() -> None:
    lines = gate_lines([{"name": "positives", "value": 5, "threshold": "20", "passed": False}])
    assert [(line.measured, line.required, line.rows, line.parts) for line in lines] == [("5", "20", "", ())]


def test_a_gate_that_says_it_in_words_is_quoted() -> None:
    (line,) = gate_lines([NEW])
    assert (line.measured, line.required) == (NEW["measured"], NEW["required"])
    assert [part.name for part in line.parts] == ["channel online, 1,025 frauds", "savings"]
    assert [part.passed for part in line.parts] == [False, True]


def test_what_decides_nothing_has_not_failed() -> None:
    noted = {**OLD, "name": "noted", "decides": False}
    assert [line.result for line in gate_lines([noted])] == ["for information"]
    assert failed_gates([OLD, noted, {**OLD, "passed": True}]) == ["not worse than the champion"]
