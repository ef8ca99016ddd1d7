"""What was known at a moment.

A label exists only from its ``known_at`` on. Two kinds of portfolio give it in two ways:

- a feed of reports (chargebacks): known at the end of the partition in which the report *arrived*; and beside it what
  investigators found (dispositions), known in the same way;
- a column of the transactions' own file: believed known ``labels.delay`` after the transaction.

A transaction without a report counts as genuine once the delay has passed, and as unknown before.

The two feeds are not pooled (``docs/labels.md``). As soon as a chargeback has said something about a transaction,
dispositions of it no longer count. A disposition "fraud" is a report like any other. One that is not "fraud" takes an
earlier one back and makes nothing genuine: that remains a matter of time, else what was looked at would be known
before its like.

References
----------
Dal Pozzolo, Boracchi, Caelen, Alippi and Bontempi (2018), Credit card fraud detection: a realistic modeling and a novel
learning strategy, IEEE Transactions on Neural Networks and Learning Systems 29(8): feedbacks and delayed samples are
learned from apart.
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
        ``transaction_id``, ``label`` (boolean; NA where a file's own label is empty, or an investigator could not
        say), ``known_at`` (UTC) and ``feed`` (``labels``, ``dispositions``, ``transactions``), in the order in which
        it became known. A transaction may occur again: a correction.
    """
    if not portfolio.labels.source:
        return _in_order(_as_frame(_from_column(ws, portfolio, as_of, first, last), "transactions"))
    settled = _in_order(_as_frame(_from_feed(ws, portfolio, as_of, first), "labels"))
    found = _as_frame(_from_investigators(ws, portfolio, as_of, first), DISPOSITIONS)
    first_said = settled.drop_duplicates("transaction_id").set_index("transaction_id")["known_at"]
    since = first_said.reindex(found["transaction_id"]).to_numpy()
    open_then = pd.isna(since) | (found["known_at"].to_numpy() < since)
    return _in_order(pd.concat([settled, found[open_then]], ignore_index=True))


def known_frauds(
    ws: Workspace, portfolio: Portfolio, *, as_of: datetime, first: str | None = None, last: str | None = None
) -> list[str]:
    """Transactions that were known to be fraud at a moment, sorted; parameters as in :func:`reports`.

    The last word about a transaction counts. One of which nobody could say anything is no fraud.
    """
    return frauds_among(reports(ws, portfolio, as_of=as_of, first=first, last=last))


def frauds_among(known: pd.DataFrame) -> list[str]:
    """Transactions of which the last word is that they are fraud, sorted; of what :func:`reports` returns."""
    told = known.drop_duplicates("transaction_id", keep="last")
    return sorted(told.loc[told["label"].fillna(False).astype(bool), "transaction_id"])


def _as_frame(found: pa.Table, feed: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "transaction_id": found["transaction_id"].to_pandas(),
            "label": found["label"].to_pandas().astype("boolean"),
            "known_at": found["known_at"].to_pandas(),
            "feed": feed,
        }
    )


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
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
        last = known.drop_duplicates("transaction_id", keep="last")
        if "feed" in last:
            # An investigator who did not find fraud makes nothing genuine: time does, as for those not looked at.
            last = last[((last["feed"] != DISPOSITIONS) | last["label"].fillna(False)).to_numpy(dtype=bool)]
        latest = last.set_index("transaction_id")["label"]
        said = frame["transaction_id"].isin(latest.index).to_numpy()
        label[said] = latest.reindex(frame.loc[said, "transaction_id"]).to_numpy()
    return label


DISPOSITIONS = "dispositions"
"""Dataset of what investigators found."""
_LABEL_OF = {"fraud": True, "not_fraud": False, "insufficient": None}
_EMPTY = pa.schema([("transaction_id", pa.string()), ("label", pa.bool_()), ("known_at", pa.timestamp("us", tz="UTC"))])


def arrivals(ws: Workspace, portfolio: Portfolio, dataset: str, as_of: datetime, first: str | None = None) -> list[str]:
    """Keys of the partitions of a feed that were over at a moment.

    Parameters
    ----------
    dataset
        ``labels`` or ``dispositions``.
    first
        Key of the first partition of transactions that matter: a report cannot arrive before its transaction.
    """
    partitioning = portfolio.partitioning
    keys = ws.store.keys(dataset, portfolio.name)
    return [key for key in keys if partitioning.end(key) <= as_of and (first is None or key >= first)]


def _from_feed(ws: Workspace, portfolio: Portfolio, as_of: datetime, first: str | None) -> pa.Table:
    tables = [_EMPTY.empty_table()]
    for key in arrivals(ws, portfolio, "labels", as_of, first):
        table = ws.store.read_partition("labels", portfolio.name, key, _EMPTY.names)
        tables.append(table.select(_EMPTY.names).cast(_EMPTY))
    return pa.concat_tables(tables)


def _from_investigators(ws: Workspace, portfolio: Portfolio, as_of: datetime, first: str | None) -> pa.Table:
    tables = [_EMPTY.empty_table()]
    for key in arrivals(ws, portfolio, DISPOSITIONS, as_of, first):
        table = ws.store.read_partition(DISPOSITIONS, portfolio.name, key, ["transaction_id", "finding", "known_at"])
        labels = pa.array([_LABEL_OF[finding] for finding in table["finding"].to_pylist()], pa.bool_())
        columns = [table["transaction_id"], labels, table["known_at"]]
        tables.append(pa.table(dict(zip(_EMPTY.names, columns, strict=True))).cast(_EMPTY))
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
