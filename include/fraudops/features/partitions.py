"""Reads and writes ``features`` partitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from fraudops import __version__
from fraudops.errors import ContractError
from fraudops.features.columns import model_columns
from fraudops.features.compute import compute, lookback
from fraudops.features.loading import history_begins, load, with_amount
from fraudops.portfolio import REPORT_FEEDS, Portfolio
from fraudops.store import Input, Manifest, removed_keys, tombstone

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
    ContractError
        Features would have to be computed anew from days of which retention has removed some.
    """
    wanted = sorted(set(keys))
    available = ws.store.keys("transactions", portfolio.name)
    for key in set(wanted) - set(available):
        ws.store.require("transactions", portfolio.name, key)
    past = _Past.read(ws, portfolio, available)
    inputs = _inputs(ws, portfolio, wanted, past)
    config = config_of(portfolio)
    current, stale = {}, []
    for key in wanted:
        manifest = ws.store.manifest("features", portfolio.name, key)
        if manifest and (manifest.inputs, manifest.config, manifest.code) == (inputs[key], config, __version__):
            current[key] = manifest
        elif manifest and manifest.config == config and past.lacks(inputs[key]):
            current[key] = manifest  # what it was computed from is gone: it stays what it was
        else:
            past.require(portfolio, key, inputs[key])
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

    Raises
    ------
    ContractError
        Retention has removed days that they look back to.
    """
    wanted = sorted(set(keys))
    available = ws.store.keys("transactions", portfolio.name)
    past = _Past.read(ws, portfolio, available)
    for key, inputs in _inputs(ws, portfolio, wanted, past).items():
        past.require(portfolio, key, inputs)
    for chunk in _chunks(wanted, available, _AT_ONCE):
        yield from _compute(ws, portfolio, chunk, available)


def outdated(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> list[str]:
    """Partitions whose features were computed from other transactions or labels than there are now.

    An earlier day that came late, or was corrected, is such a change: its rows lie in the windows of the days
    that follow.
    """
    wanted = sorted(set(keys))
    past = _Past.read(ws, portfolio, ws.store.keys("transactions", portfolio.name))
    inputs = _inputs(ws, portfolio, wanted, past)
    manifests = {key: ws.store.manifest("features", portfolio.name, key) for key in wanted}
    changed = [key for key in wanted if (found := manifests[key]) is not None and found.inputs != inputs[key]]
    # What cannot be computed anew, because retention has removed some of its past, stays as it is.
    return [key for key in changed if not past.lacks(inputs[key])]


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


@dataclass(frozen=True)
class _Past:
    """Partitions that features are computed from, those among them that retention has removed."""

    available: list[str]
    removed: dict[str, tuple[str, ...]]
    """Dataset → keys that are gone."""

    @classmethod
    def read(cls, ws: Workspace, portfolio: Portfolio, available: list[str]) -> _Past:
        gone = {name: tuple(removed_keys(ws.store, name, portfolio.name)) for name in ("transactions", *REPORT_FEEDS)}
        return cls(available, gone)

    def lacks(self, inputs: Iterable[Input]) -> bool:
        """Whether one of these is gone."""
        return any(item.key in self.removed[item.dataset] for item in inputs)

    def require(self, portfolio: Portfolio, key: str, inputs: Iterable[Input]) -> None:
        if self.lacks(inputs):
            raise ContractError(
                "the features cannot be computed anew: retention has removed days that they look back to",
                where=f"{portfolio.name} {key}",
                remedy="choose a shorter training window, or restore those days from a backup",
            )


def _inputs(ws: Workspace, portfolio: Portfolio, keys: list[str], past: _Past) -> dict[str, tuple[Input, ...]]:
    """What the features of each partition depend on: history within the look-back, labels known before its end.

    What retention has removed counts as it was: that it is gone changes nothing in what was computed from it.
    """
    if not keys:
        return {}
    if not portfolio.features.behaviour:
        return {key: (ws.store.require("transactions", portfolio.name, key).as_input(),) for key in keys}
    begins = {key: _history_begins(portfolio, key) for key in keys}
    first, last = begins[keys[0]], keys[-1]
    transactions = _known(ws, portfolio, "transactions", [k for k in past.available if first <= k <= last])
    transactions |= _buried(ws, portfolio, "transactions", [k for k in past.removed["transactions"] if first <= k])
    arrived: list[tuple[str, Input]] = []
    for dataset in portfolio.labels.datasets:
        there = [k for k in ws.store.keys(dataset, portfolio.name) if first <= k < last]
        gone = [k for k in past.removed[dataset] if first <= k < last]
        arrived += _known(ws, portfolio, dataset, there).items()
        arrived += _buried(ws, portfolio, dataset, gone).items()
    found = {}
    for key in keys:
        needed = [known for k, known in transactions.items() if begins[key] <= k <= key]
        needed += [known for k, known in arrived if begins[key] <= k < key]
        found[key] = tuple(sorted(needed, key=lambda i: (i.dataset, i.key)))
    return found


def _known(ws: Workspace, portfolio: Portfolio, dataset: str, keys: list[str]) -> dict[str, Input]:
    return {key: ws.store.require(dataset, portfolio.name, key).as_input() for key in keys}


def _buried(ws: Workspace, portfolio: Portfolio, dataset: str, keys: list[str]) -> dict[str, Input]:
    stones = {key: tombstone(ws.store, dataset, portfolio.name, key) for key in keys}
    return {key: stone.as_input() for key, stone in stones.items() if stone is not None}


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
