"""Walking the whole chain, and saying what was done to it.

Whoever has the database can change rows, take some away, put some in, move them about, and compute every digest anew.
What they cannot do is sign: the key is not in the database. So each entry is looked at twice: whether its content has
its digest, and whether that digest was signed. The two together, and what the next signed entry says it follows, tell
what happened. Consecutive entries with the same fate are one finding.

Rows are streamed and never become objects of the ORM: memory does not grow with the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.models import LedgerEntry
from fraudops.ledger.chain import contains
from fraudops.ledger.chain import head as head_of
from fraudops.ledger.keys import Keys, Signatures
from fraudops.ledger.links import GENESIS, Head, digest_of

ALTERED, MISSING, INSERTED, MOVED = "altered", "missing", "inserted", "reordered"
REBUILT, CUT, HEAD, FORKED = "rebuilt", "cut off", "head changed", "forked"

_BATCH = 2_000
"""Rows in memory at once: a few megabytes."""
_NEAR = 50
"""How far from its place an entry is looked for when nothing else says where it was."""


@dataclass(frozen=True)
class Finding:
    """Something wrong with the chain.

    Attributes
    ----------
    number
        Of the entry, or of the first of several.
    kind
        One of the eight above.
    until
        Number of the last entry of the finding.
    """

    number: int
    what: str
    kind: str
    until: int

    @property
    def where(self) -> str:
        """For people."""
        return f"entry {self.number}" if self.until == self.number else f"entries {self.number} to {self.until}"


def finding(number: int, kind: str, what: str, until: int | None = None) -> Finding:
    """A finding that says its kind."""
    return Finding(number, f"{kind}: {what}", kind, number if until is None else until)


def verify(session: Session, keys: Keys, *, after: Head | None = None) -> Iterator[Finding]:
    """Walk the whole chain; yields what does not fit, nothing when all is well.

    Others may append meanwhile. How long a million entries take is a row of ``make bench``.

    Parameters
    ----------
    keys
        All that the ledger has had, the oldest first.
    after
        Walk only what follows this entry, which is taken as it is; None: everything.

    Raises
    ------
    ConfigurationError
        One of the keys is missing.
    """
    walk = _Walk(session, Signatures.read(session, keys), head_of(session), after or Head(0, GENESIS))
    yield from walk.entries()
    yield from walk.end(head_of(session))


def before_last(session: Session, most: int) -> Head:
    """The entry that the last so many follow: where a walk of the chain's end begins."""
    number = max(head_of(session).number - most, 0)
    digest = session.scalar(select(LedgerEntry.digest).where(LedgerEntry.number == number))
    return Head(number, digest) if digest is not None else Head(0, GENESIS)


class _Row(NamedTuple):
    """A row of the ledger."""

    number: int
    at: datetime
    portfolio: str
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    previous: str
    digest: str
    signature: str


@dataclass
class _Run:
    """Consecutive entries with the same fate.

    Attributes
    ----------
    shift
        Of moved entries: how far they lay from where they are.
    before
        Digest of the last entry before the run.
    consistent
        Whether every entry's content has its digest.
    """

    kind: str
    first: int
    last: int
    shift: int
    before: str
    consistent: bool


_UNSIGNED = "unsigned"
"""Kind of a run of which it is not known yet what it is: the next signed entry, or the end, tells."""


