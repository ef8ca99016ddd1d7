"""An installation for an hour: for a notebook, an example or a trial, without Airflow and without a server.

::

    with scratch_workspace() as ws:
        land(ws, portfolio, find_files(ws, portfolio))

In a notebook, whose cells cannot share a ``with``, the same until the kernel ends::

    ws = until_exit(scratch_workspace())
"""

from __future__ import annotations

import atexit
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from fraudops.database import migrate
from fraudops.database.privileges import APPLICATION
from fraudops.database.session import open_engine
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace

T = TypeVar("T")
_DATABASE = "fraudops"
_JANITOR = """
cat >/dev/null
running="$1/data/postmaster.pid"
pid=$(head -n 1 "$running" 2>/dev/null) && kill -INT "$pid"
tries=0
while [ -e "$running" ] && [ $tries -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
rm -rf "$@"
"""
"""Waits until nobody holds the other end of its standard input any more, then stops the server named by the first
folder, and deletes all folders. A kernel that is shut down has two seconds to end, one that is killed has none:
neither is enough to delete some thousand files."""


@contextmanager
def scratch_workspace() -> Iterator[Workspace]:
    """An empty workspace in a temporary folder: store, landing folder, embedded PostgreSQL, fresh keys.

    At the end, even where the process is killed, the server is stopped and everything is deleted. Works as root
    too, where the server runs as ``nobody``.

    Raises
    ------
    FraudopsError
        PostgreSQL does not start; the message names its log.
    """
    root = Path(tempfile.mkdtemp(prefix="fraudops-"))
    # As root the server runs as somebody else, who has to get through; only `files` holds data of ours.
    root.chmod(0o711)
    # Nobody misses this database after a power failure.
    server = Postgres(root, durable=False)
    with _cleaned_up(server.home, server.socket_folder, root), ExitStack() as ending:
        files = root / "files"
        files.mkdir(mode=0o700)
        ending.callback(server.stop)
        server.start()
        server.ensure_database(_DATABASE)
        server.ensure_role(APPLICATION)
        migrate(server.url(_DATABASE))
        url = server.url(_DATABASE, APPLICATION)
        ending.callback(lambda: open_engine(url).dispose())
        open_engine(server.url(_DATABASE)).dispose()
        landing = files / "landing"
        landing.mkdir()
        yield Workspace(
            store=Store(files / "store"),
            landing=landing,
            database_url=url,
            token_key=secrets.token_bytes(32),
            ledger_key=secrets.token_bytes(32),
            protection_key=secrets.token_bytes(32),
        )


@contextmanager
def _cleaned_up(*folders: Path) -> Iterator[None]:
    """Delete folders at the end of the block or of the process, whichever comes first, and however it comes."""
    janitor = subprocess.Popen(
        ["sh", "-c", _JANITOR, "fraudops-janitor", *map(str, folders)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        janitor.communicate()


def until_exit(resource: AbstractContextManager[T]) -> T:
    """Enter a context and leave it when the process ends (in a notebook: when the kernel is shut down)."""
    ending = ExitStack()
    entered = ending.enter_context(resource)
    atexit.register(ending.close)
    return entered
