"""Reported frauds of entities: how many became known in a window, how much they took, when the last one was, and which
payments were not, or no longer, known to be fraud."""

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
        self._row, self._happened, self._until = row, times[row], _ends(row, self._effective)
        self._found: dict[tuple[int, int], _Steps] = {}
        self._pardoned: _Steps | None = None

    def places(self, rows: Timelines, before: int, side: Side) -> Ints:
        """Where the reports end that counted ``before`` µs before each row ("left": strictly before)."""
        return self._timelines.places(rows, before, side)

    def count(self, start: Ints, stop: Ints) -> Ints:
        """Frauds, less corrections, among stretches of reports."""
        return self._weight.total(start, stop)

    def amount(self, start: Ints, stop: Ints) -> Ints:
        """Their amounts, in minor units."""
        return self._amount.total(start, stop)

    def latest(self, rows: Timelines, times: Ints, window: int, side: Side) -> Floats:
        """Seconds since the latest payment of which the fraud became known in the window before each row."""
        return self._steps(self._happened, window).since(rows, times, side)

    def newest(self, rows: Timelines, times: Ints, window: int, side: Side) -> Floats:
        """Seconds since the newest such report began to count."""
        return self._steps(self._effective, window).since(rows, times, side)

    def last_pardoned(self, rows: Timelines, place: Ints, delay: int, side: Side) -> Ints:
        """Place of the latest payment that has a report, but is not known to be fraud at the moment of each row.

        Its label is due, and the report came later, or had been taken back by then. −1 where there is none.

        Parameters
        ----------
        place
            Of each row of the history, in the order of the entity's payments.
        """
        if self._pardoned is None:
            self._pardoned = self._find_pardoned(place, delay)
        return self._pardoned.held(rows, side)

    def _find_pardoned(self, place: Ints, delay: int) -> _Steps:
        _, first = np.unique(self._row, return_index=True)
        back = np.flatnonzero(self._weight.values < 0)
        which = np.concatenate([first, back])
        due = np.minimum(self._happened[first] + delay, self._scale.last + 1)
        begin = np.concatenate([due, self._effective[back]])
        end = np.concatenate([self._effective[first], np.minimum(self._until[back], self._scale.last + 1)])
        lasting = np.flatnonzero(end > begin)
        which, begin, end = which[lasting], begin[lasting], end[lasting]
        order = np.lexsort((begin, self._codes[which]))
        which = which[order]
        return self._steps_of(self._codes[which], begin[order], end[order], place[self._row[which]])

    def _steps(self, moments: Ints, window: int) -> _Steps:
        """The largest of some moments of the frauds that are known and not taken back; found once."""
        found = (id(moments), window)
        if found not in self._found:
            self._found[found] = self._find_steps(moments, window)
        return self._found[found]

    def _find_steps(self, moments: Ints, window: int) -> _Steps:
        counts = np.flatnonzero(self._weight.values > 0)
        begin = self._effective[counts]
        end = np.minimum(np.minimum(self._until[counts], begin + window), self._scale.last + 1)
        return self._steps_of(self._codes[counts], begin, end, moments[counts])

    def _steps_of(self, codes: Ints, begin: Ints, end: Ints, value: Ints) -> _Steps:
        """The largest of the values in force, for each entity; ascending by (entity, begin)."""
        edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)] if len(codes) else [0]
        steps = [
            (int(codes[start]), moment, largest)
            for start, stop in pairwise(edges)
            for moment, largest in largest_in_force(
                begin[start:stop].tolist(), end[start:stop].tolist(), value[start:stop].tolist()
            )
        ]
        columns = np.array(steps, np.int64).reshape(-1, 3).T
        return _Steps(Timelines(self._scale, columns[0], columns[1]), columns[2])


@dataclass(frozen=True)
class _Steps:
    """A moment, or another number, that changes in steps, for each entity.

    Attributes
    ----------
    begins
        When the steps begin.
    values
        The number from there on; never, where there is none.
    """

    begins: Timelines
    values: Ints

    def since(self, rows: Timelines, times: Ints, side: Side) -> Floats:
        """Seconds from the moment that holds at each row to the row; NaN where there is none."""
        result = np.full(len(rows), np.nan)
        here, values = self._at(rows, side)
        result[here] = (times[here] - values) / 1e6
        return result

    def held(self, rows: Timelines, side: Side) -> Ints:
        """The number that holds at each row; −1 where there is none."""
        result = np.full(len(rows), -1, np.int64)
        here, values = self._at(rows, side)
        result[here] = values
        return result

    def _at(self, rows: Timelines, side: Side) -> tuple[Ints, Ints]:
        """Rows at which a number holds, and the numbers."""
        place = self.begins.places(rows, 0, side) - 1
        here = np.flatnonzero(place >= 0)
        here = here[self.begins.codes[place[here]] == rows.codes[here]]
        here = here[self.values[place[here]] != _NEVER]
        return here, self.values[place[here]]


def _ends(row: Ints, effective: Ints) -> Ints:
    """When each report is taken back by the next one on the same payment; never, where there is none."""
    order = np.argsort(row, kind="stable")
    ends = np.full(len(row), _NEVER)
    again = np.flatnonzero(np.diff(row[order]) == 0)
    ends[order[again]] = effective[order[again + 1]]
    return ends


def largest_in_force(begin: list[int], end: list[int], value: list[int]) -> Iterator[tuple[int, int]]:
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
