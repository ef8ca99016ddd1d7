"""Where windows begin, however many entities there are and however long the time."""

from __future__ import annotations

import numpy as np
import pytest
from fraudops.features.engine.distinct import distinct_until
from fraudops.features.engine.timelines import Scale, Timelines, stable_order
from hypothesis import given
from hypothesis import strategies as st

moment = st.integers(0, 50)
pairs = st.lists(st.tuples(st.integers(0, 6), moment), min_size=1, max_size=40).map(sorted)
YEARS = 20 * 366 * 86_400_000_000


def _timelines(found: list[tuple[int, int]], unit: int, margin: int) -> Timelines:
    codes, moments = np.array(found, np.int64).T
    return Timelines(Scale(0, 50 * unit, margin), codes, moments * unit)


@given(pairs, pairs, st.integers(0, 60), st.sampled_from(["left", "right"]), st.sampled_from([1, YEARS // 50]))
def test_the_edge_of_each_window(
    found: list[tuple[int, int]], others: list[tuple[int, int]], before: int, side: str, unit: int
) -> None:
    # With twenty years in microseconds and a margin as long as can be, each entity fills a block of its own.
    margin = 60 * unit if unit == 1 else 2**61
    places = _timelines(found, unit, margin).places(_timelines(others, unit, margin), before * unit, side)  # type: ignore[arg-type]
    for (code, time), place in zip(others, places, strict=True):
        earlier = [p for p in found if p[0] < code]
        own = [t for c, t in found if c == code]
        reached = [t for t in own if (t <= time - before if side == "right" else t < time - before)]
        assert place == len(earlier) + len(reached)


def test_looking_farther_back_than_was_said_is_an_error() -> None:
    timelines = _timelines([(0, 1), (0, 2)], 1, 10)
    with pytest.raises(ValueError, match="farther than the 10"):
        timelines.places(timelines, 11)


@given(st.lists(st.integers(0, 2**40), max_size=60))
def test_sorting_by_digits_is_stable(codes: list[int]) -> None:
    values = np.array(codes, np.int64)
    assert stable_order(values).tolist() == np.argsort(values, kind="stable").tolist()


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 4), st.integers(1, 6)), max_size=40).map(
        lambda rows: sorted(rows, key=lambda row: row[0])
    )
)
def test_different_others_in_windows_that_move_on(rows: list[tuple[int, int, int]]) -> None:
    codes, others, lengths = (
        (np.array(values, np.int64) for values in zip(*rows, strict=True)) if rows else [np.empty(0, np.int64)] * 3
    )
    first = np.searchsorted(codes, codes)
    start = np.maximum.accumulate(np.maximum(first, np.arange(len(rows)) + 1 - lengths)) if rows else first
    found = distinct_until(start, others, codes)
    for place, count in enumerate(found):
        assert count == len(set(others[start[place] : place + 1].tolist()) - {-1})
