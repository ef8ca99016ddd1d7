"""Brings what was scored at once into the landing folder, as a file of our own beside the bank's.

A partition's file has all rows that were received for it, in the order of time and id: the same rows give the same
bytes, and more rows a newer version of the file, whose rows take the place of its earlier ones. It lies there in clear,
as a bank's file does, for as long as it takes to land it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from fraudops.database import OnlineDecision
from fraudops.intake.feeds import transactions_feed
from fraudops.portfolio import Portfolio
from fraudops.portfolio.serving import online_source
from fraudops.protection import decrypt
from fraudops.store import removed_keys
from fraudops.workspace import Workspace


def collect(ws: Workspace, portfolio: Portfolio, key: str) -> Path | None:
    """Write the rows of a partition that were scored at once into the landing folder.

    Returns
    -------
    Path or None
        The file; None where there are none, or a file of the bank brings them.

    Raises
    ------
    ConfigurationError
        There is no key to decrypt them with.
    IntegrityError
        They were encrypted with another key, or altered.
    """
    source = online_source(portfolio.serving, portfolio.transactions)
    if source is None:
        return None
    with ws.transaction() as session:
        query = (
            select(OnlineDecision.transaction_id, OnlineDecision.raw)
            .where(OnlineDecision.portfolio == portfolio.name, OnlineDecision.partition_key == key)
            .order_by(OnlineDecision.event_time, OnlineDecision.transaction_id.collate("C"))
        )
        stored = [(one, raw) for one, raw in session.execute(query)]
    # Where retention took some of them, a newer file would take their rows out of the partition.
    if not stored or any(raw is None for _, raw in stored):
        return None
    rows = [json.loads(decrypt(ws, bytes(raw or b""), f"online_decision {one}")) for one, raw in stored]
    fields = sorted(transactions_feed(portfolio, source).fields)
    path = ws.landing / portfolio.name / source.local_pattern.replace("{key}", key)
    _write(path, pa.table({name: _column([row.get(name) for row in rows], source.decimal) for name in fields}))
    return path


@contextmanager
def collected(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> Iterator[list[Path]]:
    """The rows of some partitions that were scored at once lie in the landing folder while the block runs."""
    files = [path for key in keys if (path := collect(ws, portfolio, key)) is not None]
    try:
        yield files
    finally:
        for path in files:
            path.unlink(missing_ok=True)


def uncollected(ws: Workspace, portfolio: Portfolio) -> list[str]:
    """Published partitions that lack rows which were scored at once: they came when their day had been landed."""
    if online_source(portfolio.serving, portfolio.transactions) is None:
        return []
    published = set(ws.store.keys("transactions", portfolio.name))
    published -= set(removed_keys(ws.store, "transactions", portfolio.name))
    with ws.transaction() as session:
        query = select(OnlineDecision.partition_key, OnlineDecision.transaction_id).where(
            OnlineDecision.portfolio == portfolio.name,
            OnlineDecision.raw.is_not(None),
            OnlineDecision.partition_key.in_(published),
        )
        decided: dict[str, set[str]] = {}
        for key, one in session.execute(query):
            decided.setdefault(key, set()).add(one)
    return sorted(key for key, ids in decided.items() if ids - _landed(ws, portfolio, key))


# -- inside ---------------------------------------------------------------------------------------------------


def _landed(ws: Workspace, portfolio: Portfolio, key: str) -> set[str]:
    table = ws.store.read_partition("transactions", portfolio.name, key, ["transaction_id"])
    return set(table["transaction_id"].to_pylist())


def _column(values: Sequence[Any], decimal: str) -> pa.Array:
    """Values of one type as they are; of several, or none, as texts, numbers with the source's decimal sign."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 and kinds <= {int, float, bool, str}:
        return pa.array(values)
    return pa.array([None if value is None else _text(value, decimal) for value in values], pa.string())


def _text(value: Any, decimal: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value).replace(".", decimal) if isinstance(value, float) else str(value)


def _write(path: Path, table: pa.Table) -> None:
    """Whole or not at all, and for nobody else to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
