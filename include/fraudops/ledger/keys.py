"""The ledger's keys, one after the other: which of them signs, and whose signature counts for which entry.

A new key takes over with an entry that says so (:data:`ROTATED`), the first that it signs. From there on the older keys
sign nothing any more: who has got hold of one can forge neither a later entry nor, since that entry's digest covers
everything before it, an earlier one. The older keys are still needed to verify what they signed.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.models import LedgerEntry
from fraudops.errors import ConfigurationError
from fraudops.ledger.links import Signer, digest_of

Keys = bytes | Sequence[bytes]
"""One key, or several, the oldest first."""
ROTATED = "ledger_key_rotated"
"""Action of the entry with which a key takes over; its details ``before`` and ``after`` are fingerprints."""
VARIABLE = "FRAUDOPS_LEDGER_KEY"


def all_of(keys: Keys) -> tuple[bytes, ...]:
    """The keys, the oldest first."""
    return (keys,) if isinstance(keys, bytes) else tuple(keys)


def fingerprint(key: bytes) -> str:
    """What a key is known by: it gives nothing of the key away."""
    return hmac.digest(key, b"fraudops ledger key fingerprint", "sha256").hex()[:16]


def signing_key(session: Session, keys: Keys) -> bytes:
    """The key that signs the next entry: that of the newest rotation, or the first while there was none.

    So processes that know a new key already, and those that do not yet, sign alike until the rotation.

    Raises
    ------
    ConfigurationError
        Another key has taken over, and is not among these.
    """
    known = all_of(keys)
    # All of them, few as they are: for the newest alone the database might walk the whole ledger backwards.
    query = select(LedgerEntry.number, LedgerEntry.details["after"].astext).where(LedgerEntry.action == ROTATED)
    rotations = sorted((number, after) for number, after in session.execute(query))
    if not rotations:
        return known[0]
    number, wanted = rotations[-1]
    for key in known:
        if fingerprint(key) == wanted:
            return key
    raise _lacks(number, wanted)


@dataclass
class Signatures:
    """Whose signature counts for an entry.

    Attributes
    ----------
    starts
        Place of a key among them → number of the entry with which it took over, as far as a signed entry says so.
    """

    signers: tuple[Signer, ...]
    starts: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, session: Session, keys: Keys) -> Signatures:
        """The keys, and since when each of them signs.

        Raises
        ------
        ConfigurationError
            A rotation that one of the keys has signed names another one that is not among them.
        """
        known = all_of(keys)
        found = cls(tuple(Signer(key) for key in known))
        names = [fingerprint(key) for key in known]
        for entry in session.scalars(select(LedgerEntry).where(LedgerEntry.action == ROTATED)):
            place = names.index(entry.details["after"]) if entry.details.get("after") in names else None
            if place is None or _digest(entry) != entry.digest or not found._signed(place, entry):
                continue
            if entry.details.get("before") not in names:
                raise _lacks(entry.number, str(entry.details.get("before")))
            found.starts[place] = entry.number
        return found

    def accept(self, text: str, signature: str, number: int) -> bool:
        """Whether a text of the time of an entry has a signature that counts: of the key of then, or a later one."""
        first = max((place for place, start in self.starts.items() if start <= number), default=0)
        for place in range(first, len(self.signers)):
            if self.signers[place](text) == signature:
                # A later key signs nothing before it takes over: it has, and the entry that said so was altered.
                if place > first and place not in self.starts:
                    self.starts[place] = number
                return True
        return False

    def _signed(self, place: int, entry: LedgerEntry) -> bool:
        return self.signers[place](entry.digest) == entry.signature


# -- inside -------------------------------------------------------------------------------------------


def _digest(entry: LedgerEntry) -> str:
    names = ("number", "at", "portfolio", "actor", "action", "subject", "details", "previous")
    return digest_of(**{name: getattr(entry, name) for name in names})


def _lacks(number: int, wanted: str) -> ConfigurationError:
    return ConfigurationError(
        f"the ledger's key with the fingerprint {wanted} is missing; entry {number} speaks of it",
        where=VARIABLE,
        remedy="give all keys that the ledger has had, the oldest first, with commas between them",
    )
