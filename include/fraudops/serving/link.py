"""The service's connection to the database, and whether there is one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool

log = logging.getLogger(__name__)

_PAUSE = 1.0
"""Seconds for which a database that was away is not asked again."""
_LIMITS = {"lock_timeout": 3_000, "statement_timeout": 5_000, "idle_in_transaction_session_timeout": 10_000}
"""Milliseconds. A request is answered without the database rather than late."""
_CONNECTING = 2
"""Seconds for making a connection."""


class DatabaseAwayError(Exception):
    """There is no database now."""


class Link:
    """One connection that is kept, and made again when it was lost; for one thread.

    Parameters
    ----------
    url
        Of the database.
    changed
        Is told whenever the database goes away or comes back.
    """

    def __init__(self, url: str, changed: Callable[[bool], None] = lambda there: None) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in _LIMITS.items())
        self._engine = create_engine(
            url, poolclass=NullPool, connect_args={"connect_timeout": _CONNECTING, "options": options}
        )
        event.listen(self._engine, "connect", _as_utc)
        self._connection: Connection | None = None
        self._changed = changed
        self._not_before = 0.0
        self.there = True
        """What the last attempt has shown."""

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The connection, not in a transaction; who uses it begins, commits and rolls back.

        Raises
        ------
        DatabaseAwayError
            It could not be had, or was lost. Where it was lost while a transaction was committing, nobody knows
            whether it did: who tries again must be able to find its own work there.
        """
        connection = self._connected()
        try:
            yield connection
        except (OperationalError, InterfaceError) as error:
            self._lost(error)
            raise DatabaseAwayError(_said(error)) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                self._lost(error)
                raise DatabaseAwayError(_said(error)) from error
            raise
        self._found()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()

    def _connected(self) -> Connection:
        if self._connection is not None and not self._connection.closed and not self._connection.invalidated:
            return self._connection
        if time.monotonic() < self._not_before:
            raise DatabaseAwayError("it was away a moment ago")
        try:
            self._connection = self._engine.connect()
        except (OperationalError, InterfaceError) as error:
            self._lost(error)
            raise DatabaseAwayError(_said(error)) from error
        return self._connection

    def _lost(self, error: DBAPIError) -> None:
        self._not_before = time.monotonic() + _PAUSE
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        if self.there:
            log.warning("The database is away: %s", _said(error))
            self.there = False
            self._changed(False)

    def _found(self) -> None:
        if not self.there:
            log.warning("The database is back")
            self.there = True
            self._changed(True)


def _said(error: DBAPIError) -> str:
    """What the driver said, without the statement and its parameters, which hold rows."""
    lines = str(error.orig).strip().splitlines()
    return f"{type(error.orig).__name__}: {lines[0] if lines else ''}"


def _as_utc(connection: object, record: object) -> None:
    del record
    with connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("set time zone 'UTC'")
