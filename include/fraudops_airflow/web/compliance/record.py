"""The ledger as people read it: pages of entries, one entry with its neighbours, what verification found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from fraudops import ledger
from fraudops.database import LedgerEntry, LedgerHead, Notice
from fraudops.ledger import Finding, SignedHead, heads
from fraudops.ledger.keys import Signatures
from fraudops.ledger.links import GENESIS, digest_of
from fraudops.notices.keeping_messages import ALTERED
from fraudops.workspace import Workspace
from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from fraudops_airflow.web.archive import Archive

PER_PAGE = 50
MOST_VERIFIED = 20_000
"""Entries that the pages verify at once: more takes longer than somebody waits for a page."""
SHOWN_HEADS = 10
SHOWN_FINDINGS = 50
_LONGEST = 120
_SHOWN_DETAILS = 5
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Wanted:
    """Which entries; empty: all.

    Attributes
    ----------
    subject
        How the subject begins.
    first, last
        Days (UTC) on which they were appended; both included.
    """

    portfolio: str = ""
    actor: str = ""
    action: str = ""
    subject: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Line:
    """An entry of the list; ``said``: its details, shortened."""

    entry: LedgerEntry
    said: str


@dataclass(frozen=True)
class Page:
    """Entries, the newest first; ``next``: the number below which the following page begins."""

    lines: tuple[Line, ...]
    next: int | None
    actions: tuple[str, ...]


@dataclass(frozen=True)
class KeptHead:
    """A head that is kept in the store.

    Attributes
    ----------
    signed
        Whether the ledger's key has signed it; None where that was not looked at.
    there
        Whether the chain still has it.
    """

    name: str
    head: SignedHead | None
    signed: bool | None
    there: bool


@dataclass(frozen=True)
class Standing:
    """How the record stands without looking at every entry.

    Attributes
    ----------
    number
        Of the newest entry; 0: there is none.
    heads
        The newest ones that are kept; a nightly verification that finds nothing keeps one.
    alarms
        The newest notices that records are not what was written: when, of which portfolio, subject, text.
    """

    number: int
    digest: str
    heads: tuple[KeptHead, ...]
    alarms: tuple[tuple[datetime, str, str, str], ...]


@dataclass(frozen=True)
class Checked:
    """What a verification of the chain's end found."""

    first: int
    last: int
    findings: tuple[Finding, ...]
    heads: tuple[KeptHead, ...]
    seconds: float


@dataclass(frozen=True)
class EntryPage:
    """One entry.

    Attributes
    ----------
    own
        Whether its content has its digest.
    follows
        Whether it follows the entry before it.
    others
        The newest entries of the same subject.
    """

    entry: LedgerEntry
    details: tuple[tuple[str, str], ...]
    own: bool
    follows: bool
    before: LedgerEntry | None
    after: LedgerEntry | None
    others: tuple[Line, ...]


def entries_page(archive: Archive, wanted: Wanted, below: int | None) -> Page:
    """Entries below a number, the newest first."""
    query = _narrowed(select(LedgerEntry), wanted)
    if below is not None:
        query = query.where(LedgerEntry.number < below)
    with archive.reading() as session:
        found = list(session.scalars(query.order_by(LedgerEntry.number.desc()).limit(PER_PAGE + 1)))
        actions = _actions(session)
        session.expunge_all()
    shown = found[:PER_PAGE]
    return Page(tuple(map(_line, shown)), shown[-1].number if len(found) > PER_PAGE else None, actions)


def standing(archive: Archive) -> Standing:
    """The chain's end, the heads that are kept, and what alarm there was."""
    query = select(Notice.queued_at, Notice.portfolio, Notice.subject, Notice.text).where(Notice.kind == ALTERED)
    with archive.reading() as session:
        number, digest = session.execute(select(LedgerHead.number, LedgerHead.digest)).one_or_none() or (0, GENESIS)
        alarms = session.execute(query.order_by(Notice.id.desc()).limit(3)).all()
        kept = _heads(session, archive.workspace, None)
    return Standing(number, digest, kept, tuple((at, name, subject, said) for at, name, subject, said in alarms))


