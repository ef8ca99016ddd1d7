"""CSV lines of simulated feeds of every kind: headers, rows, reports, and dirty rows among the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.simulator.randomness import before, starting

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

Spoil = Callable[[dict[str, list[str]], int, int], None]
"""Makes a row of some columns dirty: the columns, the row, and the how-manieth dirty row of the world it is."""


def header(columns: tuple[str, ...]) -> bytes:
    """First line of a file."""
    return (",".join(columns) + "\n").encode()


def iso(moments: pa.Array) -> pa.Array:
    """Timestamps as ``2026-08-25T06:31:07Z``."""
    return pc.strftime(moments.cast(pa.timestamp("s", "UTC")), _TIME_FORMAT)


def reports_text(reports: pd.DataFrame, columns: tuple[str, ...]) -> bytes:
    """A file of what is said of transactions: header and lines."""
    texts = reports.assign(reported_at=reports["reported_at"].dt.strftime(_TIME_FORMAT)).astype(str)
    lines = (",".join(row) + "\n" for row in texts[list(columns)].itertuples(index=False))
    return header(columns) + "".join(lines).encode()


def with_dirty_rows(
    columns: Mapping[str, pa.Array], rate: float, day: date, rng: np.random.Generator, spoil: Spoil
) -> bytes:
    """Lines of a day's rows, and after some of them the same once more, spoilt; without the header.

    Parameters
    ----------
    columns
        Texts, of equal length.
    rate
        Dirty rows a day, on average.
    """
    count = len(next(iter(columns.values())))
    source = np.sort(rng.choice(count, size=min(starting(rate, day), count), replace=False))
    dirty = {name: column.take(pa.array(source)).to_pylist() for name, column in columns.items()}
    for row in range(len(source)):
        spoil(dirty, row, before(rate, day) + row)
    extra = pa.array([",".join(values) for values in zip(*dirty.values(), strict=True)], pa.string())
    lines = pa.concat_arrays([pc.binary_join_element_wise(*columns.values(), ","), extra])
    # A dirty row stands right after the one that it was made from.
    order = np.argsort(np.concatenate([np.arange(count), source + 0.5]), kind="stable")
    return _joined(lines.take(pa.array(order)))


def _joined(lines: pa.Array) -> bytes:
    """Each line with its end. No value holds a comma, a quote or a line end, so none needs quoting."""
    ended = pc.binary_join_element_wise(lines, "\n", "")
    # The texts of an Arrow array lie one after the other in memory: that is the file.
    _, offsets, text = ended.buffers()
    length = np.frombuffer(offsets, dtype=np.int32)[len(ended)]
    return text.to_pybytes()[:length]
