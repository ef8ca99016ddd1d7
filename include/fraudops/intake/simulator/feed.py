"""The feed of payments as text: CSV lines of a day's payments with their dirty rows.

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
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.simulator.lines import header, iso, with_dirty_rows
from fraudops.intake.simulator.randomness import Purpose, stream
from fraudops.intake.simulator.world import PAYMENT_COLUMNS, Day, World


class Dirt(IntEnum):
    """What is wrong with a dirty row."""

    NEGATIVE_AMOUNT = 0
    TEXT_AMOUNT = 1
    MISSING_TERMINAL = 2
    DUPLICATE_LINE = 3
    MISSING_TIME = 4


def payments_header() -> bytes:
    """First line of a file of payments."""
    return header(PAYMENT_COLUMNS)


def payments_text(world: World, simulated: Day) -> bytes:
    """Lines of one day's payments, dirty rows included, without the header."""

    def spoil(dirty: dict[str, list[str]], row: int, number: int) -> None:
        new_id = simulated.ids(np.array([len(simulated.payments) + row]))[0].as_py()
        _spoil(dirty, row, Dirt(number % len(Dirt)), new_id)

    rng = stream(world.seed, Purpose.DIRTY_ROWS, simulated.day)
    return with_dirty_rows(_texts(simulated), world.dirty_share * world.payments_per_day, simulated.day, rng, spoil)


def _texts(simulated: Day) -> dict[str, pa.Array]:
    table = simulated.table()
    texts = {name: table.column(name).combine_chunks() for name in PAYMENT_COLUMNS}
    texts["tx_time"] = iso(texts["tx_time"])
    return {name: pc.fill_null(column.cast(pa.string()), "") for name, column in texts.items()}


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
