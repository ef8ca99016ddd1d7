"""A slow start is waited for, a part that is stuck is not."""

from __future__ import annotations

import os

from fraudops.stack.patience import LIMIT, STUCK_AFTER, Patience, processor_seconds


def _watch(minutes: int, worked_a_minute: float) -> Patience:
    patience = Patience(0)
    for minute in range(minutes + 1):
        patience.observe(60 * minute, {"scheduler", "triggerer"}, worked_a_minute * minute)
    return patience


def test_what_uses_the_processor_is_waited_for_and_not_for_ever() -> None:
    assert _watch(10, worked_a_minute=3).lost(600) is None
    why = _watch(16, worked_a_minute=3).lost(960)
    assert why == "did not become healthy within 960 s, though it was at work"
    assert LIMIT < 960


def test_what_does_nothing_is_stuck() -> None:
    assert _watch(2, worked_a_minute=0.3).lost(STUCK_AFTER) is None
    assert "has done nothing for 120 s" in str(_watch(4, worked_a_minute=0.2).lost(240))


def test_a_part_that_became_healthy_is_something_done() -> None:
    patience = _watch(2, worked_a_minute=0)
    patience.observe(130, {"triggerer"}, 0)
    assert patience.lost(240) is None
    assert patience.lost(260)


def test_people_hear_now_and_then_what_is_waited_for() -> None:
    patience = _watch(1, worked_a_minute=0)
    assert str(patience.news(60)).startswith("still waiting for scheduler, triggerer after 60 s")
    assert patience.news(70) is None
    assert patience.news(91)


def test_the_time_of_a_process_is_read_and_one_that_is_gone_has_none() -> None:
    assert processor_seconds([os.getpid()]) > 0
    assert processor_seconds([2**22 + 1]) == 0
