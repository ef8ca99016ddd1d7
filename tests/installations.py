"""Installations that a process of tests makes once, and copies for each test that works in one."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace

from tests.databases import copied, drop, with_tables

KEYS = {"token_key": b"t" * 32, "ledger_key": b"l" * 32, "protection_key": b"p" * 32}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Template:
    """An installation in which nobody works any more, because its copies have to be equal."""

    postgres: Postgres
    folder: Path
    database: str

    @classmethod
    def made(cls, postgres: Postgres, folder: Path, fill: Callable[[Workspace], object]) -> Template:
        """Make one by the steps that make a real one."""
        database = f"template_{os.getpid()}_{next(_numbers)}"
        fill(workspace_in(folder, with_tables(postgres, database)))
        return cls(postgres, folder, database)

    @contextmanager
    def copy(self, folder: Path) -> Iterator[Workspace]:
        """An installation of a test's own; its database goes with the test."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        own = f"{self.database}_{next(_numbers)}"
        yield workspace_in(folder, copied(self.postgres, self.database, own))
        drop(self.postgres, own)


def workspace_in(folder: Path, database_url: str) -> Workspace:
    """Store, landing folder and keys below a folder, as the fixture ``workspace`` has them."""
    landing = folder / "landing"
    landing.mkdir(exist_ok=True)
    return Workspace(store=Store(folder / "store"), landing=landing, database_url=database_url, **KEYS)
