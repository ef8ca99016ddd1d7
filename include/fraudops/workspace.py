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
class Workspace:
    """The places and keys of one installation; steps take it as their first argument."""

    store: Store
    landing: Path
    # Not shown where a workspace is: a notebook's cell, a traceback, a log.
    database_url: str = field(repr=False)
    token_key: bytes = field(repr=False)
    ledger_key: bytes = field(repr=False)
    ui_url: str = "http://127.0.0.1:8080"
    protection_key: bytes | None = field(default=None, repr=False)
    """What attachments of cases are encrypted with; without it none can be added or read."""

    @classmethod
    def open(cls, settings: Settings | None = None) -> Workspace:
        """Open the workspace of the settings (default: those of the environment).

        Raises
        ------
        ConfigurationError
            A key or the database's URL is missing.
        """
        settings = settings or Settings.from_environment()
        return cls(
            store=Store(settings.store),
            landing=settings.landing,
            database_url=settings.require_database_url(),
            token_key=settings.require_token_key(),
            ledger_key=settings.require_ledger_key(),
            ui_url=settings.ui_url,
            protection_key=settings.protection_key.get_secret_value() if settings.protection_key else None,
        )

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
            self.ledger_key,
            portfolio=portfolio,
            actor=actor,
            action=action,
            subject=subject,
            details=details,
        )
