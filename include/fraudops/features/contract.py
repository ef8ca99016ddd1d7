"""The contract of features: the future, labels not yet known and the begin of the history cannot change one.

It is checked by changing each of them and computing again. What differs then looks where it must not look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.features.compute import compute, lookback
from fraudops.portfolio import Portfolio

_MICROSECOND = pd.Timedelta(1, "us")


class Breach(StrEnum):
    """In which way a column breaks the contract."""

    FUTURE = "future"
    """Later rows change it."""
    LABELS = "labels"
    """Labels that were not known yet change it."""
    HISTORY = "history"
    """Rows older than the look-back change it: a bulk load and a single day would differ."""
    TELLS = "tells"
    """It tells the label nearly perfectly, as only the label itself does."""


_WHAT_CHANGED = {
    Breach.FUTURE: "when later rows are replaced or taken away",
    Breach.LABELS: "when labels are changed that were not known yet",
    Breach.HISTORY: "when rows older than the look-back are left out",
}


@dataclass(frozen=True)
class Finding:
    """One column that breaks the contract in one way.

    Attributes
    ----------
    column
        Its name in the model.
    breach
        How.
    detail
        What was seen, in words.
    """

    column: str
    breach: Breach
    detail: str


def check_moments(
    portfolio: Portfolio, history: pa.Table, known: pd.DataFrame, rows: slice, *, moments: int = 4, seed: int = 0
) -> list[Finding]:
    """Change what the features of some rows must not depend on, and say which features changed.

    Parameters
    ----------
    history
        As :func:`fraudops.features.compute.compute` takes it; rows after ``rows`` serve as their future, and what is
        older than the look-back shows whether it matters.
    known
        Reports up to the end of the history.
    rows
        Positions whose features are looked at.
    moments
        At how many of these rows the future begins.

    Returns
    -------
    list of Finding
        One for each column and breach, in the order of the columns.
    """
    start, stop, _ = rows.indices(history.num_rows)
    random = np.random.default_rng(seed)
    changed: dict[tuple[str, Breach], tuple[int, int]] = {}
    for last in _moments(history, start, stop, moments):
        seen = slice(start, last + 1)
        honest = compute(portfolio, history, known, seen)
        for breach, other, said, place in _worlds(portfolio, history, known, start, last, random):
            again = compute(portfolio, other, said, slice(place, place + last + 1 - start))
            for name, count in _differences(honest, again):
                before = changed.get((name, breach), (0, 0))
                changed[name, breach] = max(before, (count, last + 1 - start))
    return [_finding(name, breach, *counts) for (name, breach), counts in changed.items()]


def _moments(history: pa.Table, start: int, stop: int, count: int) -> Sequence[int]:
    """Rows after which the future begins: evenly spread, the last one, and one among rows of one moment."""
    spread = np.linspace(start, stop - 1, count + 1)[1:].astype(int).tolist()
    times = history["event_time"].slice(start, stop - start).cast(pa.int64()).to_numpy()
    tied = np.flatnonzero(np.diff(times) == 0)
    return sorted({*spread, *(start + tied[len(tied) // 2 :][:1]).tolist()})


def _worlds(
    portfolio: Portfolio, history: pa.Table, known: pd.DataFrame, start: int, last: int, random: np.random.Generator
) -> Iterator[tuple[Breach, pa.Table, pd.DataFrame, int]]:
    """Histories and reports that the rows from ``start`` to ``last`` cannot tell from the true ones."""
    now = history["event_time"][last].as_py()
    yield Breach.FUTURE, _with_another_future(history, last, random), known, start
    yield Breach.FUTURE, history.slice(0, last + 1), known, start
    yield Breach.LABELS, history, _with_other_labels(history, known, now), start
    yield Breach.LABELS, history, known[(known["known_at"] <= now).to_numpy()], start
    oldest = pa.scalar(history["event_time"][start].as_py() - lookback(portfolio), history["event_time"].type)
    begin = pc.sum(pc.less(history["event_time"], oldest)).as_py() or 0
    yield Breach.HISTORY, history.slice(begin), known, start - begin


def _with_another_future(history: pa.Table, last: int, random: np.random.Generator) -> pa.Table:
    """Later rows with the entities of others, and amounts of another size; their times must stay in order."""
    later = history.slice(last + 1)
    for name in later.column_names:
        if name in ("transaction_id", "event_time"):
            continue
        values = later[name].take(pa.array(random.permutation(len(later))))
        if name == "amount_minor":
            values = pc.subtract(7, pc.multiply(values, 1000))
        later = later.set_column(later.column_names.index(name), history.schema.field(name), values)
    return pa.concat_tables([history.slice(0, last + 1), later])


def _with_other_labels(history: pa.Table, known: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """What was said later turned round, and every payment of which nothing had been said reported a moment later."""
    later = (known["known_at"] > now).to_numpy()
    turned = known.assign(label=known["label"].where(~later, ~known["label"].astype("boolean")))
    silent = pc.invert(pc.is_in(history["transaction_id"], pa.array(known["transaction_id"], pa.string())))
    quiet = history.filter(silent)["transaction_id"].to_pandas()
    invented = pd.DataFrame(
        {"transaction_id": quiet, "label": pd.array([True] * len(quiet), "boolean"), "known_at": now + _MICROSECOND}
    )
    # Nothing can be said of a payment before it was made.
    made = history.filter(silent)["event_time"].to_pandas()
    invented["known_at"] = np.maximum(invented["known_at"], made + _MICROSECOND)
    parts = [part for part in (turned, invented) if len(part)]
    both = pd.concat(parts, ignore_index=True) if parts else known
    return both.sort_values(["known_at", "transaction_id"], kind="stable", ignore_index=True)


def _differences(honest: pa.Table, again: pa.Table) -> Iterator[tuple[str, int]]:
    """Columns that are not the same to the last bit, each with the number of rows."""
    for name in honest.column_names[1:]:
        if not honest[name].equals(again[name]):
            first, second = honest[name].to_pandas(), again[name].to_pandas()
            yield name, int((~((first == second) | (first.isna() & second.isna()))).sum())


def _finding(name: str, breach: Breach, changed: int, rows: int) -> Finding:
    return Finding(name, breach, f"{changed:,} of {rows:,} rows change {_WHAT_CHANGED[breach]}")


def older_rows(portfolio: Portfolio) -> timedelta:
    """How much more than the look-back should be loaded, so that it shows whether older rows matter."""
    return max(portfolio.features.reach, portfolio.features.longest_window, timedelta(days=1))