class _Walk:
    """One walk from an entry to the last."""

    def __init__(self, session: Session, signatures: Signatures, head: Head, after: Head) -> None:
        self._session = session
        self._signatures = signatures
        self._head = head
        self._begin = after.number
        self._last = after
        self._run: _Run | None = None
        self._head_fits = head.number == 0 or head == after

    def entries(self) -> Iterator[Finding]:
        """What is wrong with the entries; the end apart."""
        for row in _rows(self._session, self._begin):
            gap = row.number != self._last.number + 1
            if gap:
                yield from self._closed(row)
                missing = self._last.number + 1
                yield finding(missing, MISSING, f"the next entry found is {row.number}", row.number - 1)
            yield from self._entry(row, gap=gap)
            self._last = Head(row.number, row.digest)
            self._head_fits |= self._last == self._head

    def end(self, head: Head) -> Iterator[Finding]:
        """What is wrong with the end of the chain, which may have grown since the walk began."""
        run = self._run
        if run is not None and run.kind == _UNSIGNED:
            yield _unsigned_end(run, head)
            return
        yield from self._closed(None)
        last = self._last.number
        cut = self._head if last < self._head.number else head if not contains(self._session, head) else None
        if cut is not None and cut.number > last:
            yield finding(last + 1, CUT, f"the end is gone, entry {cut.number} was the last", cut.number)
        elif cut is not None or not self._head_fits or head.number < last:
            yield finding(last, HEAD, f"it says entry {head.number}, and entry {last} is the last")

    # -- inside -----------------------------------------------------------------------------------------

    def _entry(self, row: _Row, *, gap: bool) -> Iterator[Finding]:
        signed = self._signatures.accept(row.digest, row.signature, row.number)
        own = _digest(row, row.number) == row.digest
        if own and signed and row.previous == self._last.digest and self._run is None:
            return
        if own and signed:
            explained = gap or self._run is not None or row.previous == self._last.digest
            yield from self._closed(row)
            if not explained:
                yield finding(row.number, FORKED, "it is signed, and does not follow the entry before it")
        elif signed:
            place = self._place(row)
            yield from self._belongs(row, MOVED if place else ALTERED, shift=(place or row.number) - row.number)
        else:
            yield from self._belongs(row, _UNSIGNED, consistent=own)

    def _belongs(self, row: _Row, kind: str, *, shift: int = 0, consistent: bool = True) -> Iterator[Finding]:
        """Put an entry into the run, or begin another one."""
        run = self._run
        if run is not None and (run.kind, run.shift) == (kind, shift) and run.last == row.number - 1:
            run.last, run.consistent = row.number, run.consistent and consistent
            return
        yield from self._closed(row)
        self._run = _Run(kind, row.number, row.number, shift, self._last.digest, consistent)

    def _closed(self, following: _Row | None) -> Iterator[Finding]:
        """The finding of a run that is over."""
        run, self._run = self._run, None
        if run is None:
            return
        if run.kind == _UNSIGNED:
            yield _unsigned(run, following, self._last.digest)
        elif run.kind == MOVED:
            was = f"{run.first + run.shift}" if run.first == run.last else f"{run.first + run.shift} and following"
            yield finding(run.first, MOVED, f"signed as entry {was}", run.last)
        else:
            yield finding(run.first, ALTERED, "the content does not have the digest that was signed", run.last)

    def _place(self, row: _Row) -> int | None:
        """The number as which an entry was signed; None where its content was never signed under any."""
        shift = self._run.shift if self._run is not None else 0
        if shift and _digest(row, row.number + shift) == row.digest:
            return row.number + shift
        before = self._session.scalar(select(LedgerEntry.number).where(LedgerEntry.digest == row.previous))
        near = [row.number + step for far in range(1, _NEAR + 1) for step in (far, -far)]
        for number in near if before is None else [before + 1, *near]:
            if number > 0 and _digest(row, number) == row.digest:
                return number
        return None


def _rows(session: Session, after: int) -> Iterator[_Row]:
    table = LedgerEntry.__table__
    statement = select(*(table.c[name] for name in _Row._fields)).where(table.c.number > after).order_by(table.c.number)
    streaming = statement.execution_options(stream_results=True, max_row_buffer=_BATCH)
    for batch in session.connection().execute(streaming).partitions(_BATCH):
        yield from map(_Row._make, batch)


def _digest(row: _Row, number: int) -> str:
    return digest_of(
        number=number,
        at=row.at,
        portfolio=row.portfolio,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        details=row.details,
        previous=row.previous,
    )


def _unsigned(run: _Run, following: _Row | None, last_digest: str) -> Finding:
    """Entries that nobody signed, before one that somebody did."""
    if following is not None and following.previous == run.before:
        return finding(run.first, INSERTED, "not signed with the ledger's key", run.last)
    if following is not None and following.previous == last_digest:
        what = "not signed with the ledger's key; the content is what it was, the next entry has its digest"
    elif run.consistent:
        what = "not signed with the ledger's key; the digest was computed anew for other content"
    else:
        what = "not signed with the ledger's key, and the content does not have the digest"
    return finding(run.first, ALTERED, what, run.last)


def _unsigned_end(run: _Run, head: Head) -> Finding:
    """Entries that nobody signed, up to the end."""
    if head.number < run.first:
        return finding(run.first, INSERTED, "not signed with the ledger's key, beyond the chain's end", run.last)
    if not run.consistent:
        return finding(
            run.first, ALTERED, "not signed with the ledger's key, and the content does not have the digest", run.last
        )
    what = "not signed with the ledger's key, from here to the end"
    if run.first == 1:
        what += " (every entry: are FRAUDOPS_LEDGER_KEY all keys of the ledger?)"
    return finding(run.first, REBUILT, what, run.last)
