"""Databases to files and back, with PostgreSQL's own ``pg_dump`` and ``pg_restore``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import make_url, text

from fraudops.database import open_engine
from fraudops.errors import FraudopsError
from fraudops.stack.postgres import binaries

_EMPTY = """
do $$ declare item record; begin
    for item in select tablename from pg_tables where schemaname = 'public' loop
        execute format('drop table if exists public.%I cascade', item.tablename);
    end loop;
    for item in select p.oid::regprocedure as signature from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and not exists (
            select from pg_depend d where d.objid = p.oid and d.deptype = 'e') loop
        execute format('drop routine if exists %s cascade', item.signature);
    end loop;
    for item in select sequencename from pg_sequences where schemaname = 'public' loop
        execute format('drop sequence if exists public.%I cascade', item.sequencename);
    end loop;
    for item in select typname from pg_type t join pg_namespace n on n.oid = t.typnamespace
        where n.nspname = 'public' and t.typtype = 'e' loop
        execute format('drop type if exists public.%I cascade', item.typname);
    end loop;
end $$
"""


def dump(url: str, path: Path) -> None:
    """Write a database to a file, as it was at one moment: what is done meanwhile is not in it.

    Raises
    ------
    FraudopsError
        ``pg_dump`` is not there, or could not do it.
    """
    _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")


def load(url: str, path: Path) -> None:
    """Put a file's content in the place of everything in a database: all of it or nothing.

    Raises
    ------
    FraudopsError
        ``pg_restore`` is not there, or could not do it: the database is then empty.
    """
    empty(url)
    _run(url, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(path))


def empty(url: str) -> None:
    """Drop everything in the schema ``public`` of a database."""
    with open_engine(url).begin() as connection:
        connection.execute(text(_EMPTY))


def _run(url: str, program: str, *arguments: str) -> None:
    parts = make_url(url)
    host = parts.query.get("host") or parts.host or "127.0.0.1"
    # By the environment and not as arguments: those everybody on the machine can read.
    environment = {
        **os.environ,
        "PGHOST": str(host),
        "PGPORT": str(parts.port or 5432),
        "PGUSER": parts.username or "postgres",
        **({"PGPASSWORD": str(parts.password)} if parts.password else {}),
        **({"PGSSLMODE": str(parts.query["sslmode"])} if "sslmode" in parts.query else {}),
    }
    result = subprocess.run(
        [_program(program), f"--dbname={parts.database}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        raise FraudopsError(
            f"{program} failed: {result.stderr.strip()[-600:]}",
            where=f"database {parts.database}",
            remedy="its version must not be older than the server's; put another one first on PATH",
        )


def _program(name: str) -> str:
    """The program of the embedded PostgreSQL, or else the one on PATH."""
    try:
        inside = binaries() / name
    except FraudopsError:
        inside = None
    if inside is not None and inside.exists():
        return str(inside)
    found = shutil.which(name)
    if found is None:
        raise FraudopsError(f"there is no {name}", where="PATH", remedy="install PostgreSQL's client programs")
    return found
