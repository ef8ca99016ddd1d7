"""Hands over what closed cases say about transactions: as rows of the dataset ``dispositions``, from which training,
features and reports read them like those of a feed.

A row belongs to the partition in which its case was closed, and is known from the end of that partition on. First the
rows are written, then they are marked; a crash in between costs nothing, because the same rows make the same partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import Disposition
from fraudops.intake.feeds import MOMENT, REPORTED_AT, partition_config
from fraudops.intake.label_feed import SCHEMAS, merge_reports
from fraudops.intake.locks import lock_landing
from fraudops.intake.publication import record
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

DISPOSITIONS = "dispositions"


def hand_over(ws: Workspace, portfolio: Portfolio, *, actor: str) -> list[str]:
    """Write what waits; harmless where nothing does.

    Returns
    -------
    list of str
        The partitions of ``dispositions`` that were written to.
    """
    with ws.transaction() as session:
        # Files of dispositions are landed under the same lock: neither loses the other's rows.
        lock_landing(session, portfolio.name)
        query = select(Disposition).where(Disposition.portfolio == portfolio.name, Disposition.handed_over_at.is_(None))
        waiting = session.scalars(query.order_by(Disposition.reported_at, Disposition.id)).all()
        keys = []
        for key, rows in groupby(waiting, lambda row: portfolio.partitioning.key_of(row.reported_at)):
            _publish(ws, session, portfolio, key, list(rows), actor)
            keys.append(key)
        now = datetime.now(UTC)
        for row in waiting:
            row.handed_over_at = now
    return keys


def _publish(
    ws: Workspace, session: Session, portfolio: Portfolio, key: str, rows: Sequence[Disposition], actor: str
) -> None:
    before = ws.store.manifest(DISPOSITIONS, portfolio.name, key)
    known = None if before is None else ws.store.read(before)
    table = merge_reports(DISPOSITIONS, known, _table(rows), portfolio.partitioning.end(key))
    after = before
    if before is None or known is None or not table.equals(known):
        config, facts = partition_config(portfolio, DISPOSITIONS), {"rows": table.num_rows}
        after = ws.store.write(DISPOSITIONS, portfolio.name, key, table, config=config, facts=facts)
    if after is not None:
        details = {"before": before.data_digest if before is not None and before != after else None}
        record(ws, session, after, actor=actor, details=details)


def _table(rows: Sequence[Disposition]) -> pa.Table:
    columns = {
        "transaction_id": pa.array([row.transaction_id for row in rows], pa.string()),
        "finding": pa.array([row.finding for row in rows], pa.string()),
        "by": pa.array([row.by for row in rows], pa.string()),
        REPORTED_AT: pa.array([row.reported_at for row in rows], MOMENT),
    }
    return pa.table({name: columns[name] for name in SCHEMAS[DISPOSITIONS].names if name in columns})
