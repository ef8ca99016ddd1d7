from __future__ import annotations

from fraudops.rules.backtest import Backtest, Tried


def _tried(**hits: tuple[str, set[str]]) -> Tried:
    return Tried(
        {name: ("2026-03-05", subject) for name, (subject, _) in hits.items()},
        {name: frozenset(transactions) for name, (_, transactions) in hits.items()},
    )


def _difference(in_force: Tried, tried: Tried) -> dict[str, int]:
    return Backtest("velocity", ["2026-03-05"], {"least": "4"}, in_force, tried, frozenset()).difference


def test_a_hit_that_begins_at_another_payment_is_the_same() -> None:
    in_force = _tried(fifth=("a", {"t1", "t2", "t5"}), other=("b", {"t8"}), missing=("c", set()))
    tried = _tried(fourth=("a", {"t1", "t2"}), stranger=("c", {"t8"}), missing=("c", set()))
    assert _difference(in_force, tried) == {"new": 1, "gone": 1, "same": 2}


def test_one_hit_that_takes_the_place_of_two() -> None:
    in_force = _tried(first=("a", {"t1"}), second=("a", {"t2"}))
    tried = _tried(both=("a", {"t1", "t2"}))
    assert _difference(in_force, tried) == {"new": 0, "gone": 0, "same": 1}