def check_end(ws: Workspace, most: int) -> Checked:
    """Verify the newest entries, and the heads that are kept, with the ledger's key."""
    began = datetime.now(UTC)
    with ws.transaction() as session:
        session.execute(text("set transaction read only"))
        after = ledger.before_last(session, min(most, MOST_VERIFIED))
        last = session.scalar(select(LedgerHead.number)) or 0
        found = [*ledger.verify(session, ws.ledger_keys, after=after), *heads.check(session, ws.store, ws.ledger_keys)]
        kept = _heads(session, ws, Signatures.read(session, ws.ledger_keys))
    seconds = (datetime.now(UTC) - began).total_seconds()
    return Checked(after.number + 1, last, tuple(found), kept, seconds)


def entry_page(archive: Archive, number: int) -> EntryPage | None:
    """One entry with its neighbours; None where there is none of this number."""
    with archive.reading() as session:
        around = select(LedgerEntry).where(LedgerEntry.number.in_((number - 1, number, number + 1)))
        found = {item.number: item for item in session.scalars(around)}
        entry = found.get(number)
        if entry is None:
            return None
        same = select(LedgerEntry).where(
            LedgerEntry.portfolio == entry.portfolio,
            LedgerEntry.action == entry.action,
            LedgerEntry.subject == entry.subject,
            LedgerEntry.number != number,
        )
        others = list(session.scalars(same.order_by(LedgerEntry.number.desc()).limit(10)))
        session.expunge_all()
    before = found.get(number - 1)
    return EntryPage(
        entry=entry,
        details=tuple((name, _told(value)) for name, value in sorted(entry.details.items())),
        own=_digest(entry) == entry.digest,
        follows=entry.previous == (before.digest if before is not None else GENESIS if number == 1 else ""),
        before=before,
        after=found.get(number + 1),
        others=tuple(map(_line, others)),
    )


# -- inside -------------------------------------------------------------------------------------------


def _narrowed(query: Select[LedgerEntry], wanted: Wanted) -> Select[LedgerEntry]:
    columns = (LedgerEntry.portfolio, wanted.portfolio), (LedgerEntry.actor, wanted.actor)
    for column, value in (*columns, (LedgerEntry.action, wanted.action)):
        if value:
            query = query.where(column == value)
    if wanted.subject:
        query = query.where(LedgerEntry.subject.startswith(wanted.subject, autoescape=True))
    if wanted.first is not None:
        query = query.where(LedgerEntry.at >= datetime.combine(wanted.first, time(), tzinfo=UTC))
    if wanted.last is not None:
        query = query.where(LedgerEntry.at < datetime.combine(wanted.last + timedelta(days=1), time(), tzinfo=UTC))
    return query


def _actions(session: Session) -> tuple[str, ...]:
    """Every action there is: one look into the index each, however long the ledger is."""
    walk = select(func.min(LedgerEntry.action).label("action")).cte("walk", recursive=True)
    following = select(func.min(LedgerEntry.action)).where(LedgerEntry.action > walk.c.action).scalar_subquery()
    walk = walk.union_all(select(following).where(walk.c.action.is_not(None)))
    return tuple(session.scalars(select(walk.c.action).where(walk.c.action.is_not(None))))


def _heads(session: Session, ws: Workspace, signatures: Signatures | None) -> tuple[KeptHead, ...]:
    found = []
    for path in heads.exported(ws.store)[:SHOWN_HEADS]:
        head = heads.read(path)
        signed = head is not None and head.counts(signatures) if signatures is not None else None
        there = head is not None and ledger.contains(session, head.head)
        found.append(KeptHead(f"{path.parent.name}/{path.name}", head, signed, there))
    return tuple(found)


def _line(entry: LedgerEntry) -> Line:
    told = [f"{name} {_told(value)}" for name, value in sorted(entry.details.items())]
    said = "; ".join(_shortened(part) for part in told[:_SHOWN_DETAILS])
    return Line(entry, said + ("; …" if len(told) > _SHOWN_DETAILS else ""))


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_told(item)}" for name, item in sorted(value.items()))
    if isinstance(value, list):
        return ", ".join(_told(item) for item in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _shortened(said: str) -> str:
    """One line; digests by their beginnings, for the entry itself has them whole."""
    line = _DIGEST.sub(lambda found: f"{found[0][:12]}…", " ".join(said.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _digest(entry: LedgerEntry) -> str:
    names: Iterable[str] = ("number", "at", "portfolio", "actor", "action", "subject", "details", "previous")
    return digest_of(**{name: getattr(entry, name) for name in names})
