"""Which entries of the ledger people were not told of yet, where a notice names the last entry that it tells of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.models import LedgerEntry, Notice
from fraudops.portfolio import Portfolio


def untold_entries(
    session: Session, portfolio: Portfolio, *, kind: str, action: str, detail: str
) -> Sequence[LedgerEntry]:
    """Entries since the one that the newest notice of a kind ends with; numbers commit in their order.

    Parameters
    ----------
    kind
        Of the notices; their dedupe keys end with the number of an entry.
    action, detail
        Entries of this action whose details have this key.
    """
    newest = session.scalar(
        select(Notice.dedupe_key)
        .where(Notice.portfolio == portfolio.name, Notice.kind == kind)
        .order_by(Notice.id.desc())
        .limit(1)
    )
    told = int(newest.rpartition("/")[2]) if newest else 0
    return session.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.portfolio == portfolio.name,
            LedgerEntry.action == action,
            LedgerEntry.number > told,
            LedgerEntry.details.has_key(detail),
        )
        .order_by(LedgerEntry.number)
    ).all()
