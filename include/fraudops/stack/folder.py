"""Where the local stack keeps its things: one folder, ``<state>/stack``."""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fraudops.errors import FraudopsError
from fraudops.settings import Settings


@dataclass(frozen=True)
class StackFolder:
    """Paths below the stack's folder.

    Parameters
    ----------
    root
        ``<state>/stack``, absolute: the processes run in another working directory.
    """

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> StackFolder:
        """The folder that belongs to the settings' state folder."""
        return cls(settings.state.absolute() / "stack")

    @property
    def identity(self) -> str:
        """Digest of the path. Every process of the stack carries it in its environment, so that a process
        is found again even when the record of it is lost."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:16]

    @property
    def secrets(self) -> Path:
        """Keys and passwords, readable by the owner alone."""
        return self.root / "secrets.json"

    @property
    def passwords(self) -> Path:
        """User → password, in the form in which Airflow reads it."""
        return self.root / "airflow" / "passwords.json"

    @property
    def record(self) -> Path:
        """Which processes were started, and on which ports."""
        return self.root / "processes.json"

    @property
    def demo(self) -> Path:
        """What ``fraudops demo`` was last run with."""
        return self.root / "demo.json"

    @property
    def logs(self) -> Path:
        """A log per process, and Airflow's task logs."""
        return self.root / "logs"

    @property
    def airflow_home(self) -> Path:
        """``AIRFLOW_HOME``."""
        return self.root / "airflow"

    @property
    def maildir(self) -> Path:
        """The e-mails that the sink received."""
        return self.root / "mail"

    @property
    def bytecode(self) -> Path:
        """Compiled Python, where the caller does not want it beside the sources."""
        return self.root / "bytecode"

    def create(self) -> None:
        """Make the folders; what may hold names, keys or e-mails is for the owner alone."""
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.logs, self.airflow_home, self.maildir):
            folder.mkdir(exist_ok=True, mode=0o700)

    @contextmanager
    def lock(self, patience: float = 0.0) -> Iterator[None]:
        """Keep a second ``up`` or ``down`` out while one is at work.

        Parameters
        ----------
        patience
            Seconds to wait for the other one.

        Raises
        ------
        FraudopsError
            Another one is at work.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + patience
        with (self.root / "lock").open("w") as file:
            while not _locked(file):
                if time.monotonic() >= deadline:
                    raise FraudopsError(
                        "another command is starting or stopping this stack",
                        where=str(self.root),
                        remedy="wait for it to end, then try again",
                    )
                time.sleep(0.2)
            yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
