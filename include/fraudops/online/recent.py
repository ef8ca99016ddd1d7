"""The store's newest transactions: whose entities will be asked for next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from fraudops.intake.transaction import Transaction
from fraudops.online.kinds import kinds_of
from fraudops.online.stored import columns_of
from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    from fraudops.workspace import Workspace


def recent(ws: Workspace, portfolio: Portfolio, most: int) -> Iterator[Transaction]:
    """The newest published transactions, the newest first; of their rows only what names entities.

    Parameters
    ----------
    most
        How many at most.
    """
    kinds = kinds_of(portfolio)
    names = columns_of(portfolio, kinds)
    left = most if kinds else 0
    for key in reversed(ws.store.keys("transactions", portfolio.name)):
        if left <= 0:
            return
        table = ws.store.read(ws.store.require("transactions", portfolio.name, key), names)
        times = table["event_time"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        for time, row in [*zip(times, table.to_pylist(), strict=True)][: -left - 1 : -1]:
            amount = row["amount_minor"] if portfolio.has_amount else None
            yield Transaction(row["transaction_id"], time, amount, row)
            left -= 1
