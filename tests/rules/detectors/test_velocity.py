"""Bursts of payments."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.rules.payments import hits, inputs, paid

RULE = "velocity"


def burst(at: str, many: int, minutes: int = 3, **more):
    start = datetime.fromisoformat(at)
    return [
        paid((start + timedelta(minutes=minutes * n)).isoformat(), 20, direction="out", **more) for n in range(many)
    ]


def test_enough_within_the_hour() -> None:
    assert not hits(RULE, inputs(burst("2026-03-05T10:00", 7), "2026-03-05"))
    (hit,) = hits(RULE, inputs(burst("2026-03-05T10:00", 9), "2026-03-05"))
    assert (hit.values["most_in_window"], hit.values["transactions"]) == (9, 9)
    assert not hits(RULE, inputs(burst("2026-03-05T10:00", 9, minutes=10), "2026-03-05"))


def test_over_midnight_is_one_hit() -> None:
    rows = burst("2026-03-05T23:35", 12)
    (before,) = hits(RULE, inputs(rows, "2026-03-05"))
    (after,) = hits(RULE, inputs(rows, "2026-03-06"))
    assert before.id_for("p", RULE) == after.id_for("p", RULE)
    assert (len(before.transactions), len(after.transactions)) == (9, 12)


def test_two_bursts_on_one_day_are_two_hits() -> None:
    rows = [*burst("2026-03-05T08:00", 9), *burst("2026-03-05T20:00", 9)]
    assert len(hits(RULE, inputs(rows, "2026-03-05"))) == 2


def test_who_always_pays_often_is_usual() -> None:
    rows = [row for day in range(1, 9) for row in burst(f"2026-03-{day:02d}T10:00", 9)]
    assert not hits(RULE, inputs(rows, "2026-03-08"))
