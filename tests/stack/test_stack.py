"""The stack for real: started, killed in part, repaired, stopped, in a folder with a space in its name."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from fraudops.errors import FraudopsError
from fraudops.settings import Settings
from fraudops.stack.client import AirflowClient
from fraudops.stack.health import PARTS, SCORING
from fraudops.stack.lifecycle import Stack
from fraudops.stack.preparation import AirflowMigration
from fraudops.stack.processes import is_alive, members
from fraudops.stack.record import StackRecord, read_record

pytestmark = pytest.mark.stack

CHECKOUT = Path(__file__).resolve().parents[2]
MEMORY_BUDGET = 2 * 1024**3
"""Bytes (PSS) of the idle stack; the demo's tasks come on top."""


def settings_below(folder: Path) -> Settings:
    """An installation without DAGs and plugins: what starts is the stack alone."""
    home = folder / "a checkout"
    for name in ("dags", "plugins", "include"):
        (home / name).mkdir(parents=True)
    return Settings.from_environment(
        {
            "FRAUDOPS_HOME": str(home),
            "FRAUDOPS_STATE": str(folder / "the state"),
            "FRAUDOPS_PORTFOLIOS": str(CHECKOUT / "include" / "portfolios"),
        }
    )


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT / "include"))
    found = Stack(settings_below(tmp_path), watched=False)
    yield found
    found.down()
    found.postgres.remove()


def listening(stack: Stack) -> set[tuple[str, str, int]]:
    """Part, address and port of every socket on which a process of the stack accepts connections."""
    found = set()
    for process in members(stack.folder.identity):
        for connection in process.net_connections(kind="inet"):
            if connection.status == psutil.CONN_LISTEN:
                part = process.environ()["FRAUDOPS_STACK_PART"]
                found.add((part, connection.laddr.ip, connection.laddr.port))
    return found


def memory(stack: Stack) -> int:
    """Bytes (PSS) of all processes, PostgreSQL's children included."""
    roots = members(stack.folder.identity)
    processes = {p.pid: p for root in roots for p in (root, *root.children(recursive=True))}
    return sum(process.memory_full_info().pss for process in processes.values())


def record_of(stack: Stack) -> StackRecord:
    record = read_record(stack.folder.record)
    assert record is not None
    return record


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_up_crash_repair_down(stack: Stack) -> None:
    told: list[str] = []
    port = free_port()
    first = stack.up(told.append, port=port)
    assert set(first.started) == {*PARTS, SCORING}
    assert first.address == f"http://127.0.0.1:{port}"
    assert not first.repaired
    state = stack.state()
    assert state.running, state

    # The users have the roles they should; the passwords are the ones we show.
    client = stack.client()
    assert client.dag_ids() == set()
    assert [pool["slots"] for pool in client.pages("/pools", "pools") if pool["name"] == "fraudops_training"]
    assert stack.client("analyst").dag_ids() == set()
    with pytest.raises(FraudopsError, match="Invalid credentials"):
        AirflowClient(first.address, "admin", "admin").dag_ids()

    # Nothing listens beyond this machine.
    sockets = listening(stack)
    assert {part for part, _, _ in sockets} == {"api-server", "mail-sink"}
    assert {address for _, address, _ in sockets} == {"127.0.0.1"}
    assert memory(stack) < MEMORY_BUDGET

    # A second start changes nothing.
    before = record_of(stack)
    again = stack.up(told.append)
    assert again.started == ()
    assert record_of(stack) == before

    # A crash: the scheduler is killed, its workers are orphans. The others go on.
    killed = before.processes["scheduler"]
    workers = [p for p in members(stack.folder.identity, ["scheduler"]) if p.pid != killed.pid]
    assert workers
    os.kill(killed.pid, signal.SIGKILL)
    while is_alive(killed):
        time.sleep(0.05)
    assert not stack.state().running
    repaired = stack.up(told.append)
    assert repaired.repaired
    assert repaired.started == ("scheduler",)
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    after = record_of(stack).processes
    assert {part for part in PARTS if after[part] != before.processes[part]} == {"scheduler"}
    assert stack.state().running

    # New code: the scheduler holds the old one in memory, so all of them are started anew. The second start is
    # quicker, keeps the port and the passwords.
    (stack.settings.home / "include" / "new.py").write_text("NEW = True\n")
    login = stack.login()
    second = stack.up(told.append)
    assert set(second.started) == {*PARTS, SCORING}
    assert second.address == first.address
    assert second.seconds < first.seconds
    assert stack.login() == login
    assert "the code has changed since the stack was started: starting it anew" in told

    # With a watchdog nobody has to do anything: the mail sink and the database are killed, and come back.
    watched = Stack(stack.settings)
    assert watched.up(told.append).started == ()
    (watchdog,) = members(stack.folder.identity, ["watchdog"])
    sink = record_of(stack).processes["mail-sink"]
    postmaster = stack.postgres.pid
    assert postmaster is not None
    for pid in (sink.pid, postmaster):
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 240
    while not (stack.postgres.pid not in (None, postmaster) and stack.state().running):
        assert time.monotonic() < deadline, (stack.folder.logs / "watchdog.log").read_text()
        time.sleep(0.5)
    assert record_of(stack).processes["mail-sink"] != sink
    assert [process.pid for process in members(stack.folder.identity, ["watchdog"])] == [watchdog.pid]
    assert "postgres" in (stack.folder.logs / "watchdog.log").read_text()

    # Down: nothing is left, the data is.
    everything = members(stack.folder.identity)
    assert stack.down() > len(PARTS)
    assert members(stack.folder.identity) == []
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in everything)
    assert stack.postgres.pid is None
    assert (stack.postgres.data / "PG_VERSION").exists()
    assert stack.down() == 0
    assert not stack.state().running

    # The port of the last start is taken by now, and a plugin is broken: both are told, and nothing is left running.
    (stack.settings.home / "plugins" / "bad.py").write_text("import sys\nsys.exit('this plugin is broken')\n")
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        with pytest.raises(FraudopsError, match="ended while it was starting") as error:
            stack.up(told.append)
    assert any(f"port {port} is in use by another program: the UI will be on port" in sentence for sentence in told)
    assert "this plugin is broken" in str(error.value)
    assert members(stack.folder.identity) == []
    assert stack.postgres.pid is None
    assert stack.login() == login

    # Reset: nothing is left at all.
    removed = stack.reset()
    assert str(stack.folder.root) in removed
    assert not stack.folder.root.exists()
    assert members(stack.folder.identity) == []


def test_an_interruption_leaves_nothing_behind(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = AirflowMigration.wait

    def wait_and_be_interrupted(migration: AirflowMigration) -> None:
        # Not earlier: an interrupt that arrives while Python collects garbage is lost, and our own migrations make much
        # of that. Airflow's takes longer everywhere.
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        wait(migration)

    monkeypatch.setattr(AirflowMigration, "wait", wait_and_be_interrupted)
    # A process that a shell has started in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            stack.up(lambda sentence: None, port=free_port())
    finally:
        signal.signal(signal.SIGINT, before)
    assert members(stack.folder.identity) == []
    assert stack.postgres.pid is None
