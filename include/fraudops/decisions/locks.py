"""A lock per step and partition, so that a step that runs twice at once does its work once."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def lock_partition(session: Session, step: str, portfolio: str, key: str) -> None:
    """Wait until no other transaction holds the lock, and hold it until this one ends.

    An advisory lock of PostgreSQL: it locks no row, and is gone with the connection of a process that dies.
    """
    name = f"fraudops/{step}/{portfolio}/{key}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
