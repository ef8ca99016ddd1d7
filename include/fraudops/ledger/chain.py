"""Appending to the chain.

Entries are collected in the session and chained when its transaction commits. Only then is the head row locked, and
only until the commit is through: writers do not fork the chain, and do not wait for each other's work. An entry exists
exactly if the thing it records does.

Whoever needs an entry earlier has it: reading its ``number``, or a query for entries in the same session, chains what
waits at once (as a query flushes what was added), and holds the lock from there on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event, select, update
from sqlalchemy.orm import ORMExecuteState, Session

from fraudops.database.models import LedgerEntry, LedgerHead
from fraudops.errors import ConfigurationError
from fraudops.ledger.keys import ROTATED, VARIABLE, Keys, all_of, fingerprint, signing_key
from fraudops.ledger.links import GENESIS, Head, Signer, digest_of, plain

_WAITING = "fraudops.ledger.waiting"
"""Where a session keeps its entries that are not chained yet, each with the keys of which one will sign it."""
_sessions: WeakKeyDictionary[LedgerEntry, Session] = WeakKeyDictionary()
"""Entry that is not chained yet → its session."""


def append(
    session: Session,
    keys: Keys,
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
    keys
        Those of the ledger, see ``Settings.require_ledger_keys``; the one in force signs.
    actor
        Airflow user, or ``service:<workflow>``.
    action
        What was done, a verb in the past: ``ingested``, ``promoted``, ``notice_sent``.
    subject
        What it was done to, such as ``cards/transactions/2026-03-05``. Nothing confidential.
    details
        Small facts: digests before and after, counts, a reason. Nothing confidential.

    Returns
    -------
    LedgerEntry
        Its ``number`` is given when it is first asked for, at the latest by the commit: ask late.
    """
    entry = LedgerEntry(
        at=datetime.now(UTC),
        portfolio=portfolio,
        actor=actor,
        action=action,
        subject=subject,
        details=plain(details or {}),
    )
    _waiting(session).append((entry, keys))
    _sessions[entry] = session
    if session.in_nested_transaction():
        # A savepoint may be taken back without the rest.
        chain(session)
    return entry


def chain(session: Session) -> None:
    """Chain the entries that wait in a session: locks the head until its transaction ends.

    Raises
    ------
    ConfigurationError
        Another key has taken over, and this process does not know it.
    """
    waiting: list[tuple[LedgerEntry, Keys]] = session.info.get(_WAITING, [])
    if not waiting:
        return
    entries = waiting.copy()
    waiting.clear()
    end = select(LedgerHead.number, LedgerHead.digest).where(LedgerHead.id == 1).with_for_update()
    number, previous = session.execute(end).one()
    # Once the head is locked: nobody changes the key meanwhile.
    key = signing_key(session, entries[0][1])
    for entry, keys in entries:
        number += 1
        entry.number, entry.previous = number, previous
        entry.digest = previous = _digest(entry)
        if entry.action == ROTATED:
            key = next(known for known in all_of(keys) if fingerprint(known) == entry.details["after"])
        entry.signature = Signer(key)(entry.digest)
        _sessions.pop(entry, None)
    session.add_all(entry for entry, _ in entries)
    session.flush()
    # After the entries: the database lets the head point to an entry only.
    session.execute(
        update(LedgerHead).where(LedgerHead.id == 1).values(number=number, digest=previous),
        execution_options={"synchronize_session": False},
    )


def rotate(session: Session, keys: Keys, *, actor: str) -> LedgerEntry | None:
    """Let the newest of the keys sign from here on; None where it does already.

    Raises
    ------
    ConfigurationError
        The key in force is not among them, or more than one is new.
    """
    known = all_of(keys)
    before = signing_key(session, known)
    if before == known[-1]:
        return None
    if before != known[-2]:
        raise ConfigurationError(
            "more than one key is new", where=VARIABLE, remedy="add one key, rotate, and only then add the next"
        )
    details = {"before": fingerprint(before), "after": fingerprint(known[-1])}
    return append(session, known, portfolio="all", actor=actor, action=ROTATED, subject="ledger/key", details=details)


def head(session: Session) -> Head:
    """The end of the chain; number 0 where nothing has been recorded yet."""
    chain(session)
    found = session.execute(select(LedgerHead.number, LedgerHead.digest).where(LedgerHead.id == 1)).one_or_none()
    return Head(*found) if found is not None else Head(0, GENESIS)


def contains(session: Session, known: Head) -> bool:
    """Whether the chain still has an entry that was once its end."""
    if known.number == 0:
        return known.digest == GENESIS
    found = session.scalar(select(LedgerEntry.digest).where(LedgerEntry.number == known.number))
    return found == known.digest


# -- inside -------------------------------------------------------------------------------------------


def _waiting(session: Session) -> list[tuple[LedgerEntry, Keys]]:
    found: list[tuple[LedgerEntry, Keys]] | None = session.info.get(_WAITING)
    if found is None:
        found = session.info[_WAITING] = []
        event.listen(session, "before_commit", _before_commit)
        event.listen(session, "after_rollback", _after_rollback)
        event.listen(session, "do_orm_execute", _before_query)
    return found


def _before_commit(session: Session) -> None:
    if not session.in_nested_transaction():
        chain(session)


def _after_rollback(session: Session) -> None:
    session.info[_WAITING].clear()


def _before_query(state: ORMExecuteState) -> None:
    if state.is_select and any(mapper.class_ is LedgerEntry for mapper in state.all_mappers):
        chain(state.session)


@event.listens_for(LedgerEntry.number, "init_scalar", retval=True)
def _number(entry: LedgerEntry, value: object, values: dict[str, Any]) -> object:
    """The number of an entry that waits: it is chained now."""
    session = _sessions.get(entry)
    if session is None:
        return value
    chain(session)
    return values.get("number", value)


def _digest(entry: LedgerEntry) -> str:
    names = ("number", "at", "portfolio", "actor", "action", "subject", "details", "previous")
    return digest_of(**{name: getattr(entry, name) for name in names})
