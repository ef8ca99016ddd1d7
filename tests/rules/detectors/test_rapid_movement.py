"""Money that is passed through."""

from __future__ import annotations

from tests.rules.payments import hits, inputs, paid

RULE = "rapid_movement"


def test_what_goes_out_within_the_window_is_found_once() -> None:
    rows = [paid("2026-03-04T20:00", 6_000), paid("2026-03-05T08:00", 5_500, direction="out")]
    rows += [paid("2026-03-05T22:00", 400, direction="out")]
    (first,) = hits(RULE, inputs(rows, "2026-03-05"))
    assert (first.values["in_minor"], first.values["out_minor"]) == (600_000, 590_000)
    assert not hits(RULE, inputs(rows, "2026-03-04"))


def test_too_little_too_late_and_too_small_a_share_are_not() -> None:
    assert not hits(
        RULE, inputs([paid("2026-03-05T08:00", 4_999), paid("2026-03-05T09:00", 4_990, direction="out")], "2026-03-05")
    )
    late = [paid("2026-03-02T08:00", 6_000), paid("2026-03-05T09:00", 6_000, direction="out")]
    assert not hits(RULE, inputs(late, "2026-03-05"))
    part = [paid("2026-03-05T08:00", 6_000), paid("2026-03-05T09:00", 5_000, direction="out")]
    assert not hits(RULE, inputs(part, "2026-03-05"))


def test_what_went_out_before_is_other_money() -> None:
    rows = [paid("2026-03-05T07:00", 5_900, direction="out"), paid("2026-03-05T08:00", 6_000)]
    assert not hits(RULE, inputs([*rows, paid("2026-03-05T09:00", 10, direction="out")], "2026-03-05"))


def test_what_always_comes_in_is_usual() -> None:
    rows = [paid(f"2026-03-{day:02d}T08:00", 6_000) for day in range(1, 29)]
    rows += [paid(f"2026-03-{day:02d}T12:00", 5_900, direction="out") for day in range(1, 29)]
    assert not hits(RULE, inputs(rows, "2026-03-28"))
