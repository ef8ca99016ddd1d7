"""One consistent look into a PostgreSQL database that is not ours: read only, bounded in time.

Messages never repeat what the server says of values, since that quotes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from fraudops.errors import ConfigurationError, ContractError, FraudopsError
from fraudops.intake.fetching.access import Access
from fraudops.portfolio import Source

STATEMENT_TIMEOUT = timedelta(minutes=30)
"""Longest time that the database may take for one statement, and for one batch of rows."""
_CONNECT_SECONDS = 15
_PART_OF_NAME = re.compile(r'"(?:[^"]|"")+"|[^."]+')


@contextmanager
def snapshot(source: Source, access: Access) -> Iterator[Connection]:
    """A connection that sees the database as it is now until it is closed, and can write nothing.

    Raises
    ------
    ContractError
        The login is refused, or what the source names is not there or may not be read.
    FraudopsError
        The database cannot be reached, or took too long; trying again may help.
    """
    if access.url is None:
        raise ConfigurationError(
            "nobody said which database it is",
            where=f"source {source.name!r}",
            remedy="give its access with a SQLAlchemy URL",
        )
    url = make_url(access.url)
    if url.get_backend_name() != "postgresql":
        raise ConfigurationError(
            f"{url.get_backend_name()!r} is not PostgreSQL",
            where=f"connection {source.connection!r}",
            remedy="name a connection of type Postgres",
        )
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        # A query that ends the transaction to start another does not get out of it either.
        connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "fraudops"}
        | ({} if "options" in url.query else {"options": "-c default_transaction_read_only=on"}),
    )
    with explained(source), engine.connect() as connection:
        connection = connection.execution_options(postgresql_readonly=True)
        milliseconds = int(STATEMENT_TIMEOUT.total_seconds() * 1000)
        for setting in (f"statement_timeout = {milliseconds}", "datestyle = 'ISO, YMD'", "timezone = 'UTC'"):
            connection.exec_driver_sql(f"SET LOCAL {setting}")
        yield connection


@contextmanager
def explained(source: Source) -> Iterator[None]:
    """Turn the database's complaints into errors that say what to do."""
    try:
        yield
    except DBAPIError as error:
        # Not chained: the driver's own text may quote a value.
        raise _explanation(error, source) from None
    except (UnicodeDecodeError, OverflowError):
        raise ContractError(
            "a value cannot be read: most likely a text that is not UTF-8",
            where=where_of(source),
            remedy="correct it there, or convert the column in a query",
        ) from None


def where_of(source: Source) -> str:
    """What a message calls a source."""
    return f"source {source.name!r} ({source.table or 'query'} over connection {source.connection!r})"


def relation(source: Source) -> str:
    """What rows are selected from, called ``source``: the table's quoted name, or the query in brackets."""
    if source.query is not None:
        query = source.query.strip().rstrip(";")
        return f"(\n{query}\n) AS source".replace("%", "%%")
    parts = _PART_OF_NAME.findall(source.table or "")
    name = ".".join(part.replace("%", "%%") if part.startswith('"') else quoted(part) for part in parts)
    return f"{name} AS source"


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever signs it has; for statements that are executed with parameters."""
    escaped = name.replace('"', '""').replace("%", "%%")
    return f'"{escaped}"'


_REFUSED = {
    "42P01": ("there is no such table", "correct the table's name (with its schema) in the portfolio's YAML"),
    "3F000": ("there is no such schema", "correct the table's name in the portfolio's YAML"),
    "42501": ("the connection's user may not read it", "GRANT SELECT on it, and USAGE on its schema"),
    "25006": ("the query wants to write", "give a query that only reads"),
}
_CLASSES = {
    "42": ("the query is not one that PostgreSQL understands", "correct the query; the database says: "),
    "22": ("a value does not fit where the query puts it", "look at the conversions in the query"),
}


def _explanation(error: DBAPIError, source: Source) -> FraudopsError:
    where, cause = where_of(source), error.orig
    code = str(getattr(cause, "pgcode", None) or "")
    if code in _REFUSED:
        what, remedy = _REFUSED[code]
        return ContractError(what, where=where, remedy=remedy)
    if code == "57014":
        minutes = int(STATEMENT_TIMEOUT.total_seconds() // 60)
        return FraudopsError(
            f"the database took more than {minutes} minutes, or the statement was cancelled",
            where=where,
            remedy="put an index on the column of the time and of the watermark",
        )
    if code[:2] in _CLASSES:
        what, remedy = _CLASSES[code[:2]]
        said = _message(cause) if code.startswith("42") else ""
        return ContractError(what, where=where, remedy=f"{remedy}{said}")
    refused = re.search(r"authentication failed|does not exist|no pg_hba|no password|not permitted", str(cause))
    if not code and refused:
        return ContractError(
            f"the database refuses the login: {refused[0]}",
            where=where,
            remedy="check user, password and database of the connection",
        )
    return FraudopsError(
        f"the database cannot be reached or broke off ({code or type(cause).__name__})",
        where=where,
        remedy="check host and port of the connection; trying again may help",
    )


def _message(cause: Any) -> str:
    """What PostgreSQL says of a statement (names and positions; class 42 quotes no rows)."""
    return str(getattr(getattr(cause, "diag", None), "message_primary", None) or "no more")
