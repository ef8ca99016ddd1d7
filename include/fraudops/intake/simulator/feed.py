"""The feeds as text: CSV lines of a day's payments with their dirty rows, of chargebacks, and of dispositions.

Real feeds are never clean. A small share of rows (``World.dirty_share``, one in two thousand) is added to the
payments, of five kinds in turn, so that quarantine has something to show:

===================  =======================================================================
``negative_amount``  a payment with the amount below zero
``text_amount``      ``n/a`` in the place of the amount
``missing_terminal`` no terminal
``duplicate_line``   a payment's line a second time, right after the first
``missing_time``     no time
===================  =======================================================================

All but the duplicates have transaction ids of their own, above those of the day's payments; no chargeback ever
refers to one.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.simulator.randomness import Purpose, before, starting, stream
from fraudops.intake.simulator.world import PAYMENT_COLUMNS, Day, World

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Dirt(IntEnum):
    """What is wrong with a dirty row."""

    NEGATIVE_AMOUNT = 0
    TEXT_AMOUNT = 1
    MISSING_TERMINAL = 2
    DUPLICATE_LINE = 3
    MISSING_TIME = 4


def payments_header() -> bytes:
    """First line of a file of payments."""
    return _header(PAYMENT_COLUMNS)


def payments_text(world: World, simulated: Day) -> bytes:
    """Lines of one day's payments, dirty rows included, without the header."""
    columns = _texts(simulated)
    source, kind = _dirt(world, simulated)
    dirty = {name: column.take(pa.array(source)).to_pylist() for name, column in columns.items()}
    for row in range(len(source)):
        _spoil(dirty, row, Dirt(kind[row]), simulated.ids(np.array([len(simulated.payments) + row]))[0].as_py())
    extra = pa.array([",".join(values) for values in zip(*dirty.values(), strict=True)], pa.string())
    lines = pa.concat_arrays([pc.binary_join_element_wise(*columns.values(), ","), extra])
    # A dirty row stands right after the payment that it was made from.
    order = np.argsort(np.concatenate([np.arange(len(simulated.payments)), source + 0.5]), kind="stable")
    return _joined(lines.take(pa.array(order)))


def reports_text(reports: pd.DataFrame, columns: tuple[str, ...]) -> bytes:
    """A file of chargebacks, or of dispositions: header and lines."""
    texts = reports.assign(reported_at=reports["reported_at"].dt.strftime(_TIME_FORMAT)).astype(str)
    lines = (",".join(row) + "\n" for row in texts[list(columns)].itertuples(index=False))
    return _header(columns) + "".join(lines).encode()


def _texts(simulated: Day) -> dict[str, pa.Array]:
    table = simulated.table()
    texts = {name: table.column(name).combine_chunks() for name in PAYMENT_COLUMNS}
    texts["tx_time"] = _iso(texts["tx_time"])
    return {name: pc.fill_null(column.cast(pa.string()), "") for name, column in texts.items()}


def _dirt(world: World, simulated: Day) -> tuple[np.ndarray, np.ndarray]:
    """Which payments the day's dirty rows are made from, ascending, and what is wrong with each."""
    rate = world.dirty_share * world.payments_per_day
    count = min(starting(rate, simulated.day), len(simulated.payments))
    rng = stream(world.seed, Purpose.DIRTY_ROWS, simulated.day)
    source = np.sort(rng.choice(len(simulated.payments), size=count, replace=False))
    return source, (before(rate, simulated.day) + np.arange(count)) % len(Dirt)


def _spoil(dirty: dict[str, list[str]], row: int, kind: Dirt, new_id: str) -> None:
    if kind is Dirt.DUPLICATE_LINE:
        return
    dirty["tx_id"][row] = new_id
    if kind is Dirt.NEGATIVE_AMOUNT:
        dirty["amount"][row] = "-" + dirty["amount"][row]
    elif kind is Dirt.TEXT_AMOUNT:
        dirty["amount"][row] = "n/a"
    elif kind is Dirt.MISSING_TERMINAL:
        dirty["terminal_id"][row] = ""
    else:
        dirty["tx_time"][row] = ""


def _iso(moments: pa.Array) -> pa.Array:
    """Timestamps as ``2026-08-25T06:31:07Z``."""
    return pc.strftime(moments.cast(pa.timestamp("s", "UTC")), _TIME_FORMAT)


def _header(columns: tuple[str, ...]) -> bytes:
    return (",".join(columns) + "\n").encode()


def _joined(lines: pa.Array) -> bytes:
    """Each line with its end. No value holds a comma, a quote or a line end, so none needs quoting."""
    ended = pc.binary_join_element_wise(lines, "\n", "")
    # The texts of an Arrow array lie one after the other in memory: that is the file.
    _, offsets, text = ended.buffers()
    length = np.frombuffer(offsets, dtype=np.int32)[len(ended)]
    return text.to_pybytes()[:length]
