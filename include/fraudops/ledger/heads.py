"""Signed heads: ends of the chain, kept where whoever has the database does not reach.

A chain cannot show by itself that its end was cut off together with its head: what is left is a whole, signed chain. So
the head is exported now and then, signed, as an object of its own that nothing replaces. An entry's digest covers all
entries before it: where the chain still has the newest head that was exported, nothing up to there was cut off,
changed, or put anew. The signature keeps out heads that somebody else has put there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session
from upath import UPath

from fraudops.database.models import LedgerEntry
from fraudops.ledger.chain import contains
from fraudops.ledger.keys import Keys, Signatures
from fraudops.ledger.links import Head, Signer
from fraudops.ledger.verification import CUT, Finding, finding
from fraudops.store import Store
from fraudops.store.digests import canonical_json

AREA, ALL = "ledger_heads", "all"
"""Where heads lie in the store; the ledger is one for all portfolios."""
FORGED = "forged head"
RESTORED, UP_TO = "restored", "ledger_number"
"""Action of the entry of a restored backup, and its detail: entries after that one may be others now."""
_NAME = re.compile(r"(\d{12})-([0-9a-f]{16})\.json")


@dataclass(frozen=True)
class SignedHead:
    """A head that was exported.

    Attributes
    ----------
    at
        When, as the export was told.
    """

    number: int
    digest: str
    at: datetime
    signature: str

    @classmethod
    def sign(cls, key: bytes, head: Head, at: datetime) -> SignedHead:
        """Sign a head."""
        moment = at.astimezone(UTC)
        return cls(head.number, head.digest, moment, Signer(key)(_text(head, moment)))

    def counts(self, signatures: Signatures) -> bool:
        """Whether the ledger's key of then has signed it, or a later one."""
        return signatures.accept(_text(self.head, self.at), self.signature, self.number)

    @cached_property
    def head(self) -> Head:
        """The head itself."""
        return Head(self.number, self.digest)

    @property
    def line(self) -> str:
        """As ``fraudops ledger verify --heads`` reads it."""
        return f"{self.number} {self.digest}"


def export(store: Store, key: bytes, head: Head, *, at: datetime) -> SignedHead | None:
    """Put a head into the store; None where the chain has no entry yet. The same head of a day is written once."""
    if head.number == 0:
        return None
    signed = SignedHead.sign(key, head, at)
    parts = (f"{signed.at:%Y-%m-%d}", f"{head.number:012d}-{head.digest[:16]}.json")
    if not store.path(AREA, ALL, *parts).exists():
        content = {"number": head.number, "digest": head.digest, "at": signed.at.isoformat()}
        store.put(canonical_json({**content, "signature": signed.signature}), AREA, ALL, *parts)
    return signed


def exported(store: Store) -> list[UPath]:
    """Where the heads lie, the highest number first."""
    root = store.path(AREA, ALL)
    found = [path for path in root.glob("*/*.json") if _NAME.fullmatch(path.name)] if root.exists() else []
    return sorted(found, key=lambda path: (path.name, str(path)), reverse=True)


def read(path: UPath) -> SignedHead | None:
    """The head of an object; None where it is none."""
    try:
        content = json.loads(path.read_bytes())
        return SignedHead(
            number=int(content["number"]),
            digest=str(content["digest"]),
            at=datetime.fromisoformat(content["at"]),
            signature=str(content["signature"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def check(session: Session, store: Store, keys: Keys) -> Iterator[Finding]:
    """What the exported heads say of the chain, which has been walked: its end may be another one.

    The newest head that is signed decides; where the chain does not have it, older ones tell up to where it is what it
    was.
    """
    lost: SignedHead | None = None
    signatures = Signatures.read(session, keys)
    for path in exported(store):
        known = read(path)
        if known is None or not known.counts(signatures):
            number = int(path.name.partition("-")[0])
            name = f"{path.parent.name}/{path.name}"
            yield finding(number, FORGED, f"{name} in the store is not signed with the ledger's key")
        elif contains(session, known.head):
            if lost is not None:
                yield _gone(lost, known.number)
            return
        elif not _restored_since(session, known):
            lost = known
    if lost is not None:
        yield _gone(lost, 0)


def _gone(lost: SignedHead, kept: int) -> Finding:
    """The oldest head that the chain lacks, and the newest before it that it has."""
    where = f"the chain is the old one up to entry {kept}" if kept else "no earlier head is left"
    what = f"entry {lost.number} was the end on {lost.at:%Y-%m-%d}, and is gone or another one; {where}"
    return finding(kept + 1, CUT, what, lost.number)


def _restored_since(session: Session, lost: SignedHead) -> bool:
    """Whether a backup of before that head was put back later, as the ledger itself says."""
    up_to = LedgerEntry.details[UP_TO].as_integer()
    restored = select(LedgerEntry.number).where(
        LedgerEntry.action == RESTORED, LedgerEntry.at >= lost.at, up_to < lost.number
    )
    return session.scalar(restored.limit(1)) is not None


def _text(head: Head, at: datetime) -> str:
    return f"fraudops/ledger-head/{head.number}/{head.digest}/{at.astimezone(UTC).isoformat()}"
