"""Amounts against the profile."""

from __future__ import annotations

from tests.rules.payments import hits, inputs, paid

RULE = "amount_against_profile"


def everyday(many: int):
    return [paid(f"2026-02-{day:02d}T10:00", 2_000, direction="out") for day in range(1, many + 1)]


def test_three_times_the_largest_of_a_known_account() -> None:
    rows = [*everyday(15), paid("2026-03-05T10:00", 6_000, direction="out")]
    (hit,) = hits(RULE, inputs(rows, "2026-03-05"))
    assert (hit.values["amount_minor"], hit.values["largest_before_minor"]) == (600_000, 200_000)
    assert not hits(RULE, inputs([*everyday(14), rows[-1]], "2026-03-05"))
    assert not hits(RULE, inputs([*everyday(15), paid("2026-03-05T10:00", 5_999.99, direction="out")], "2026-03-05"))


def test_directions_have_profiles_of_their_own() -> None:
    assert not hits(RULE, inputs([*everyday(15), paid("2026-03-05T10:00", 9_000)], "2026-03-05"))
