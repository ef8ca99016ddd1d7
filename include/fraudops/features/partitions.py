"""Reads and writes ``features`` partitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from fraudops import __version__
from fraudops.features.columns import model_columns
from fraudops.features.compute import compute, lookback
from fraudops.labels.known import reports
from fraudops.portfolio import Portfolio
from fraudops.store import Input, Manifest
from fraudops.workspace import Workspace

_SECTIONS = ("columns", "features", "labels", "minor_digits", "partition_hours")
_AT_ONCE = 32
"""Partitions computed over one load of history: bounds the memory of a long range."""


def build(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> list[Manifest]:
    """Write the features of some partitions; one whose inputs have not changed is left alone.

    Parameters
    ----------
    keys
        Partitions of ``transactions``; all must exist.

    Returns
    -------
    list of Manifest
        One per key, in the order of time.

    Raises
    ------
    MissingPartitionError
        A partition of transactions does not exist.
    """
    wanted = sorted(set(keys))
    transactions = {k: m for k in ws.store.keys("transactions", portfolio.name) if (m := _manifest(ws, portfolio, k))}
    for key in wanted:
        if key not in transactions:
            ws.store.require("transactions", portfolio.name, key)
    labels = {}
    if portfolio.labels.source:
        for key in ws.store.keys("labels", portfolio.name):
            labels[key] = ws.store.require("labels", portfolio.name, key)
    inputs = {key: _inputs(portfolio, key, transactions, labels) for key in wanted}

    config = portfolio.digest_of(*_SECTIONS)
    current, stale = {}, []
    for key in wanted:
        manifest = ws.store.manifest("features", portfolio.name, key)
        if manifest and (manifest.inputs, manifest.config, manifest.code) == (inputs[key], config, __version__):
            current[key] = manifest
        else:
            stale.append(key)
    for chunk in _chunks(stale, list(transactions), _AT_ONCE):
        for key, table in _compute(ws, portfolio, chunk, list(transactions)):
            current[key] = ws.store.write("features", portfolio.name, key, table, config=config, inputs=inputs[key])
    return [current[key] for key in wanted]


def model_frame(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> pd.DataFrame:
    """Transactions and features side by side: what models are trained on and score.

    Returns
    -------
    DataFrame
        ``transaction_id``, ``event_time``, ``amount_minor``, ``partition_key``, the entities' columns, the
        currency where it is a column, then the model's numeric and categorical columns. Rows in the order
        of time.

    Raises
    ------
    MissingPartitionError
        A partition of transactions or features does not exist.
    """
    columns = model_columns(portfolio)
    leading = ["transaction_id", "event_time", "amount_minor"]
    beside = [
        *portfolio.entities.values(),
        *([portfolio.currency] if portfolio.currency in portfolio.columns else []),
    ]
    names = list(dict.fromkeys([*leading, "partition_key", *beside, *columns.all]))
    frames = []
    for key in sorted(set(keys)):
        table = ws.store.read_partition("transactions", portfolio.name, key)
        features = ws.store.read_partition("features", portfolio.name, key)
        table = table.append_column("partition_key", pa.array([key] * table.num_rows, pa.string()))
        for field in features.schema:
            if field.name not in table.column_names:
                table = table.append_column(field, features[field.name])
        frames.append(table.select(names))
    if not frames:
        return pd.DataFrame(columns=names)
    frame = pa.concat_tables(frames).to_pandas()
    numeric = [name for name in columns.numeric if frame[name].dtype == object or frame[name].dtype == bool]
    frame[numeric] = frame[numeric].astype("float64")
    return frame


def _manifest(ws: Workspace, portfolio: Portfolio, key: str) -> Manifest | None:
    return ws.store.manifest("transactions", portfolio.name, key)


def _inputs(
    portfolio: Portfolio, key: str, transactions: dict[str, Manifest], labels: dict[str, Manifest]
) -> tuple[Input, ...]:
    """What the features of a partition depend on: history within the look-back, labels known before its end."""
    first = portfolio.partitioning.key_of(portfolio.partitioning.start(key) - lookback(portfolio))
    needed = [m.as_input() for k, m in transactions.items() if first <= k <= key]
    if portfolio.features.behaviour:
        needed += [m.as_input() for k, m in labels.items() if first <= k < key]
    else:
        needed = [transactions[key].as_input()]
    return tuple(sorted(needed, key=lambda i: (i.dataset, i.key)))


def _compute(
    ws: Workspace, portfolio: Portfolio, keys: list[str], available: list[str]
) -> Iterator[tuple[str, pa.Table]]:
    partitioning = portfolio.partitioning
    first = partitioning.key_of(partitioning.start(keys[0]) - lookback(portfolio))
    if not portfolio.features.behaviour:
        first = keys[0]
    loaded = [k for k in available if first <= k <= keys[-1]]
    entities = list(portfolio.entities.values()) if portfolio.features.behaviour else []
    columns = list(dict.fromkeys(["transaction_id", "event_time", "amount_minor", *entities]))
    tables = [ws.store.read_partition("transactions", portfolio.name, k, columns).select(columns) for k in loaded]
    history = pa.concat_tables(tables)
    known = pd.DataFrame(columns=["transaction_id", "label", "known_at"])
    if portfolio.features.behaviour:
        known = reports(ws, portfolio, as_of=partitioning.end(keys[-1]), first=first, last=keys[-1])
    ends = np.cumsum([table.num_rows for table in tables])
    rows = {key: (int(end) - table.num_rows, int(end)) for key, table, end in zip(loaded, tables, ends, strict=True)}
    start, stop = rows[keys[0]][0], rows[keys[-1]][1]
    features = compute(portfolio, history, known, slice(start, stop))
    for key in keys:
        yield key, features.slice(rows[key][0] - start, rows[key][1] - rows[key][0])


def _chunks(keys: list[str], available: list[str], size: int) -> Iterator[list[str]]:
    """Runs of partitions that follow one another, none longer than ``size``."""
    place = {key: number for number, key in enumerate(available)}
    chunk: list[str] = []
    for key in keys:
        if chunk and (len(chunk) == size or place[key] != place[chunk[-1]] + 1):
            yield chunk
            chunk = []
        chunk.append(key)
    if chunk:
        yield chunk
