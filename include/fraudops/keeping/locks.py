"""Locks that last until the surrounding transaction ends."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_REMOVAL = "fraudops.removal"


def lock_removal(session: Session) -> None:
    """Let nothing be removed from any store of this database, nor held or released, until the transaction ends."""
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": _REMOVAL})
