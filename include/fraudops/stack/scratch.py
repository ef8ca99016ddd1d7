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
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from fraudops.database import migrate
from fraudops.database.session import open_engine
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace

T = TypeVar("T")
_DATABASE = "fraudops"


@contextmanager
def scratch_workspace() -> Iterator[Workspace]:
    """An empty workspace in a temporary folder: store, landing folder, embedded PostgreSQL, fresh keys.

    At the end the server is stopped and everything is deleted. Works as root too, where the server runs as
    ``nobody``.

    Raises
    ------
    FraudopsError
        PostgreSQL does not start; the message names its log.
    """
    with tempfile.TemporaryDirectory(prefix="fraudops-", ignore_cleanup_errors=True) as folder, ExitStack() as ending:
        root = Path(folder)
        # As root the server runs as somebody else, who has to get through; only `files` holds data of ours.
        root.chmod(0o711)
        files = root / "files"
        files.mkdir(mode=0o700)
        # Nobody misses this database after a power failure.
        server = Postgres(root, durable=False)
        ending.callback(server.remove)
        server.start()
        server.ensure_database(_DATABASE)
        url = server.url(_DATABASE)
        migrate(url)
        ending.callback(lambda: open_engine(url).dispose())
        landing = files / "landing"
        landing.mkdir()
        yield Workspace(
            store=Store(files / "store"),
            landing=landing,
            database_url=url,
            token_key=secrets.token_bytes(32),
            ledger_key=secrets.token_bytes(32),
        )


def until_exit(resource: AbstractContextManager[T]) -> T:
    """Enter a context and leave it when the process ends (in a notebook: when the kernel is shut down)."""
    ending = ExitStack()
    entered = ending.enter_context(resource)
    atexit.register(ending.close)
    return entered
