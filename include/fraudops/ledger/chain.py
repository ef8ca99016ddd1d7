"""Appending to the chain and verifying it.

An entry's digest covers the previous entry's digest, so that nothing in the middle can change unseen; its
signature is an HMAC with a key that is not in the database, so that the database's owner cannot rebuild the
chain. Appending locks the head row until the surrounding transaction ends: entries cannot fork, and an entry
exists exactly if the thing it records does.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.models import LedgerEntry, LedgerHead
from fraudops.store.digests import canonical_json, sha256_of

GENESIS = "0" * 64


@dataclass(frozen=True)
class Finding:
    """Something wrong with the chain, at an entry's number."""

    number: int
    what: str


def append(
    session: Session,
    key: bytes,
    *,
    portfolio: str,
    actor: str,
    action: str,
    subject: str,
    details: dict[str, Any] | None = None,
) -> LedgerEntry:
    """Append an entry; it commits, or vanishes, with the caller's transaction.

    Parameters
    ----------
    session
        The open transaction of what is being recorded.
    key
        Signing key, see ``Settings.require_ledger_key``.
    actor
        Airflow user, or ``service:<workflow>``.
    action
        What was done, a verb in the past: ``ingested``, ``promoted``, ``notice_sent``.
    subject
        What it was done to, such as ``cards/transactions/2026-03-05``. Nothing confidential.
    details
        Small facts: digests before and after, counts, a reason. Nothing confidential.
    """
    head = session.execute(select(LedgerHead).where(LedgerHead.id == 1).with_for_update()).scalar_one()
    entry = LedgerEntry(
        number=head.number + 1,
        at=datetime.now(UTC),
        portfolio=portfolio,
        actor=actor,
        action=action,
        subject=subject,
        details=_plain(details or {}),
        previous=head.digest,
    )
    entry.digest = _digest(entry)
    entry.signature = _signature(key, entry.digest)
    session.add(entry)
    head.number, head.digest = entry.number, entry.digest
    session.flush()
    return entry


def verify(session: Session, key: bytes) -> Iterator[Finding]:
    """Walk the whole chain; yields what does not fit, nothing when all is well."""
    expected_number, previous = 1, GENESIS
    for entry in session.scalars(select(LedgerEntry).order_by(LedgerEntry.number).execution_options(yield_per=5_000)):
        if entry.number != expected_number:
            yield Finding(expected_number, f"missing: the next entry found is {entry.number}")
        elif entry.previous != previous:
            yield Finding(entry.number, "does not follow the entry before it")
        if entry.digest != _digest(entry):
            yield Finding(entry.number, "altered: its content does not have its digest")
        if not hmac.compare_digest(entry.signature, _signature(key, entry.digest)):
            yield Finding(entry.number, "not signed with the ledger's key")
        expected_number, previous = entry.number + 1, entry.digest
    head = session.get(LedgerHead, 1)
    if head is None or (head.number, head.digest) != (expected_number - 1, previous):
        yield Finding(expected_number, "the end is cut off, or the head was changed")


@dataclass(frozen=True)
class Head:
    """The end of the chain at some moment: kept elsewhere, it shows that nothing before it was changed or cut off."""

    number: int
    digest: str


def head(session: Session) -> Head:
    """The end of the chain; number 0 where nothing has been recorded yet."""
    found = session.get(LedgerHead, 1)
    return Head(found.number, found.digest) if found is not None else Head(0, GENESIS)


def contains(session: Session, known: Head) -> bool:
    """Whether the chain still has an entry that was once its end."""
    if known.number == 0:
        return known.digest == GENESIS
    entry = session.get(LedgerEntry, known.number)
    return entry is not None and entry.digest == known.digest


def _plain(value: Any) -> Any:
    """The value as PostgreSQL's jsonb gives it back: it does not keep how a float was written, so write text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _digest(entry: LedgerEntry) -> str:
    return sha256_of(
        canonical_json(
            {
                "number": entry.number,
                "at": entry.at.astimezone(UTC).isoformat(),
                "portfolio": entry.portfolio,
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "details": entry.details,
                "previous": entry.previous,
            }
        )
    )


def _signature(key: bytes, digest: str) -> str:
    return hmac.new(key, digest.encode(), "sha256").hexdigest()
