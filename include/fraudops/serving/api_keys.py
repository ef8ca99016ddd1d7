"""Who may ask the scoring service: keys ``fraudops_<id>_<secret>``, of which only a digest is kept.

A key is made for a program, with what it may do (scopes), for which portfolios, and until when. It is changed without
an interruption: a second one with the same rights is made, the program is given it, and the first one is revoked.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.online_models import ApiKey
from fraudops.errors import ConflictError, ContractError
from fraudops.workspace import Workspace

SCOPES = ("score", "read", "metrics")
"""To have transactions decided; to look at decisions and portfolios; to read the measures."""
EVERYWHERE = "all"
"""Portfolio of ledger entries about no single one."""
_KEY = re.compile(r"fraudops_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Grant:
    """What a key may do, as the service remembers it.

    Attributes
    ----------
    digest
        Of the secret part.
    portfolios
        Empty: all of them.
    per_second
        Transactions; None: as the service says.
    """

    id: str
    digest: str
    scopes: frozenset[str]
    portfolios: frozenset[str]
    per_second: int | None
    expires_at: datetime | None

    def covers(self, portfolio: str) -> bool:
        """Whether it is for a portfolio."""
        return not self.portfolios or portfolio in self.portfolios


# -- making and ending --------------------------------------------------------------------------------


def create(
    ws: Workspace,
    *,
    name: str,
    scopes: Sequence[str],
    portfolios: Sequence[str] = (),
    per_second: int | None = None,
    days: int | None = 365,
    by: str,
) -> tuple[ApiKey, str]:
    """Make a key; its text is told this once.

    Parameters
    ----------
    name
        Of the program that is to have it.
    days
        For which it is valid; None: until it is revoked.

    Raises
    ------
    ContractError
        A scope that there is not, none at all, no name, or a limit that makes no sense.
    """
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise ContractError(
            f"there is no scope {sorted(unknown)[0]!r}" if unknown else "a key without a scope may do nothing",
            remedy=f"give some of {', '.join(SCOPES)}",
        )
    if not name.strip() or len(name) > 128 or not name.isprintable():
        raise ContractError("a key needs a name", remedy="name the program that is to have it, in up to 128 characters")
    if (per_second is not None and per_second < 1) or (days is not None and days < 1):
        raise ContractError(
            "a limit below one", remedy="give a number of days, and of transactions a second, above zero"
        )
    with ws.transaction() as session:
        return _new(ws, session, name.strip(), sorted(set(scopes)), sorted(set(portfolios)), per_second, days, by)


def rotate(ws: Workspace, key_id: str, *, days: int | None = 365, by: str) -> tuple[ApiKey, str]:
    """Make a second key with the rights of one; both are valid until the first is revoked.

    Raises
    ------
    ContractError
        There is no such key, or it was revoked.
    """
    with ws.transaction() as session:
        old = _active(session, key_id)
        return _new(ws, session, old.name, old.scopes, old.portfolios, old.per_second, days, by, replaces=old.id)


def revoke(ws: Workspace, key_id: str, *, by: str) -> ApiKey:
    """End a key; a running service refuses it within two seconds.

    Raises
    ------
    ContractError
        There is no such key, or it was revoked before.
    """
    with ws.transaction() as session:
        key = _active(session, key_id)
        key.revoked_by, key.revoked_at = by, datetime.now(UTC)
        _record(ws, session, key, by, "api_key_revoked", {})
        return key


def every(session: Session) -> list[ApiKey]:
    """All keys, the newest first."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id)))


def grants(session: Session) -> list[Grant]:
    """What the keys that were not revoked may do."""
    return [
        Grant(key.id, key.digest, frozenset(key.scopes), frozenset(key.portfolios), key.per_second, key.expires_at)
        for key in session.scalars(select(ApiKey).where(ApiKey.revoked_at.is_(None)))
    ]


# -- asking -------------------------------------------------------------------------------------------


class KeyRing:
    """The grants that a service knows; replaced as a whole, every second, by whoever follows the database."""

    def __init__(self, known: Sequence[Grant] = ()) -> None:
        self._grants: Mapping[str, Grant] = {grant.id: grant for grant in known}

    def replace(self, known: Sequence[Grant]) -> None:
        """Take over what the database says now."""
        self._grants = {grant.id: grant for grant in known}

    def find(self, text: str, now: datetime) -> Grant | None:
        """The grant of a key; None where it is none that is valid."""
        match = _KEY.fullmatch(text)
        grant = self._grants.get(match[1]) if match is not None else None
        # Compared in any case, so that the time taken says nothing about which ids there are.
        same = hmac.compare_digest(digest_of(match[2] if match is not None else text), grant.digest if grant else _NONE)
        if grant is None or not same or (grant.expires_at is not None and grant.expires_at <= now):
            return None
        return grant

    def told(self) -> list[dict[str, Any]]:
        """The grants as plain data, for a note."""
        return [
            {
                "id": one.id,
                "digest": one.digest,
                "scopes": sorted(one.scopes),
                "portfolios": sorted(one.portfolios),
                "per_second": one.per_second,
                "expires_at": one.expires_at.isoformat() if one.expires_at else None,
            }
            for one in sorted(self._grants.values(), key=lambda one: one.id)
        ]


def grants_of(told: Sequence[Mapping[str, Any]]) -> list[Grant]:
    """The grants of a note."""
    return [
        Grant(
            one["id"],
            one["digest"],
            frozenset(one["scopes"]),
            frozenset(one["portfolios"]),
            one["per_second"],
            datetime.fromisoformat(one["expires_at"]) if one["expires_at"] else None,
        )
        for one in told
    ]


def digest_of(secret: str) -> str:
    """SHA-256 of a secret; it has 256 bits of chance, so nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


# -- inside -------------------------------------------------------------------------------------------

_NONE = digest_of("")


def _new(
    ws: Workspace,
    session: Session,
    name: str,
    scopes: Sequence[str],
    portfolios: Sequence[str],
    per_second: int | None,
    days: int | None,
    by: str,
    replaces: str | None = None,
) -> tuple[ApiKey, str]:
    secret, now = secrets.token_urlsafe(32), datetime.now(UTC)
    key = ApiKey(
        id=secrets.token_hex(6),
        name=name,
        digest=digest_of(secret),
        portfolios=list(portfolios),
        scopes=list(scopes),
        per_second=per_second,
        created_by=by,
        created_at=now,
        expires_at=now + timedelta(days=days) if days is not None else None,
    )
    session.add(key)
    details = {
        "name": name,
        "scopes": key.scopes,
        "portfolios": key.portfolios,
        "per_second": per_second,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "replaces": replaces,
    }
    _record(ws, session, key, by, "api_key_created", details)
    return key, f"fraudops_{key.id}_{secret}"


def _active(session: Session, key_id: str) -> ApiKey:
    key = session.get(ApiKey, key_id, with_for_update=True)
    if key is None:
        raise ContractError(
            f"there is no key {key_id!r}", remedy="see 'fraudops api-keys list'; give its id, not the key"
        )
    if key.revoked_at is not None:
        raise ConflictError(f"the key {key_id} was revoked by {key.revoked_by}", remedy="make a new one")
    return key


def _record(ws: Workspace, session: Session, key: ApiKey, by: str, action: str, details: dict[str, Any]) -> None:
    ws.record(session, portfolio=EVERYWHERE, actor=by, action=action, subject=f"api-keys/{key.id}", details=details)
