"""The data set of one training run: matured rows, cut into slices, written down with what it was made from."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fraudops.errors import ContractError, IntegrityError
from fraudops.features import model_columns
from fraudops.labels.known import arrivals
from fraudops.labels.selective import WEIGHT, decided_keys
from fraudops.portfolio import Portfolio, Role, format_duration
from fraudops.store import sha256_of
from fraudops.training.dataset_summary import DatasetSummary, SliceSummary
from fraudops.training.matured import choose_rows
from fraudops.training.splits import (
    GAP,
    SLICES,
    TEST,
    TRAIN,
    VALIDATION,
    Split,
    keep_copies_together,
    split_at_random,
    split_by_time,
)
from fraudops.workspace import Workspace

FEWEST_POSITIVES = 5
"""Frauds without which nothing can be learned (train) or calibrated (validation)."""
SECTIONS = ("columns", "features", "labels", "minor_digits", "partition_hours", "training")
_LEADING = ("transaction_id", "event_time", "amount_minor", "partition_key")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Dataset:
    """A data set read back: its summary and its rows."""

    summary: DatasetSummary
    frame: pd.DataFrame

    def rows_of(self, name: str) -> pd.DataFrame:
        """Rows of one slice, in the order of time."""
        return self.frame[(self.frame["slice"] == name).to_numpy()].reset_index(drop=True)

    def rows_before_gate(self) -> pd.DataFrame:
        """Rows whose labels were known when the gate slice began: those that a second fit may learn from.

        In a random split, which has no such moment, all rows beside the gate slice.
        """
        if self.summary.test_from is None:
            return self.frame[(self.frame["slice"] != TEST).to_numpy()].reset_index(drop=True)
        known = self.frame["event_time"] < pd.Timestamp(self.summary.test_from - self.summary.delay)
        return self.frame[known.to_numpy()].reset_index(drop=True)


def assemble(
    ws: Workspace,
    portfolio: Portfolio,
    *,
    run_id: str,
    as_of: datetime,
    window: timedelta | None = None,
    split: str | None = None,
) -> DatasetSummary:
    """Collect the rows whose labels had matured, cut them into slices, write ``dataset.parquet`` and ``.json``.

    Parameters
    ----------
    run_id
        Names the run; the files lie under ``training/…/<run_id>``.
    as_of
        Aware moment. Partitions that end after it, and labels that became known after it, do not exist.
    window
        Only partitions that start within this last stretch (default: the portfolio's).
    split
        ``time`` or ``random`` (default: the portfolio's).

    Returns
    -------
    DatasetSummary
        The same inputs give the same bytes.

    Raises
    ------
    MissingPartitionError
        A partition of the window has no features.
    ContractError
        There is no partition, no matured row, or too little fraud to learn from.
    """
    window = portfolio.training.window if window is None else window
    split = split or portfolio.training.split
    if split not in ("time", "random"):
        raise ContractError(f"there is no split {split!r}", where=portfolio.name, remedy="use 'time' or 'random'")
    keys = _keys(ws, portfolio, as_of, window)
    chosen = choose_rows(ws, portfolio, keys, as_of)
    columns, weighted = model_columns(portfolio), [WEIGHT] if portfolio.labels.selective else []
    beside = [*portfolio.entities.values(), *portfolio.promotion.gates.segments.columns]
    leading = [*_LEADING, *beside, *columns.all, "label", *weighted]
    frame = chosen.frame[list(dict.fromkeys(leading))]
    cut = _cut(portfolio, frame, split)
    frame = frame.assign(slice=cut.slices)
    content = parquet_bytes(frame)
    trained_until = frame["event_time"].iloc[-1].to_pydatetime() + timedelta(microseconds=1)
    summary = DatasetSummary(
        portfolio=portfolio.name,
        run_id=run_id,
        as_of=as_of,
        window=window,
        split=split,
        promotable=split == "time",
        seed=portfolio.training.seed,
        delay=portfolio.labels.delay,
        columns=columns,
        slices=_slices(portfolio, frame, split, cut.validation_from, cut.test_from, trained_until),
        immature=chosen.immature,
        validation_from=cut.validation_from,
        test_from=cut.test_from,
        trained_until=trained_until,
        first_key=keys[0],
        last_key=keys[-1],
        inputs=_inputs(ws, portfolio, keys, as_of),
        config=portfolio.digest_of(*SECTIONS),
        sha256=sha256_of(content),
        withheld=chosen.withheld,
        labels=chosen.labels,
    )
    _check(portfolio, summary)
    ws.store.put(content, "training", portfolio.name, run_id, "dataset.parquet")
    ws.store.put(summary.to_bytes(), "training", portfolio.name, run_id, "dataset.json")
    return summary


def load(ws: Workspace, portfolio: Portfolio, run_id: str) -> Dataset:
    """Read a run's data set back.

    Raises
    ------
    ContractError
        The run has none.
    IntegrityError
        Its rows are not those that were written.
    """
    try:
        summary = DatasetSummary.from_bytes(ws.store.get("training", portfolio.name, run_id, "dataset.json"))
        content = ws.store.get("training", portfolio.name, run_id, "dataset.parquet")
    except FileNotFoundError:
        raise ContractError(
            "this run has no data set",
            where=f"{portfolio.name} {run_id}",
            remedy="run its step 'preprocess' first",
        ) from None
    if sha256_of(content) != summary.sha256:
        raise IntegrityError(
            "the data set is not the one that was written",
            where=f"{portfolio.name} {run_id}",
            remedy="run the step 'preprocess' again",
        )
    return Dataset(summary, pq.read_table(io.BytesIO(content)).to_pandas())


def changed_inputs(ws: Workspace, summary: DatasetSummary, keys: Iterable[str]) -> list[str]:
    """Which of some partitions a data set was made from as they were before, or without.

    Parameters
    ----------
    keys
        Partitions of transactions.
    """
    within = [key for key in sorted(set(keys)) if summary.first_key <= key <= summary.last_key]
    now = {key: ws.store.manifest("transactions", summary.portfolio, key) for key in within}
    return [key for key, m in now.items() if m and summary.inputs.get(f"transactions/{key}") != m.data_digest]


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Parquet bytes that depend on the rows alone."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    plain = pa.schema(
        [
            pa.field(field.name, pa.string() if pa.types.is_large_string(field.type) else field.type)
            for field in table.schema
        ]
    )
    sink = io.BytesIO()
    pq.write_table(table.cast(plain).combine_chunks(), sink, compression="zstd", store_schema=True)
    return sink.getvalue()


def _keys(ws: Workspace, portfolio: Portfolio, as_of: datetime, window: timedelta) -> list[str]:
    partitioning = portfolio.partitioning
    available = ws.store.keys("transactions", portfolio.name)
    keys = [k for k in available if partitioning.start(k) >= as_of - window and partitioning.end(k) <= as_of]
    if not keys:
        there = f"there are {len(available)}, {available[0]} to {available[-1]}" if available else "there are none"
        raise ContractError(
            f"no partition of transactions lies in the {format_duration(window)} before {as_of:%Y-%m-%d %H:%M} "
            f"UTC ({there})",
            where=portfolio.name,
            remedy="load history first, or choose another moment or a longer window",
        )
    return keys


def _cut(portfolio: Portfolio, frame: pd.DataFrame, split: str) -> Split:
    training = portfolio.training
    if split == "time":
        cut = split_by_time(frame["event_time"], training.shares, portfolio.labels.delay)
        # Where the time is a fact, copies of a row have the same, and a boundary is a moment.
        return keep_copies_together(cut, _copies(portfolio, frame)) if _is_in_order_of_files(portfolio) else cut
    groups = frame["transaction_id"].to_numpy() if portfolio.named(Role.ID) else _copies(portfolio, frame)
    return split_at_random(frame["label"].to_numpy(), groups, training.shares, training.seed)


def _is_in_order_of_files(portfolio: Portfolio) -> bool:
    """Whether rows have neither an id nor a time of their own: their time is their place in a file."""
    (time,) = portfolio.named(Role.TIME)
    columns = [source.column(time, portfolio.columns[time]) for source in portfolio.transactions]
    return not portfolio.named(Role.ID) and any(column.rows_per_day is not None for column in columns)


def _copies(portfolio: Portfolio, frame: pd.DataFrame) -> np.ndarray:
    """A value per row without an id, equal for rows that say the same, whatever files brought them."""
    if not _is_in_order_of_files(portfolio):
        # Such a row is named "<digest of its content>-<occurrence>".
        return frame["transaction_id"].str.rsplit("-", n=1).str[0].to_numpy()
    roles = (Role.TIME, Role.PERSONAL, Role.IGNORE)
    stored = [portfolio.stored_name(name) for name, column in portfolio.columns.items() if column.role not in roles]
    return pd.util.hash_pandas_object(frame[[name for name in stored if name in frame]], index=False).to_numpy()


def _slices(
    portfolio: Portfolio,
    frame: pd.DataFrame,
    split: str,
    validation_from: datetime | None,
    test_from: datetime | None,
    until: datetime,
) -> dict[str, SliceSummary]:
    start = frame["event_time"].iloc[0].to_pydatetime()
    found = {}
    for name in SLICES:
        rows = frame[(frame["slice"] == name).to_numpy()]
        moments = rows["event_time"]
        days = (until - start) / _DAY * len(rows) / len(frame)
        if split == "time" and validation_from and test_from and len(rows):
            ends = {VALIDATION: (validation_from, test_from), TEST: (test_from, until)}
            begin, end = ends.get(name, (moments.iloc[0].to_pydatetime(), moments.iloc[-1].to_pydatetime()))
            # A file that names no more than the month has all rows of a month at one moment.
            days = max(end - begin, portfolio.partitioning.length) / _DAY
        found[name] = SliceSummary(
            rows=len(rows),
            positives=int(rows["label"].sum()),
            first=moments.iloc[0].isoformat() if len(rows) else None,
            last=moments.iloc[-1].isoformat() if len(rows) else None,
            days=days,
        )
    return found


def _inputs(ws: Workspace, portfolio: Portfolio, keys: list[str], as_of: datetime) -> dict[str, str]:
    """``<dataset>/<key>`` → digest of the data, of all that was read."""
    read = [(dataset, key) for dataset in ("transactions", "features") for key in keys]
    for feed in portfolio.labels.datasets:
        read += [(feed, k) for k in arrivals(ws, portfolio, feed, as_of, keys[0])]
    read += [("scores", key) for key in decided_keys(ws, portfolio, keys)]
    return {f"{d}/{k}": ws.store.require(d, portfolio.name, k).data_digest for d, k in read}


def _check(portfolio: Portfolio, summary: DatasetSummary) -> None:
    counts = ", ".join(f"{name} {s.positives:,} of {s.rows:,}" for name, s in summary.slices.items())
    where = f"{portfolio.name} {summary.first_key} to {summary.last_key}"
    longer = "load more history, use a longer window, or change training.shares"
    for name in (TRAIN, VALIDATION, TEST):
        held = summary.slices[name]
        if not held.rows:
            delay = format_duration(summary.delay)
            cause = f" (the gap of {delay} took all of it)" if name == TRAIN and summary.slices[GAP].rows else ""
            raise ContractError(f"the {name} slice is empty{cause}; rows: {counts}", where=where, remedy=longer)
        fewest = FEWEST_POSITIVES if name != TEST else 0
        if held.positives < fewest:
            raise ContractError(
                f"too few frauds in the {name} slice, at least {fewest} are needed; frauds of rows: {counts}",
                where=where,
                remedy=longer,
            )
        if held.positives == held.rows:
            raise ContractError(
                f"no genuine transaction in the {name} slice; frauds of rows: {counts}", where=where, remedy=longer
            )
