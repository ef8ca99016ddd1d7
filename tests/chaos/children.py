"""Runs a step in a child of its own, which may be killed: a fork, so that libraries are imported once.

The parent only imports them. Libraries that have run something before a fork can hang the child.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_LIMIT = 120.0
"""Seconds after which a child hangs."""


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes
    ----------
    killed
        By a signal; else ``error`` is empty where it succeeded.
    error
        The last line of its traceback.
    """

    killed: bool
    error: str

    @property
    def is_well(self) -> bool:
        """Whether it did what it was to do."""
        return not self.killed and not self.error


@dataclass(frozen=True)
class Child:
    """A child at work."""

    pid: int
    log: Path

    def kill(self) -> None:
        """End it as the kernel would."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """Wait for its end.

        Raises
        ------
        TimeoutError
            It hangs; it was killed, and its log says where it was.
        """
        deadline = time.monotonic() + _LIMIT
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGABRT)
                os.waitpid(self.pid, 0)
                raise TimeoutError(f"a child hangs\n{self.log.read_text()[-4000:]}")
            time.sleep(0.002)
        lines = self.log.read_text(errors="replace").strip().splitlines()
        failed = os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
        return Ended(os.WIFSIGNALED(status), (lines[-1] if lines else "failed") if failed else "")


def start(work: Callable[[], object], log: Path) -> Child:
    """Fork a child that does the work and ends."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(pid, log)
    status = 1
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(target, 1)
        os.dup2(target, 2)
        faulthandler.enable()
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run(work: Callable[[], object], log: Path) -> None:
    """Let a child do the work; raises ``RuntimeError`` with its log where it could not."""
    ended = start(work, log).wait()
    if not ended.is_well:
        raise RuntimeError(f"{ended.error}\n{log.read_text(errors='replace')[-6000:]}")
