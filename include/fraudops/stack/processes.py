"""Starting processes that outlive us, finding them again, and ending them without leaving any behind.

A process is known by its id *and* the moment it started, because ids are given out again. Beside that, every
process of a stack carries two variables in its environment: which stack it belongs to, and which part of it.
Children inherit them, so the orphans of a part that was killed are found too, whatever session they are in.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from fraudops.errors import FraudopsError

STACK_VARIABLE = "FRAUDOPS_STACK"
PART_VARIABLE = "FRAUDOPS_STACK_PART"

_children: list[subprocess.Popen[bytes]] = []
"""Processes started by this one: kept so that those that end are reaped."""


class ProcessRecord(BaseModel):
    """A process that was started."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: str
    """When it started, in a form that survives changes of the clock; see :func:`start_mark`."""
    at: float
    """When it started, Unix time in seconds (for people and for heartbeats)."""


def start_mark(pid: int) -> str | None:
    """A text that differs between two processes which had the same id; None where there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        try:
            return f"{psutil.Process(pid).create_time():.1f}"
        except psutil.NoSuchProcess:
            return None
    # Field 22, counted after the name, which may itself hold spaces and brackets.
    return f"{boot}:{stat.rpartition(')')[2].split()[19]}"


def is_alive(record: ProcessRecord) -> bool:
    """Whether that very process still runs (a zombie does not)."""
    _reap()
    if start_mark(record.pid) != record.started:
        return False
    try:
        return psutil.Process(record.pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def spawn(command: Sequence[str], *, environment: Mapping[str, str], log: Path, folder: Path) -> ProcessRecord:
    """Start a process in a session of its own; its output is appended to a log.

    Parameters
    ----------
    environment
        Its whole environment, the two variables of this module included.
    folder
        Its working directory.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    _children.append(process)
    return ProcessRecord(pid=process.pid, started=start_mark(process.pid) or "", at=time.time())


@contextmanager
def marked(stack: str, part: str) -> Iterator[None]:
    """Let processes that are started within inherit the mark by which they are found again."""
    os.environ.update({STACK_VARIABLE: stack, PART_VARIABLE: part})
    try:
        yield
    finally:
        del os.environ[STACK_VARIABLE], os.environ[PART_VARIABLE]


def members(stack: str, parts: Iterable[str] | None = None) -> list[psutil.Process]:
    """Every living process that belongs to a stack (or to some of its parts), except this one."""
    _reap()
    wanted = None if parts is None else set(parts)
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            environment = process.environ()
            if environment.get(STACK_VARIABLE) != stack or process.status() == psutil.STATUS_ZOMBIE:
                continue
        except (psutil.Error, OSError):
            continue
        if wanted is None or environment.get(PART_VARIABLE) in wanted:
            found.append(process)
    return found


def end(stack: str, parts: Iterable[str] | None = None, *, patience: float = 12) -> int:
    """End every process of a stack (or of some of its parts); returns how many there were.

    They are asked first, and killed after ``patience`` seconds: a scheduler that waits for a long task, and
    workers whose parent was killed, do not end by themselves.

    Raises
    ------
    FraudopsError
        One survived even that.
    """
    wanted = None if parts is None else tuple(parts)
    count = 0
    asked: set[int] = set()
    deadline = time.monotonic() + patience
    while processes := members(stack, wanted):
        late = time.monotonic() > deadline
        if time.monotonic() > deadline + 10:
            raise FraudopsError(
                "processes cannot be killed",
                where=", ".join(str(process.pid) for process in processes),
                remedy="they may hang in the kernel (a lost network disk); look at them with 'ps'",
            )
        for process in processes:
            if late or process.pid not in asked:
                count += process.pid not in asked
                asked.add(process.pid)
                _signal(process, signal.SIGKILL if late or _is_orphan(process) else signal.SIGTERM)
        time.sleep(0.1)
    return count


def _is_orphan(process: psutil.Process) -> bool:
    """Whether the leader of its session is gone: LocalExecutor's workers then wait for ever, deaf to SIGTERM."""
    try:
        leader = os.getsid(process.pid)
    except ProcessLookupError:
        return False
    return leader != process.pid and not psutil.pid_exists(leader)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _reap() -> None:
    _children[:] = [process for process in _children if process.poll() is None]
