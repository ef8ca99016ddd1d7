"""What a crash has left half done, told from the record: scores without their ledger entry, or without their alerts.

Whoever was killed between the store and the database is tried again, and does the rest. Where nobody tries again any
more the partition counts as scored, and only this question finds it: ``reconcile`` asks it.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.database.models import Alert, LedgerEntry
from fraudops.decisions.scoring import SCORES
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest
from fraudops.workspace import Workspace

_FLAGGED = ("review", "block")
_AT_ONCE = 1_000


def unfinished_keys(ws: Workspace, portfolio: Portfolio) -> list[str]:
    """Scored partitions whose scores are not in the ledger, or of which an alert is missing, in the order of time.

    Scoring them again writes nothing that is there, and does what is missing.
    """
    name = portfolio.name
    scores = [ws.store.require(SCORES, name, key) for key in ws.store.keys(SCORES, name)]
    with ws.transaction() as session:
        recorded, raised = _recorded(session, name), _raised(session, name)
        return [
            manifest.key
            for manifest in scores
            if recorded.get(f"{name}/{SCORES}/{manifest.key}") != manifest.data_digest
            or (_flagged(manifest) > raised.get(manifest.key, 0) and _lacks_alerts(ws, session, manifest))
        ]


# -- inside ---------------------------------------------------------------------------------------------------


def _recorded(session: Session, portfolio: str) -> dict[str, str]:
    """Subject → digest of the scores in its latest entry."""
    entries = session.execute(
        select(LedgerEntry.subject, LedgerEntry.details["digest"].astext)
        .where(LedgerEntry.portfolio == portfolio, LedgerEntry.action == "scored")
        .order_by(LedgerEntry.number)
    )
    return {row[0]: row[1] for row in entries}


def _raised(session: Session, portfolio: str) -> dict[str, int]:
    """Partition → how many alerts it has."""
    counted = (
        select(Alert.partition_key, func.count()).where(Alert.portfolio == portfolio).group_by(Alert.partition_key)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def _flagged(scores: Manifest) -> int:
    return sum(scores.facts["counts"].get(decision, 0) for decision in _FLAGGED)


def _lacks_alerts(ws: Workspace, session: Session, scores: Manifest) -> bool:
    """Whether a transaction of the partition has no alert at all; one that another partition raised will do."""
    table = ws.store.read(scores, ["transaction_id", "decision"])
    flagged = pc.is_in(table["decision"], pa.array(_FLAGGED))
    ids = table.filter(flagged)["transaction_id"].to_pylist()
    found = 0
    for at in range(0, len(ids), _AT_ONCE):
        query = select(func.count()).where(
            Alert.portfolio == scores.portfolio, Alert.transaction_id.in_(ids[at : at + _AT_ONCE])
        )
        found += session.scalar(query) or 0
    return found < len(ids)
