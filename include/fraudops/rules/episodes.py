"""What makes one hit of something that goes on for days: its first day, as far as one can look back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fraudops.rules.inputs import Inputs
from fraudops.rules.lines import DAY, Lines
from fraudops.rules.rows import Mask

NEVER = -(2**62)


@dataclass(frozen=True)
class Episode:
    """A stretch of time in which something holds of one subject again and again.

    Attributes
    ----------
    place
        The last place at which it holds.
    one
        Tells the episode apart: a later run that sees more of it finds the same.
    """

    place: int
    one: tuple[str, ...]


def episodes(inputs: Inputs, lines: Lines, met: Mask, current: Mask, *, window: int, seen: int) -> Iterator[Episode]:
    """Episodes that reach into the partition.

    Places at which it holds belong together where less than a window lies between them. See :func:`named` for what an
    episode is told by.

    Parameters
    ----------
    met, current
        Whether it holds at a place, and whether the place belongs to the partition. Shape (n,).
    window
        In µs.
    seen
        How far before the partition (µs) places are there: three windows, so that a hit is the same for one window.
    """
    horizon = horizon_of(inputs, window, seen)
    places = np.flatnonzero(met & (lines.times >= horizon))
    if not len(places):
        return
    codes, times = lines.codes[places], lines.times[places]
    begins = np.ones(len(places), dtype=bool)
    begins[1:] = (np.diff(codes) != 0) | (np.diff(times) >= window)
    for group in np.split(places, np.flatnonzero(begins)[1:]):
        if current[group[-1]]:
            yield Episode(int(group[-1]), (named(inputs, int(lines.times[group[0]]), horizon, window),))


def horizon_of(inputs: Inputs, window: int, seen: int) -> int:
    """Moment from which on windows are whole, as far as there are records at all."""
    earliest = inputs.start_us - seen
    begins = inputs.history.begins
    return NEVER if begins >= earliest else earliest + window


def named(inputs: Inputs, began: int, horizon: int, window: int) -> str:
    """What an episode is told by: the day (UTC) on which it began, where that can be seen.

    One that may have begun before the horizon goes on under the name of the partition's month: so whatever lasts
    longer is one more hit for each month.
    """
    return str(np.datetime64(began // DAY, "D")) if began - window >= horizon else inputs.key[:7]
