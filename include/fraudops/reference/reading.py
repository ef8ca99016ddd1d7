"""What was known of customers, watch lists, holidays and rates at a moment.

A file is known from the end of the partition in which it arrived. What arrived later is not read, whatever it says
about earlier days: a run of the past sees what could be seen then.

Every partition up to the moment is read, and of several rows about the same thing the one that arrived last counts
(within a partition: that of the last file, in the order of their names).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from fraudops.portfolio import CUSTOMERS_PROTECTED, Portfolio
from fraudops.reference.schemas import IDENTITY, SCHEMAS, stored_schema
from fraudops.store import Manifest

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

_PLACE = "__place"


def customers(ws: Workspace, portfolio: Portfolio, as_of: datetime) -> pa.Table:
    """The customers as they were known, one row each, in the order of their ids.

    Returns
    -------
    pyarrow.Table
        ``customer_id``, ``kind`` (person, business), ``risk_rating`` (low, medium, high; null: none),
        ``risk_rated_on``, ``address_country``, ``documents`` (``kind:YYYY-MM-DD|kind:``; null: none on file),
        ``opened_on``, ``known_at``.
    """
    return _latest(ws, portfolio, "customers", as_of)


def identities(ws: Workspace, portfolio: Portfolio, as_of: datetime) -> pa.Table:
    """Names, aliases (``|`` between them) and dates of birth of the customers: protected, never to be told in the open.

    Returns
    -------
    pyarrow.Table
        ``customer_id``, ``name``, ``aliases``, ``date_of_birth``, ``known_at``, in the order of the ids.
    """
    return _latest(ws, portfolio, CUSTOMERS_PROTECTED, as_of)


def watchlist(ws: Workspace, portfolio: Portfolio, as_of: datetime) -> pa.Table:
    """The list in force: the last that had arrived, whole, in the order of its entries' ids.

    Returns
    -------
    pyarrow.Table
        ``list_version``, ``entry_id``, ``name``, ``aliases``, ``date_of_birth``, ``country``, ``program``,
        ``known_at``. Empty where no list had arrived.
    """
    read = manifests(ws, portfolio, "watchlist", as_of)
    if not read:
        return SCHEMAS["watchlist"].empty_table()
    rows = ws.store.read(read[-1])
    last = pc.max(rows["file"])
    return _ordered(rows.filter(pc.equal(rows["file"], last)), "watchlist")


def holidays(ws: Workspace, portfolio: Portfolio, as_of: datetime) -> pa.Table:
    """Holidays of all jurisdictions; a day that a later file took back is not among them.

    Returns
    -------
    pyarrow.Table
        ``date``, ``name``, ``jurisdiction``, ``known_at``, by jurisdiction and day.
    """
    rows = _latest(ws, portfolio, "holidays", as_of)
    return rows.filter(pc.is_valid(rows["name"]))


def rates(ws: Workspace, portfolio: Portfolio, as_of: datetime) -> pa.Table:
    """Rates: units of ``compliance.currency`` for one unit of ``currency``; the latest at or before a day counts.

    Returns
    -------
    pyarrow.Table
        ``date``, ``currency``, ``rate`` (decimal128(18, 8)), ``known_at``, by currency and day.
    """
    return _latest(ws, portfolio, "rates", as_of)


def manifests(ws: Workspace, portfolio: Portfolio, dataset: str, as_of: datetime) -> list[Manifest]:
    """Partitions of a dataset that had arrived by a moment and may still say something, in the order of time.

    Parameters
    ----------
    dataset
        ``customers``, ``customers_protected``, ``watchlist``, ``holidays`` or ``rates``.
    """
    partitioning = portfolio.partitioning
    lookback = portfolio.compliance.reference_lookback if portfolio.compliance is not None else None
    earliest = as_of - lookback if lookback is not None else None
    found = []
    for key in ws.store.keys(dataset, portfolio.name):
        end = partitioning.end(key)
        if end <= as_of and (earliest is None or end > earliest):
            found.append(ws.store.require(dataset, portfolio.name, key))
    return found


def _latest(ws: Workspace, portfolio: Portfolio, dataset: str, as_of: datetime) -> pa.Table:
    return _ordered(_in_force(ws, dataset, tuple(manifests(ws, portfolio, dataset, as_of))), dataset)


def _in_force(ws: Workspace, dataset: str, read: tuple[Manifest, ...]) -> pa.Table:
    """Of each thing the row that arrived last, from the longest run of partitions that was read before."""
    states = list(_states(ws, read))
    known = next((count for count in range(len(read), 0, -1) if states[count] in _remembered), 0)
    stored = stored_schema(dataset)
    before = _remembered[states[known]] if known else stored.empty_table()
    if known == len(read):
        return before
    tables = [ws.store.read(manifest).select(stored.names).cast(stored) for manifest in read[known:]]
    rows = pa.concat_tables([before, *tables]).combine_chunks()
    # Partitions come in the order of time, rows within one in that of files and lines: the last one is in force.
    numbered = rows.append_column(_PLACE, pa.array(range(rows.num_rows), pa.int64()))
    last = numbered.group_by(list(IDENTITY[dataset])).aggregate([(_PLACE, "max")])[f"{_PLACE}_max"]
    found = rows.take(last)
    _remembered[states[-1]] = found
    while len(_remembered) > _MOST_REMEMBERED:
        del _remembered[next(iter(_remembered))]
    return found


_remembered: dict[str, pa.Table] = {}
"""What was in force after some partitions: a run over many days reads each partition once and not once a day."""
_MOST_REMEMBERED = 8


def _states(ws: Workspace, read: tuple[Manifest, ...]) -> Iterator[str]:
    """Names each beginning of a run of partitions, the empty one first, by what they hold."""
    digest = hashlib.sha256(str(ws.store.root).encode())
    yield digest.hexdigest()
    for manifest in read:
        digest.update(f"\n{manifest.dataset} {manifest.portfolio} {manifest.key} {manifest.data_digest}".encode())
        yield digest.hexdigest()


def _ordered(rows: pa.Table, dataset: str) -> pa.Table:
    order = [(name, "ascending") for name in IDENTITY[dataset]]
    return rows.sort_by(order).select(SCHEMAS[dataset].names).combine_chunks()
