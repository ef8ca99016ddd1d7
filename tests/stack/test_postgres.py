"""The embedded server when it is killed: what it leaves behind is ended before another one touches the data."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2
import pytest
from fraudops.stack.postgres import Postgres


@pytest.fixture
def server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="fo-pg-") as folder:
        Path(folder).chmod(0o755)
        found = Postgres(Path(folder), durable=False)
        found.start()
        yield found
        found.remove()


def busy(server: Postgres) -> int:
    """Keep a process of the server at work for long; returns its id."""
    connection = psycopg2.connect(host=str(server.socket_folder), user="postgres", dbname="postgres")

    def work() -> None:
        with suppress(psycopg2.Error), connection.cursor() as cursor:
            cursor.execute("select count(*) from generate_series(1, 100000000000)")

    threading.Thread(target=work, daemon=True).start()
    time.sleep(0.3)
    return int(connection.info.backend_pid)


def is_at_work(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_nothing_of_a_killed_server_writes_beside_the_next_one(server: Postgres) -> None:
    worker, postmaster = busy(server), server.pid
    assert postmaster is not None
    os.kill(postmaster, signal.SIGKILL)
    while server.pid is not None:
        time.sleep(0.01)
    # It does not notice that its postmaster is gone.
    assert is_at_work(worker)
    server.start()
    assert not is_at_work(worker)
    assert server.answers()
    assert server.pid != postmaster
