"""Notices that cannot wait for the next round: of what was decided at once, while the payment may still be stopped."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from fraudops.database.models import Notice
from fraudops.database.session import transaction

URGENT = ("immediate",)
"""Kinds."""


def urgent(database_url: str, portfolio: str, *, limit: int = 20) -> list[int]:
    """Numbers of such notices that wait, ascending; none while the database is away."""
    query = select(Notice.id).where(Notice.portfolio == portfolio, Notice.state == "waiting", Notice.kind.in_(URGENT))
    try:
        with transaction(database_url) as session:
            return list(session.scalars(query.order_by(Notice.id).limit(limit)))
    except OperationalError:
        return []
