from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from fraudops.stack.processes import (
    PART_VARIABLE,
    STACK_VARIABLE,
    ProcessRecord,
    end,
    is_alive,
    members,
    spawn,
    start_mark,
)

STACK = f"test-{os.getpid()}"
SLEEP = "import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
PARENT = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {DEAF!r}])
{SLEEP}
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str, str], ProcessRecord]]:
    def start(part: str, code: str) -> ProcessRecord:
        environment = {**os.environ, STACK_VARIABLE: STACK, PART_VARIABLE: part}
        return spawn(
            [sys.executable, "-c", code], environment=environment, log=tmp_path / f"{part}.log", folder=tmp_path
        )

    yield start
    end(STACK, patience=0)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_process_is_alive_until_it_ends(start: Callable[[str, str], ProcessRecord]) -> None:
    record = start("a", SLEEP)
    assert is_alive(record)
    os.kill(record.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(record))


def test_another_process_with_the_same_id_is_not_taken_for_it() -> None:
    mark = start_mark(os.getpid())
    assert mark is not None
    assert is_alive(ProcessRecord(pid=os.getpid(), started=mark, at=0))
    assert not is_alive(ProcessRecord(pid=os.getpid(), started="earlier", at=0))
    assert start_mark(2**22 + 1) is None


def test_processes_run_in_sessions_of_their_own(start: Callable[[str, str], ProcessRecord]) -> None:
    record = start("a", SLEEP)
    assert os.getsid(record.pid) == record.pid != os.getsid(0)


def test_orphans_of_a_killed_parent_are_found_and_ended(
    start: Callable[[str, str], ProcessRecord], tmp_path: Path
) -> None:
    record = start("parent", PARENT)
    wait_for(lambda: "deaf" in (tmp_path / "parent.log").read_text())
    os.kill(record.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(record))
    (orphan,) = members(STACK, ["parent"])
    began = time.monotonic()
    assert end(STACK, ["parent"], patience=30) == 1
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert time.monotonic() - began < 5  # deaf to SIGTERM, and nobody waits for it


def test_what_does_not_listen_is_killed(start: Callable[[str, str], ProcessRecord], tmp_path: Path) -> None:
    record = start("deaf", DEAF)
    wait_for(lambda: "deaf" in (tmp_path / "deaf.log").read_text())
    assert end(STACK, patience=0.3) == 1
    assert not is_alive(record)


def test_other_parts_and_other_stacks_are_left_alone(start: Callable[[str, str], ProcessRecord]) -> None:
    first, second = start("a", SLEEP), start("b", SLEEP)
    # A process that has only just begun does not show its environment yet.
    wait_for(lambda: {process.pid for process in members(STACK)} == {first.pid, second.pid})
    assert end(STACK, ["a"]) == 1
    assert end("another stack") == 0
    assert is_alive(second)


def test_this_process_is_never_a_member() -> None:
    code = "from fraudops.stack.processes import members; print(len(members('x')))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, STACK_VARIABLE: "x"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "0\n"
