"""What was known at a moment.

A label exists only from its ``known_at`` on. Two kinds of portfolio give it in two ways:

- a feed of reports (chargebacks): known at the end of the partition in which the report *arrived*;
- a column of the transactions' own file: believed known ``labels.delay`` after the transaction.

A transaction without a report counts as genuine once the delay has passed, and as unknown before.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    # Whoever only fits or scores a model needs no database; importing one takes as long as importing pandas.
    from fraudops.workspace import Workspace


def reports(
    ws: Workspace, portfolio: Portfolio, *, as_of: datetime, first: str | None = None, last: str | None = None
) -> pd.DataFrame:
    """Everything that had been said about transactions by a moment, beyond "nothing was reported".

    Parameters
    ----------
    as_of
        Aware moment; what became known after it is left out.
    first, last
        Keys of the transactions' partitions that the caller is interested in.

    Returns
    -------
    DataFrame
        ``transaction_id``, ``label`` (boolean; NA where a file's own label is empty) and ``known_at``
        (UTC), in the order in which it became known. A transaction may occur again: a correction.
    """
    found = _from_feed(ws, portfolio, as_of, first) if portfolio.labels.source else None
    if found is None:
        found = _from_column(ws, portfolio, as_of, first, last)
    frame = pd.DataFrame(
        {
            "transaction_id": found["transaction_id"].to_pandas(),
            "label": found["label"].to_pandas().astype("boolean"),
            "known_at": found["known_at"].to_pandas(),
        }
    )
    return frame.sort_values(["known_at", "transaction_id"], kind="stable", ignore_index=True)


def matured(frame: pd.DataFrame, known: pd.DataFrame, *, delay: timedelta, as_of: datetime) -> pd.Series:
    """Label of each transaction as of a moment.

    Parameters
    ----------
    frame
        ``transaction_id`` and ``event_time`` (UTC) of the transactions.
    known
        Result of :func:`reports` for the same ``as_of``.
    delay
        After this long without a report a transaction counts as genuine.

    Returns
    -------
    Series of boolean
        True fraud, False genuine, NA not known yet; index of ``frame``.
    """
    label = pd.Series(pd.NA, index=frame.index, dtype="boolean", name="label")
    label[(frame["event_time"] + delay <= pd.Timestamp(as_of)).to_numpy()] = False
    if len(known):
        latest = known.drop_duplicates("transaction_id", keep="last").set_index("transaction_id")["label"]
        said = frame["transaction_id"].isin(latest.index).to_numpy()
        label[said] = latest.reindex(frame.loc[said, "transaction_id"]).to_numpy()
    return label


_EMPTY = pa.schema([("transaction_id", pa.string()), ("label", pa.bool_()), ("known_at", pa.timestamp("us", tz="UTC"))])


def _from_feed(ws: Workspace, portfolio: Portfolio, as_of: datetime, first: str | None) -> pa.Table:
    partitioning = portfolio.partitioning
    tables = [_EMPTY.empty_table()]
    for key in ws.store.keys("labels", portfolio.name):
        # A report cannot arrive before its transaction, so older arrivals tell nothing about it.
        if partitioning.end(key) <= as_of and (first is None or key >= first):
            table = ws.store.read_partition("labels", portfolio.name, key, _EMPTY.names)
            tables.append(table.select(_EMPTY.names).cast(_EMPTY))
    return pa.concat_tables(tables)


def _from_column(ws: Workspace, portfolio: Portfolio, as_of: datetime, first: str | None, last: str | None) -> pa.Table:
    tables = [_EMPTY.empty_table()]
    for key in ws.store.keys("transactions", portfolio.name):
        if (first is None or key >= first) and (last is None or key <= last):
            table = ws.store.read_partition(
                "transactions", portfolio.name, key, ["transaction_id", "event_time", "label"]
            )
            tables.append(reports_in(table, portfolio.labels.delay, as_of))
    return pa.concat_tables(tables)


def reports_in(transactions: pa.Table, delay: timedelta, as_of: datetime) -> pa.Table:
    """Reports that a file's own label column makes: its frauds, and the rows whose label is empty.

    Parameters
    ----------
    transactions
        With ``transaction_id``, ``event_time`` and ``label``.
    """
    known_at = pc.add(transactions["event_time"], pa.scalar(delay, pa.duration("us")))
    table = pa.table(
        {"transaction_id": transactions["transaction_id"], "label": transactions["label"], "known_at": known_at},
        schema=_EMPTY,
    )
    noteworthy = pc.or_(pc.is_null(table["label"]), pc.fill_null(table["label"], False))
    return table.filter(pc.and_(noteworthy, pc.less_equal(known_at, pa.scalar(as_of, known_at.type))))
