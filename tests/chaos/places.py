"""The places of a life: a store, a database, a mail sink; and how they are put back to what they were."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from fraudops.database.privileges import APPLICATION
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace

from tests.chaos.outcome import Outcome, read

_ROOM = 256 << 20
"""Bytes of the small disk when it is not full."""


@dataclass
class Sink:
    """The mail sink, which is killed and started again on its port."""

    maildir: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "fraudops.stack.mailsink", "--host", "127.0.0.1"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--maildir", str(self.maildir)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.02)
        raise TimeoutError("the mail sink does not start")

    def kill(self) -> None:
        """End it as the kernel would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def empty(self) -> None:
        """Forget what was delivered."""
        for name in ("new", "cur", "tmp"):
            for path in (self.maildir / name).glob("*"):
                path.unlink()


@dataclass
class Places:
    """Where the lives are lived, below one folder.

    Parameters
    ----------
    root
        A short path that PostgreSQL's user can enter.
    """

    root: Path
    postgres: Postgres = field(init=False)
    sink: Sink = field(init=False)
    small_disk: Path | None = None
    """Where a file system of limited size is mounted; None where that is not allowed."""

    def __post_init__(self) -> None:
        self.postgres = Postgres(self.root / "pg", durable=False)
        self.sink = Sink(self.root / "mail")

    def open(self) -> None:
        """Start the server and the sink."""
        self.root.chmod(0o755)
        (self.root / "pg").mkdir()
        self.postgres.start()
        # A kill is no power failure: what the kernel has is safe. But a commit that was confirmed must be there.
        self.postgres.ensure_role(APPLICATION)
        for role in ("postgres", APPLICATION):
            self._sql(f"alter role {role} set synchronous_commit = on")
        self.sink.start()
        disk = self.root / "disk"
        disk.mkdir()
        mounted = shutil.which("mount") and _run("mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "none", str(disk))
        self.small_disk = disk if mounted else None

    def close(self) -> None:
        """End both, and take the file system away."""
        self.sink.kill()
        self.postgres.remove()
        if self.small_disk is not None:
            _run("umount", "-l", str(self.small_disk))

    # -- snapshots ---------------------------------------------------------------------------------------

    def store(self, name: str) -> Path:
        """Folder of a life's store."""
        return self.root / "stores" / name

    def workspace(self, name: str, store: Path | None = None) -> Workspace:
        """The workspace of a life; opens nothing."""
        return Workspace(
            store=Store(store or self.store(name)),
            landing=self.root / "landing",
            database_url=self.postgres.url(name, APPLICATION),
            token_key=b"t" * 32,
            ledger_key=b"l" * 32,
        )

    def outcome(self, name: str, store: Path | None = None) -> Outcome:
        """What came of a life."""
        socket_folder = self.postgres.socket_folder
        return read(store or self.store(name), f"host={socket_folder} user=postgres dbname={name}", self.sink.maildir)

    def copy(self, source: str, target: str, *, folder: Path | None = None) -> None:
        """Make a life that begins where another one stands; one of that name is forgotten."""
        self.drop(target)
        self._sql(f'create database "{target}" template "{source}"')
        # A sequence is copied with the values that it may give without writing them down: a server that dies before
        # the next checkpoint gives them again.
        self._sql("checkpoint")
        if folder is None:
            # Nothing in a store is changed in place, so a link is as good as a copy.
            shutil.copytree(self.store(source), self.store(target), copy_function=os.link)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.store(source), folder)

    def drop(self, name: str) -> None:
        """Forget a life."""
        self._sql(f'drop database if exists "{name}" with (force)')
        shutil.rmtree(self.store(name), ignore_errors=True)

    def _sql(self, statement: str) -> None:
        connection = psycopg2.connect(host=str(self.postgres.socket_folder), user="postgres", dbname="postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    # -- what is broken ----------------------------------------------------------------------------------

    def break_database(self, *, at_once: bool) -> None:
        """Kill the postmaster, or stop it without asking anybody (``at_once``)."""
        pid = self.postgres.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGQUIT if at_once else signal.SIGKILL)
        while self.postgres.pid is not None:
            time.sleep(0.01)

    def fill_disk(self) -> None:
        """Leave no room on the small disk."""
        if self.small_disk is None:
            raise RuntimeError("there is no small disk")
        with suppress(OSError), (self.small_disk / "filler").open("wb") as file:
            while True:
                file.write(b"\0" * (1 << 20))
                file.flush()

    def free_disk(self) -> None:
        """Make room again."""
        if self.small_disk is not None:
            (self.small_disk / "filler").unlink(missing_ok=True)

    def protect_disk(self, *, read_only: bool) -> None:
        """Make the small disk read-only, or writable again."""
        if not _run("mount", "-o", f"remount,{'ro' if read_only else 'rw'}", str(self.small_disk)):
            raise RuntimeError("the small disk cannot be mounted anew")


def _run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
