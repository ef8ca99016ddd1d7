"""Reported frauds of entities: how many became known in a window, how much they took, and when the last one was."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fraudops.features.engine.columns import Column, Floats
from fraudops.features.engine.timelines import Ints, Scale, Side, Timelines, stable_order

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Reported:
    """Reported frauds, and corrections that take one back, in the order in which they became known.

    Attributes
    ----------
    row
        Position of the transaction in the history.
    effective
        Moment from which the report counts, in microseconds; never before ``event_time + delay``.
    weight
        +1 for a fraud, −1 for the correction of one.
    """

    row: Ints
    effective: Ints
    weight: Ints


class EntityReports:
    """Reports as one kind of entity sees them.

    Parameters
    ----------
    scale
        That of the entity's payments.
    codes, times, amounts
        Entity (−1: none), microseconds and minor units of each row of the history. Shape (n,).
    reported
        Reported frauds of the same history.
    """

    def __init__(self, scale: Scale, codes: Ints, times: Ints, amounts: Ints, reported: Reported) -> None:
        named = np.flatnonzero(codes[reported.row] >= 0)
        by_time = named[np.argsort(reported.effective[named], kind="stable")]
        order = by_time[stable_order(codes[reported.row[by_time]])]
        row, self._codes, self._scale = reported.row[order], codes[reported.row[order]], scale
        # What becomes known after the last row is seen by none.
        self._effective = np.minimum(reported.effective[order], scale.last + 1)
        self._timelines = Timelines(scale, self._codes, self._effective)
        self._weight, self._amount = Column(reported.weight[order]), Column(reported.weight[order] * amounts[row])
        self._happened, self._until = times[row], _ends(row, self._effective)

    def count(self, rows: Timelines, window: int, side: Side) -> Ints:
        """Frauds that became known in the window before each row."""
        return self._weight.total(*self._stretch(rows, window, side))

    def amount(self, rows: Timelines, window: int, side: Side) -> Ints:
        """Their amounts, in minor units."""
        return self._amount.total(*self._stretch(rows, window, side))

    def latest(self, rows: Timelines, times: Ints, window: int, side: Side) -> Floats:
        """Seconds since the latest payment among them."""
        return self._since(self._happened, rows, times, window, side)

    def newest(self, rows: Timelines, times: Ints, window: int, side: Side) -> Floats:
        """Seconds since the newest report among them began to count."""
        return self._since(self._effective, rows, times, window, side)

    def _stretch(self, rows: Timelines, window: int, side: Side) -> tuple[Ints, Ints]:
        return self._timelines.places(rows, window, side), self._timelines.places(rows, 0, side)

    def _since(self, moments: Ints, rows: Timelines, times: Ints, window: int, side: Side) -> Floats:
        """Seconds since the largest of some moments of the frauds that are known and not taken back."""
        codes, begins, largest = self._steps(moments, window)
        place = Timelines(self._scale, codes, begins).places(rows, 0, side) - 1
        result = np.full(len(rows), np.nan)
        here = np.flatnonzero(place >= 0)
        here = here[codes[place[here]] == rows.codes[here]]
        here = here[largest[place[here]] != _NEVER]
        result[here] = (times[here] - largest[place[here]]) / 1e6
        return result

    def _steps(self, moments: Ints, window: int) -> tuple[Ints, Ints, Ints]:
        """The largest moment of the frauds in force, in steps: each one's entity, begin and value."""
        counts = np.flatnonzero(self._weight.values > 0)
        codes, begin, value = self._codes[counts], self._effective[counts], moments[counts]
        end = np.minimum(np.minimum(self._until[counts], begin + window), self._scale.last + 1)
        edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)] if len(codes) else [0]
        steps = [
            (int(codes[start]), moment, largest)
            for start, stop in pairwise(edges)
            for moment, largest in _largest_in_force(
                begin[start:stop].tolist(), end[start:stop].tolist(), value[start:stop].tolist()
            )
        ]
        columns = np.array(steps, np.int64).reshape(-1, 3).T
        return columns[0], columns[1], columns[2]


def _ends(row: Ints, effective: Ints) -> Ints:
    """When each report is taken back by the next one on the same payment; never, where there is none."""
    order = np.argsort(row, kind="stable")
    ends = np.full(len(row), _NEVER)
    again = np.flatnonzero(np.diff(row[order]) == 0)
    ends[order[again]] = effective[order[again + 1]]
    return ends


def _largest_in_force(begin: list[int], end: list[int], value: list[int]) -> Iterator[tuple[int, int]]:
    """Each moment at which something begins or ends, with the largest value then in force.

    Parameters
    ----------
    begin
        Ascending.
    """
    in_force: list[tuple[int, int]] = []
    place = 0
    for moment in sorted({*begin, *end}):
        while place < len(begin) and begin[place] <= moment:
            heapq.heappush(in_force, (-value[place], end[place]))
            place += 1
        while in_force and in_force[0][1] <= moment:
            heapq.heappop(in_force)
        yield moment, -in_force[0][0] if in_force else _NEVER
