"""A new key for what is encrypted: attachments of cases and drafts, and rows as they were received to be
scored at once, are encrypted anew, one by one."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from sqlalchemy import literal, select, tuple_, update
from sqlalchemy.orm import Session
from upath import UPath

from fraudops.cases.attachments import AREA as ATTACHMENTS
from fraudops.database import LedgerEntry, OnlineDecision
from fraudops.errors import ConfigurationError
from fraudops.filings.drafts import AREA as DRAFTS
from fraudops.protection import encrypted_anew
from fraudops.store.files import put_whole
from fraudops.workspace import Workspace

ROTATED = "protection_key_rotated"
AREAS = (ATTACHMENTS, DRAFTS)
_AT_ONCE = 1_000


def protection_fingerprint(key: bytes) -> str:
    """What a key is known by; it gives nothing of it away."""
    return hmac.digest(key, b"fraudops protection key fingerprint", "sha256").hex()[:16]


def rotate_protection_key(ws: Workspace, *, actor: str) -> int:
    """Encrypt everything with the newest key; the older ones are needed by nothing then. Returns how many files.

    Whoever is interrupted runs it again: what is encrypted anew already is left alone.

    Raises
    ------
    ConfigurationError
        There is no key.
    IntegrityError
        A file was encrypted with none of the keys, or altered: it is named, and nothing is said to be done.
    """
    if not ws.protection_keys:
        raise ConfigurationError(
            "there is no key", where="FRAUDOPS_PROTECTION_KEY", remedy="use the output of 'openssl rand -hex 32'"
        )
    count = 0
    for path in encrypted_files(ws):
        content = encrypted_anew(ws, path.read_bytes(), path.relative_to(ws.store.root).as_posix())
        if content is not None:
            put_whole(path, content)
            count += 1
    count += _rows_as_received(ws)
    after = protection_fingerprint(ws.protection_keys[-1])
    with ws.transaction() as session:
        if count or newest_protection(session) != after:
            # How many there are would tell how much is reported.
            details = {"after": after}
            ws.record(
                session, portfolio="all", actor=actor, action=ROTATED, subject="store/protection_key", details=details
            )
    return count


def _rows_as_received(ws: Workspace) -> int:
    """Encrypt anew what came to be scored at once, some rows at a time; returns how many were changed."""
    count, last = 0, ("", 0)
    while True:
        with ws.transaction() as session:
            rows = session.execute(
                select(OnlineDecision.portfolio, OnlineDecision.number, OnlineDecision.raw)
                .where(
                    OnlineDecision.raw.is_not(None),
                    tuple_(OnlineDecision.portfolio, OnlineDecision.number) > tuple_(*map(literal, last)),
                )
                .order_by(OnlineDecision.portfolio, OnlineDecision.number)
                .limit(_AT_ONCE)
            ).all()
            for portfolio, number, raw in rows:
                content = encrypted_anew(ws, bytes(raw or b""), f"online_decision {portfolio} {number}")
                if content is not None:
                    one = (OnlineDecision.portfolio == portfolio, OnlineDecision.number == number)
                    session.execute(update(OnlineDecision).where(*one).values(raw=content))
                    count += 1
        if not rows:
            return count
        last = (rows[-1].portfolio, rows[-1].number)


def encrypted_files(ws: Workspace) -> Iterator[UPath]:
    """Everything that is encrypted, of all portfolios."""
    for area in AREAS:
        place = ws.store.root / area
        yield from sorted(place.rglob("*.fernet"), key=str) if place.exists() else ()


def newest_protection(session: Session) -> str | None:
    """Fingerprint of the key that the last rotation led to; None where there was none."""
    query = select(LedgerEntry.number, LedgerEntry.details["after"].astext).where(LedgerEntry.action == ROTATED)
    found = sorted((number, after) for number, after in session.execute(query))
    return found[-1][1] if found else None
