"""What a step works with: the store, the landing folder, the database and the keys, opened from the settings."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from fraudops import ledger
from fraudops.database import LedgerEntry, transaction
from fraudops.settings import Settings
from fraudops.store import Store


@dataclass(frozen=True)
class LaterKeys:
    """Keys that came after the first ones, by rotation; the oldest first."""

    token: tuple[bytes, ...] = ()
    ledger: tuple[bytes, ...] = ()
    protection: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Workspace:
    """The places and keys of one installation; steps take it as their first argument."""

    store: Store
    landing: Path
    # Not shown where a workspace is: a notebook's cell, a traceback, a log.
    database_url: str = field(repr=False)
    token_key: bytes = field(repr=False)
    """The first one; chance is drawn with it, whatever came after it."""
    ledger_key: bytes = field(repr=False)
    """The first one."""
    ui_url: str = "http://127.0.0.1:8080"
    protection_key: bytes | None = field(default=None, repr=False)
    """The first one that attachments of cases are encrypted with; without it none can be added or read."""
    later: LaterKeys = field(default_factory=LaterKeys, repr=False)

    @classmethod
    def open(cls, settings: Settings | None = None) -> Workspace:
        """Open the workspace of the settings (default: those of the environment).

        Raises
        ------
        ConfigurationError
            A key or the database's URL is missing.
        """
        settings = settings or Settings.from_environment()
        token, ledgers = settings.require_token_keys(), settings.require_ledger_keys()
        protection = [key.get_secret_value() for key in settings.protection_keys]
        return cls(
            store=Store(settings.store),
            landing=settings.landing,
            database_url=settings.require_database_url(),
            token_key=token[0],
            ledger_key=ledgers[0],
            ui_url=settings.ui_url,
            protection_key=protection[0] if protection else None,
            later=LaterKeys(token[1:], ledgers[1:], tuple(protection[1:])),
        )

    @property
    def token_keys(self) -> tuple[bytes, ...]:
        """All keys that a number goes through to become a token, in their order."""
        return (self.token_key, *self.later.token)

    @property
    def ledger_keys(self) -> tuple[bytes, ...]:
        """All keys that the ledger has had, and the next one where it waits for its rotation; the oldest first."""
        return (self.ledger_key, *self.later.ledger)

    @property
    def protection_keys(self) -> tuple[bytes, ...]:
        """All keys that what is encrypted may have been encrypted with, the oldest first; the last one encrypts."""
        return () if self.protection_key is None else (self.protection_key, *self.later.protection)

    def transaction(self) -> AbstractContextManager[Session]:
        """A database session whose work commits at the end, all of it or none."""
        return transaction(self.database_url)

    def record(
        self,
        session: Session,
        *,
        portfolio: str,
        actor: str,
        action: str,
        subject: str,
        details: dict[str, Any] | None = None,
    ) -> LedgerEntry:
        """Append to the ledger within the session's transaction; see :func:`fraudops.ledger.append`."""
        return ledger.append(
            session,
            self.ledger_keys,
            portfolio=portfolio,
            actor=actor,
            action=action,
            subject=subject,
            details=details,
        )
