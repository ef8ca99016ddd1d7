"""Whether features that were computed one transaction after the other are those of the batch, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from fraudops.features.columns import feature_names
from fraudops.features.compute import compute
from fraudops.online.state import OnlineState
from fraudops.portfolio import Portfolio

from benchmarks.online.stream import Stream

_ENTITIES = ("customer_id", "terminal_id", "card_token")


@dataclass(frozen=True)
class Agreement:
    """What was compared.

    Attributes
    ----------
    compared
        Transactions of which every feature was compared.
    late
        Those among them that came after one with a later moment.
    alone
        Those among them that were compared with a computation of their own.
    left
        Transactions that were not compared: something older came after them before the next comparison, and enough
        others were compared alone.
    differing
        Ids and names of the features that differ.
    """

    compared: int
    late: int
    alone: int
    left: int
    differing: tuple[tuple[str, str], ...]


def agree(portfolio: Portfolio, stream: Stream, *, cuts: int = 10, alone: int = 100) -> Agreement:
    """Compare every transaction with the batch over what had arrived with it.

    The batch computes the history as it was at some cuts. That is the history as a transaction saw it, unless something
    older of one of its entities came between it and the cut; of these transactions some are computed alone.
    """
    online = _online(portfolio, stream)
    first_seen = dict.fromkeys(stream.arrivals)
    arrivals = np.array([*first_seen])
    names, differing, compared, lone, left = feature_names(portfolio), [], 0, 0, 0
    for part in np.array_split(np.arange(len(arrivals)), cuts):
        own, there = arrivals[part], np.sort(arrivals[: part[-1] + 1])
        clean = own[~_overtaken(stream, own)]
        pairs = [(clean, _batch(portfolio, stream, there, clean))]
        rest = np.setdiff1d(own, clean)
        for row in rest[: max(0, -(-alone // cuts))]:
            then = np.sort(arrivals[: int(np.flatnonzero(arrivals == row)[0]) + 1])
            pairs.append((np.array([row]), _batch(portfolio, stream, _related(stream, then, row), np.array([row]))))
            lone += 1
        left += len(rest) - (len(pairs) - 1)
        for rows, expected in pairs:
            found = online[rows]
            same = (found == expected) | (np.isnan(found) & np.isnan(expected))
            differing += [(stream.transactions[rows[r]].id, names[c]) for r, c in np.argwhere(~same)]
            compared += len(rows)
    late = int((np.maximum.accumulate(arrivals) > arrivals).sum())
    return Agreement(compared, late, lone, left, tuple(differing))


def _online(portfolio: Portfolio, stream: Stream) -> np.ndarray:
    """Features of each payment when it first arrived, in the order of the history."""
    state = OnlineState(portfolio, payments=10**9)
    state.begin(None, stream.transactions)
    state.say(stream.transactions, stream.reports)
    found = np.empty((len(stream.transactions), len(feature_names(portfolio))))
    seen: set[int] = set()
    for row in stream.arrivals:
        values = state.add(stream.transactions[row])
        if row not in seen:
            found[row] = values
            seen.add(row)
    return found


def _overtaken(stream: Stream, own: np.ndarray) -> np.ndarray:
    """Whether, among these arrivals, something older of the same entity came later."""
    earliest: dict[tuple[str, str], int] = {}
    found = np.zeros(len(own), bool)
    for place in range(len(own) - 1, -1, -1):
        row = int(own[place])
        for key in _keys(stream, row):
            if earliest.get(key, row) < row:
                found[place] = True
            earliest[key] = min(earliest.get(key, row), row)
    return found


def _keys(stream: Stream, row: int) -> Iterator[tuple[str, str]]:
    values = stream.transactions[row].row
    return ((name, values[name]) for name in _ENTITIES)


def _related(stream: Stream, rows: np.ndarray, row: int) -> np.ndarray:
    """Those of some rows that share an entity with one of them: nothing else can be in its features."""
    history, mine = stream.history, stream.transactions[row].row
    shared = np.zeros(history.num_rows, bool)
    for name in _ENTITIES:
        shared |= pa.compute.equal(history[name], mine[name]).to_numpy()
    return rows[shared[rows]]


def _batch(portfolio: Portfolio, stream: Stream, there: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """What the batch computes for some rows of the history that consists of the rows that are there (ascending)."""
    places = np.searchsorted(there, wanted)
    if not len(places):
        return np.empty((0, len(feature_names(portfolio))))
    first, last = int(places.min()), int(places.max()) + 1
    table = compute(portfolio, stream.history.take(pa.array(there)), stream.known, slice(first, last))
    columns = [table[name].to_numpy().astype(np.float64) for name in feature_names(portfolio)]
    return np.column_stack(columns)[places - first]
