"""Both sides test the very same rows."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import train_test_split

from benchmarks.tutorial.split import TIME, TUTORIAL, split


def test_the_rows_are_those_that_the_tutorial_tests() -> None:
    values = np.arange(1_000) * 3
    learned, tested = split(TUTORIAL, 1_000)
    theirs, their_test = train_test_split(values, test_size=0.2, random_state=42)
    assert set(values[tested]) == set(their_test)
    assert set(values[learned]) == set(theirs)


def test_by_time_the_last_fifth_is_tested() -> None:
    learned, tested = split(TIME, 1_000)
    assert (learned[-1], tested[0], len(tested)) == (799, 800, 200)
