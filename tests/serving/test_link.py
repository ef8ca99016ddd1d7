"""A connection that survives its server, and says when there is none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fraudops.serving.link import DatabaseAwayError, Link
from fraudops.stack.postgres import Postgres
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError


@pytest.fixture
def server() -> Iterator[Postgres]:
    with TemporaryDirectory(prefix="fo-pg-") as folder:
        Path(folder).chmod(0o755)
        made = Postgres(Path(folder), durable=False)
        made.start()
        made.ensure_database("link")
        yield made
        made.remove()


def test_a_restart_of_the_server_is_survived_and_told_once_each_way(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    link = Link(server.url("link"), told.append)
    with link.connection() as connection, connection.begin():
        connection.execute(text("create table t (n int primary key)"))
    server.stop()
    for _ in range(3):
        with pytest.raises(DatabaseAwayError), link.connection() as connection, connection.begin():
            connection.execute(text("select 1"))
    assert (link.there, told) == (False, [False])
    server.start()
    with pytest.raises(DatabaseAwayError, match="a moment ago"), link.connection():
        pass
    later = time.monotonic() + 2
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with link.connection() as connection, connection.begin():
        connection.execute(text("insert into t values (1)"))
    assert (link.there, told) == (True, [False, True])
    # A fault of what is written is no fault of the database, and leaves nothing behind.
    with pytest.raises(IntegrityError), link.connection() as connection, connection.begin():
        connection.execute(text("insert into t values (2), (1)"))
    assert link.there
    with link.connection() as connection, connection.begin():
        assert connection.scalar(text("select count(*) from t")) == 1
        assert connection.scalar(text("show time zone")) == "UTC"
        assert connection.scalar(text("show lock_timeout")) == "3s"
    link.close()


def test_a_lock_that_others_hold_is_not_waited_for_long(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fraudops.serving.link._LIMITS", {"lock_timeout": 50})
    one, two = Link(server.url("link")), Link(server.url("link"))
    with one.connection() as connection, connection.begin():
        connection.execute(text("create table t (n int)"))
    with one.connection() as holds, holds.begin():
        holds.execute(text("lock table t"))
        with pytest.raises(DatabaseAwayError, match="lock timeout"), two.connection() as waits, waits.begin():
            waits.execute(text("select * from t"))
    one.close()
    two.close()
