"""One landing of a portfolio writes at a time: two could merge into the same partition and lose rows."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session


def lock_landing(session: Session, portfolio: str) -> None:
    """Wait until nothing else is landed for a portfolio, and keep others waiting until the transaction ends."""
    name = f"fraudops.landing.{portfolio}"
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
