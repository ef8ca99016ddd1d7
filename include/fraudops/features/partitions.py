"""Reads and writes ``features`` partitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from fraudops import __version__
from fraudops.features.columns import model_columns
from fraudops.features.compute import compute, lookback
from fraudops.features.loading import history_begins, load, with_amount
from fraudops.portfolio import Portfolio
from fraudops.store import Input, Manifest

if TYPE_CHECKING:
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
    available = ws.store.keys("transactions", portfolio.name)
    for key in set(wanted) - set(available):
        ws.store.require("transactions", portfolio.name, key)
    inputs = _inputs(ws, portfolio, wanted, available)
    config = config_of(portfolio)
    current, stale = {}, []
    for key in wanted:
        manifest = ws.store.manifest("features", portfolio.name, key)
        if manifest and (manifest.inputs, manifest.config, manifest.code) == (inputs[key], config, __version__):
            current[key] = manifest
        else:
            stale.append(key)
    for chunk in _chunks(stale, available, _AT_ONCE):
        for key, table in _compute(ws, portfolio, chunk, available):
            current[key] = ws.store.write("features", portfolio.name, key, table, config=config, inputs=inputs[key])
    return [current[key] for key in wanted]


def config_of(portfolio: Portfolio) -> str:
    """Digest of the configuration that features depend on."""
    return portfolio.digest_of(*_SECTIONS)


def recompute(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> Iterator[tuple[str, pa.Table]]:
    """Features of some partitions from the transactions and labels that the store has; nothing is written.

    Yields
    ------
    str, Table
        Key and features, in the order of time; at most some tens of partitions are held at once.
    """
    available = ws.store.keys("transactions", portfolio.name)
    for chunk in _chunks(sorted(set(keys)), available, _AT_ONCE):
        yield from _compute(ws, portfolio, chunk, available)


def outdated(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> list[str]:
    """Partitions whose features were computed from other transactions or labels than there are now.

    An earlier day that came late, or was corrected, is such a change: its rows lie in the windows of the days
    that follow.
    """
    wanted = sorted(set(keys))
    inputs = _inputs(ws, portfolio, wanted, ws.store.keys("transactions", portfolio.name))
    manifests = {key: ws.store.manifest("features", portfolio.name, key) for key in wanted}
    return [key for key in wanted if (found := manifests[key]) is not None and found.inputs != inputs[key]]


def model_frame(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> pd.DataFrame:
    """Transactions and features side by side: what models are trained on and score.

    Returns
    -------
    DataFrame
        ``transaction_id``, ``event_time``, ``amount_minor``, ``partition_key``, the entities' columns, the
        currency where it is a column, the columns that segments are made of, then the model's numeric and
        categorical columns. Rows in the order of time.

    Raises
    ------
    MissingPartitionError
        A partition of transactions or features does not exist.
    """
    tables = [
        model_rows(
            portfolio,
            key,
            ws.store.read_partition("transactions", portfolio.name, key),
            ws.store.read_partition("features", portfolio.name, key),
        )
        for key in sorted(set(keys))
    ]
    return frame_of(portfolio, tables)


def model_rows(portfolio: Portfolio, key: str, transactions: pa.Table, features: pa.Table) -> pa.Table:
    """The columns of :func:`model_frame` for one partition, from its transactions and its features."""
    table = with_amount(portfolio, transactions)
    table = table.append_column("partition_key", pa.array([key] * table.num_rows, pa.string()))
    for field in features.schema:
        if field.name not in table.column_names:
            table = table.append_column(field, features[field.name])
    return table.select(_model_names(portfolio))


def frame_of(portfolio: Portfolio, tables: Sequence[pa.Table]) -> pd.DataFrame:
    """Results of :func:`model_rows`, one after the other, as models read them."""
    if not tables:
        return pd.DataFrame(columns=_model_names(portfolio))
    frame = pa.concat_tables(tables).to_pandas()
    columns = model_columns(portfolio)
    numeric = [name for name in columns.numeric if frame[name].dtype == object or frame[name].dtype == bool]
    frame[numeric] = frame[numeric].astype("float64")
    return frame


def _model_names(portfolio: Portfolio) -> list[str]:
    leading = ["transaction_id", "event_time", "amount_minor"]
    beside = [
        *portfolio.entities.values(),
        *([portfolio.currency] if portfolio.currency in portfolio.columns else []),
        *portfolio.promotion.gates.segments.columns,
    ]
    return list(dict.fromkeys([*leading, "partition_key", *beside, *model_columns(portfolio).all]))


def _inputs(ws: Workspace, portfolio: Portfolio, keys: list[str], available: list[str]) -> dict[str, tuple[Input, ...]]:
    """What the features of each partition depend on: history within the look-back, labels known before its end."""
    if not keys:
        return {}
    if not portfolio.features.behaviour:
        return {key: (ws.store.require("transactions", portfolio.name, key).as_input(),) for key in keys}
    begins = {key: _history_begins(portfolio, key) for key in keys}
    reach = [k for k in available if begins[keys[0]] <= k <= keys[-1]]
    transactions = {k: ws.store.require("transactions", portfolio.name, k).as_input() for k in reach}
    labels = {}
    if portfolio.labels.source:
        arrived = ws.store.keys("labels", portfolio.name)
        reach = [k for k in arrived if begins[keys[0]] <= k < keys[-1]]
        labels = {k: ws.store.require("labels", portfolio.name, k).as_input() for k in reach}
    found = {}
    for key in keys:
        needed = [known for k, known in transactions.items() if begins[key] <= k <= key]
        needed += [known for k, known in labels.items() if begins[key] <= k < key]
        found[key] = tuple(sorted(needed, key=lambda i: (i.dataset, i.key)))
    return found


def _compute(
    ws: Workspace, portfolio: Portfolio, keys: list[str], available: list[str]
) -> Iterator[tuple[str, pa.Table]]:
    first = _history_begins(portfolio, keys[0]) if portfolio.features.behaviour else keys[0]
    loaded = load(ws, portfolio, [key for key in available if first <= key <= keys[-1]])
    start = loaded.rows[keys[0]].start
    features = compute(portfolio, loaded.history, loaded.known, slice(start, loaded.rows[keys[-1]].stop))
    for key in keys:
        rows = loaded.rows[key]
        yield key, features.slice(rows.start - start, rows.stop - rows.start)


def _history_begins(portfolio: Portfolio, key: str) -> str:
    return history_begins(portfolio, key, lookback(portfolio))


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
