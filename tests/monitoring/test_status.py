from __future__ import annotations

import itertools

from fraudops.monitoring.status import Look, State, Status, fold
from fraudops.portfolio import Hysteresis
from hypothesis import given
from hypothesis import strategies as st

RULE = Hysteresis(of=5, enter=3, leave=1)
LETTERS: dict[str, Status] = {"o": "ok", "w": "watch", "a": "act"}


def looks(text: str, *, family: str = "recall", version: str = "v1", first: int = 1) -> list[Look]:
    """One look per letter; ``-`` is a partition in which nothing could be judged."""
    return [
        Look(f"2026-03-{day:02d}", version, {family: LETTERS[letter]} if letter != "-" else {})
        for day, letter in enumerate(text, start=first)
    ]


def statuses(text: str) -> str:
    return "".join("-" if s.status == "unknown" else s.status[0] for s in fold(looks(text), RULE))


def test_one_bad_partition_is_no_status() -> None:
    assert statuses("ooaoo") == "ooooo"
    assert statuses("oaoaoo") == "oooooo"


def test_three_of_five_are_one_and_it_ends_when_at_most_one_of_five_is_left() -> None:
    assert statuses("oaaa") == "oooa"
    assert statuses("aaaoooo") == "ooaaaao"


def test_what_flickers_does_not_flap() -> None:
    settled = statuses("aaa" + "ao" * 10)[2:]
    assert set(settled) == {"a"}


def test_act_counts_for_watch_and_goes_back_over_it() -> None:
    assert statuses("waw") == "oow"
    assert statuses("aaawwwww") == "ooaaaaww"


def test_what_is_not_judged_neither_helps_nor_hurts() -> None:
    assert statuses("---") == "---"
    assert statuses("a-a-a") == "o-o-a".replace("-", "o")


def test_since_is_the_first_partition_of_the_stretch() -> None:
    last = fold(looks("ooaaaa"), RULE)[-1]
    assert (last.status, last.since, last.reasons) == ("act", "2026-03-05", ["recall"])


def test_the_overall_status_is_the_gravest() -> None:
    merged = [
        Look(a.key, "v1", {**a.levels, **b.levels}) for a, b in zip(looks("ooo"), looks("www", family="x"), strict=True)
    ]
    assert fold(merged, RULE)[-1].status == "watch"


def test_another_champion_begins_anew() -> None:
    found = fold([*looks("aaa"), *looks("aao", version="v2", first=4)], RULE)
    assert [state.status for state in found] == ["ok", "ok", "act", "ok", "ok", "ok"]
    assert found[3].since == "2026-03-04"


@given(st.text("owa-", min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_the_order_in_which_looks_arrive_changes_nothing(text: str, random: object) -> None:
    found = looks(text)
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(shuffled, RULE) == fold(found, RULE)


def test_what_comes_later_changes_no_earlier_status() -> None:
    for letters in itertools.product("oa", repeat=6):
        text = "".join(letters)
        whole: list[State] = fold(looks(text), RULE)
        assert fold(looks(text[:4]), RULE) == whole[:4]
