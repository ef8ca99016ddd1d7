"""What the pages may read: the portfolios, the database in read-only transactions, areas of the store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import Depends, HTTPException
from fraudops.database import transaction
from fraudops.portfolio import Portfolio
from fraudops.settings import Settings
from fraudops.store import Memory, RememberingStore, Store
from fraudops.workspace import Workspace
from sqlalchemy import text
from sqlalchemy.orm import Session
from upath import UPath

from fraudops_airflow.catalogue import valid_portfolios

AREAS = ("reports", "validation", "evidence", "restated", "packs")
"""Areas of the store whose files are handed out."""

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
"""What is handed out, by the end of its name. Everything else in the areas stays where it is."""

TAKEN_AWAY = {
    ("packs", "pack.pdf"): "application/pdf",
    ("packs", "pack.csv"): "text/csv; charset=utf-8",
    ("packs", "pack.json"): "application/json",
}
"""Files by their area and exact name that a browser saves instead of showing them."""

_MEMORY = Memory()
"""What the pages of this process have read: partitions are written once and looked at often."""
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[a-z]+)")


@dataclass(frozen=True)
class Document:
    """A page or a picture from the store, as it lies there.

    Attributes
    ----------
    saved_as
        Name under which a browser saves it; None: it shows it.
    """

    content: bytes
    media_type: str
    saved_as: str | None = None


@dataclass(frozen=True)
class Archive:
    """One installation, seen through a window: there is no way to write through it."""

    store: Store
    database_url: str
    portfolios: dict[str, Portfolio]
    workspace: Workspace

    @classmethod
    def open(cls) -> Archive:
        """Open the installation of the environment.

        The api-server needs neither the token key nor the ledger key: pages do not tokenise and do not sign.

        Raises
        ------
        ConfigurationError
            The database's URL is missing.
        """
        settings = Settings.from_environment()
        workspace = Workspace(
            store=RememberingStore(settings.store, _MEMORY),
            landing=settings.landing,
            database_url=settings.require_database_url(),
            token_key=b"",
            ledger_key=b"",
            ui_url=settings.ui_url,
        )
        portfolios = {portfolio.name: portfolio for portfolio in valid_portfolios()}
        return cls(workspace.store, workspace.database_url, portfolios, workspace)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A database session in which PostgreSQL itself refuses to write."""
        with transaction(self.database_url) as session:
            session.execute(text("set transaction read only"))
            yield session

    def folders(self, area: str, portfolio: str) -> list[UPath]:
        """Folders directly below an area of a portfolio, newest name first; none where there is nothing yet."""
        root = self.store.path(area, portfolio)
        if not root.exists():
            return []
        return sorted((entry for entry in root.iterdir() if entry.is_dir()), key=lambda e: e.name, reverse=True)

    def has(self, area: str, portfolio: str, folder: str, file: str = "index.html") -> bool:
        """Whether :meth:`document` would find something."""
        return self._path(area, portfolio, folder, file) is not None

    def document(self, area: str, portfolio: str, folder: str, file: str) -> Document | None:
        """A file, or None: another area, an unknown portfolio, an odd name, another kind of file, not there."""
        path = self._path(area, portfolio, folder, file)
        if path is None:
            return None
        if (area, file) in TAKEN_AWAY:
            return Document(path.read_bytes(), TAKEN_AWAY[area, file], f"{portfolio}-{folder}-{file}")
        return Document(path.read_bytes(), MEDIA_TYPES[PurePosixPath(file).suffix])

    def json(self, area: str, portfolio: str, folder: str, file: str) -> dict[str, Any]:
        """A small JSON object of the store; empty where there is none."""
        try:
            content = json.loads(self.store.get(area, portfolio, folder, file))
        except FileNotFoundError:
            return {}
        return content if isinstance(content, dict) else {}

    def portfolio(self, name: str) -> Portfolio:
        """A portfolio by its name; the answer is 404 where there is none."""
        if name not in self.portfolios:
            raise HTTPException(404, f"There is no portfolio {name}.")
        return self.portfolios[name]

    def _path(self, area: str, portfolio: str, folder: str, file: str) -> UPath | None:
        name = _FILE.fullmatch(file)
        if area not in AREAS or portfolio not in self.portfolios or name is None:
            return None
        if name[1] not in MEDIA_TYPES and (area, file) not in TAKEN_AWAY:
            return None
        try:
            path = self.store.path(area, portfolio, folder, file)
        except ValueError:
            return None
        return path if path.is_file() else None


def open_archive() -> Archive:
    """The installation that the pages show; tests put another in its place."""
    return Archive.open()


def open_workspace() -> Workspace:
    """The installation with its keys, for what changes something; tests put another in its place."""
    return Workspace.open()


ArchiveDep = Annotated[Archive, Depends(open_archive)]
WorkspaceDep = Annotated[Workspace, Depends(open_workspace)]
