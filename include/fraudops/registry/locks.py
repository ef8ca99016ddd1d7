"""Locks that last until the surrounding transaction ends, one per portfolio and purpose.

They are PostgreSQL advisory locks: they lock no row, so that readers are never held up, and the server lets go
of them by itself when a process dies.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.store import sha256_of


def lock_versions(session: Session, portfolio: str) -> None:
    """Wait until no other transaction registers a model of the portfolio, and keep others waiting."""
    session.execute(select(func.pg_advisory_xact_lock(_number("versions", portfolio))))


def lock_champion(session: Session, portfolio: str) -> None:
    """Wait until no other transaction changes or holds the portfolio's champion, and keep others waiting."""
    session.execute(select(func.pg_advisory_xact_lock(_number("champion", portfolio))))


def hold_champion(session: Session, portfolio: str) -> None:
    """Keep the champion from changing until the transaction ends; any number may hold it at once.

    A step that asks for the champion and then publishes a partition scored by it does both under this lock: a
    promotion in between would date itself before that partition, and a re-run would then use another model.
    """
    session.execute(select(func.pg_advisory_xact_lock_shared(_number("champion", portfolio))))


def _number(purpose: str, portfolio: str) -> int:
    """A signed 64-bit number for a name."""
    digest = bytes.fromhex(sha256_of(f"fraudops/{purpose}/{portfolio}".encode()))
    return int.from_bytes(digest[:8], "big", signed=True)
