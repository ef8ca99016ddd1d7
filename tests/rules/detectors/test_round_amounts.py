"""Round amounts."""

from __future__ import annotations

from tests.rules.payments import hits, inputs, paid

RULE = "round_amounts"


def rounds(days, amount: float = 3_000):
    return [paid(f"2026-03-{day:02d}T10:00", amount, direction="out") for day in days]


def test_many_and_hardly_any_other() -> None:
    assert not hits(RULE, inputs(rounds(range(3, 7)), "2026-03-06"))
    (hit,) = hits(RULE, inputs(rounds(range(3, 8)), "2026-03-07"))
    assert (hit.values["round"], hit.values["total_minor"]) == (5, 1_500_000)
    mixed = [*rounds(range(3, 8)), *rounds((4, 5), 1_234.56)]
    assert not hits(RULE, inputs(mixed, "2026-03-07"))


def test_small_payments_of_every_day_say_nothing() -> None:
    rows = [*rounds(range(3, 8)), *rounds(range(1, 8), 12.34), *rounds(range(1, 8), 100)]
    assert hits(RULE, inputs(rows, "2026-03-07"))


def test_an_episode_is_one_hit_and_a_long_one_is_one_more_for_each_month() -> None:
    rows = rounds(range(1, 32))
    found = [hits(RULE, inputs(rows, f"2026-03-{day:02d}")) for day in range(5, 32)]
    assert len({hit.id_for("p", RULE) for (hit,) in found}) <= 2
