"""Engines and transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from fraudops.errors import ConfigurationError


@lru_cache(maxsize=8)
def open_engine(url: str) -> Engine:
    """The process's engine for a database; connections are checked before use, so a restart is survived.

    Raises
    ------
    ConfigurationError
        The URL is not one of PostgreSQL.
    """
    if not url.startswith("postgresql"):
        raise ConfigurationError(
            f"{url.split(':', 1)[0]!r} is not PostgreSQL",
            where="FRAUDOPS_DATABASE_URL",
            remedy="use a URL that starts with postgresql+psycopg2://",
        )
    return create_engine(url, pool_pre_ping=True, pool_size=2, max_overflow=4)


@contextmanager
def transaction(url: str) -> Iterator[Session]:
    """A session whose work commits at the end, all of it or none."""
    with Session(open_engine(url), expire_on_commit=False) as session, session.begin():
        yield session
