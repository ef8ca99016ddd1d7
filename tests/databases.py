"""Databases of the tests: tables are made once for a server, and copied, which is ten times as quick."""

from __future__ import annotations

import contextlib
from functools import cache

import psycopg2
from fraudops.database import migrate, open_engine
from fraudops.database.privileges import APPLICATION
from fraudops.stack.postgres import Postgres


def with_tables(postgres: Postgres, name: str) -> str:
    """URL of a new database with all tables, as the application's role: what it may not do fails in the tests too."""
    return copied(postgres, _template(postgres), name)


def copied(postgres: Postgres, template: str, name: str) -> str:
    """URL of a new database that holds what another one does."""
    for role in ("postgres", APPLICATION):
        open_engine(postgres.url(template, role)).dispose()
    with contextlib.closing(psycopg2.connect(host=str(postgres.socket_folder), user="postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(f'create database "{name}" template "{template}" strategy file_copy')
    return postgres.url(name, APPLICATION)


def as_owner(url: str) -> str:
    """The same database, as its owner: who goes around the fences."""
    return url.replace(f"//{APPLICATION}@", "//postgres@")


def drop(postgres: Postgres, name: str) -> None:
    """Remove a database, whoever is connected: three hundred files for each test are minutes of work at the end."""
    open_engine(postgres.url(name)).dispose()
    with contextlib.closing(psycopg2.connect(host=str(postgres.socket_folder), user="postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(f'drop database if exists "{name}" with (force)')


@cache
def _template(postgres: Postgres) -> str:
    """A database that nobody works in."""
    name = "with_tables"
    postgres.ensure_database(name)
    postgres.ensure_role(APPLICATION)
    migrate(postgres.url(name))
    return name
