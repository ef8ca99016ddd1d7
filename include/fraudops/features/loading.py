"""Reads the history that features are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from fraudops.labels.known import reports
from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Loaded:
    """Transactions of some partitions, and what was said about them.

    Attributes
    ----------
    history
        Rows sorted by (event_time, transaction_id): what :func:`fraudops.features.compute.compute` reads.
    known
        Result of :func:`fraudops.labels.reports` as of the end of the last partition; none where no behaviour is
        declared.
    rows
        Partition → its positions in the history.
    """

    history: pa.Table
    known: pd.DataFrame
    rows: dict[str, slice]


def load(ws: Workspace, portfolio: Portfolio, keys: Sequence[str]) -> Loaded:
    """Read some partitions of transactions, one after the other, as far as features need them.

    Parameters
    ----------
    keys
        Ascending, at least one.
    """
    entities = list(portfolio.entities.values()) if portfolio.features.behaviour else []
    amount = ["amount_minor"] if portfolio.has_amount else []
    columns = list(dict.fromkeys(["transaction_id", "event_time", *amount, *entities]))
    tables = [ws.store.read_partition("transactions", portfolio.name, k, columns).select(columns) for k in keys]
    known = pd.DataFrame(columns=["transaction_id", "label", "known_at"])
    if portfolio.features.behaviour:
        known = reports(ws, portfolio, as_of=portfolio.partitioning.end(keys[-1]), first=keys[0], last=keys[-1])
    ends = np.cumsum([table.num_rows for table in tables])
    rows = {key: slice(int(end) - table.num_rows, int(end)) for key, table, end in zip(keys, tables, ends, strict=True)}
    return Loaded(with_amount(portfolio, pa.concat_tables(tables)), known, rows)


def history_begins(portfolio: Portfolio, key: str, before: timedelta) -> str:
    """Key of the partition that lies so long before a partition's start."""
    partitioning = portfolio.partitioning
    return partitioning.key_of(partitioning.start(key) - before)


def with_amount(portfolio: Portfolio, table: pa.Table) -> pa.Table:
    """The rows with an amount of 0 where transactions have none: nothing is then measured in money."""
    if portfolio.has_amount:
        return table
    return table.append_column("amount_minor", pa.array(np.zeros(table.num_rows, np.int64)))
