"""A scratch workspace is a whole installation, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from fraudops.database import LedgerEntry
from fraudops.ledger import verify
from fraudops.stack.scratch import scratch_workspace, until_exit
from sqlalchemy import select

CHECKOUT = Path(__file__).resolve().parents[2]


def ends(pid: int, patience: float = 20) -> bool:
    """Whether a process ends; one that ended and was not yet asked for its status (a zombie) has."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def vanishes(path: Path, patience: float = 20) -> bool:
    deadline = time.monotonic() + patience
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not path.exists()


def test_store_and_ledger_work() -> None:
    with scratch_workspace() as ws:
        ws.store.write("transactions", "cards", "2026-11-10", pa.table({"amount": [1.0, 2.0]}), config="c")
        assert ws.store.keys("transactions", "cards") == ["2026-11-10"]
        assert list(ws.landing.iterdir()) == []
        with ws.transaction() as session:
            ws.record(session, portfolio="cards", actor="somebody", action="tried", subject="cards/scratch")
        with ws.transaction() as session:
            assert list(verify(session, ws.ledger_key)) == []
            assert session.scalars(select(LedgerEntry.action)).all() == ["tried"]


def test_each_has_keys_of_its_own() -> None:
    with scratch_workspace() as first, scratch_workspace() as second:
        assert first.database_url != second.database_url
        assert len({first.token_key, first.ledger_key, second.token_key, second.ledger_key}) == 4


def test_only_its_owner_can_read_what_lies_in_it() -> None:
    with scratch_workspace() as ws:
        assert ws.landing.parent.stat().st_mode & 0o077 == 0
        assert Path(ws.store.root).parent == ws.landing.parent


def test_server_and_files_are_gone_afterwards_even_after_an_error() -> None:
    with pytest.raises(KeyError), scratch_workspace() as ws:  # noqa: PT012
        root = ws.landing.parents[1]
        pid = int((root / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        assert psutil.pid_exists(pid)
        raise KeyError("anything")
    assert ends(pid)
    assert not root.exists()
    assert not Path(ws.database_url.split("host=")[1]).exists()


def test_nothing_stays_where_the_process_is_killed() -> None:
    code = """
import os, signal
from fraudops.stack.scratch import scratch_workspace
with scratch_workspace() as ws:
    root = ws.landing.parents[1]
    print(root, (root / "postgres/data/postmaster.pid").read_text().split()[0], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "include")}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert found.returncode == -signal.SIGKILL
    root, pid = found.stdout.split()
    assert ends(int(pid))
    assert vanishes(Path(root))


def test_until_exit_keeps_it_until_the_process_ends() -> None:
    code = """
from fraudops.stack.scratch import scratch_workspace, until_exit
ws = until_exit(scratch_workspace())
with ws.transaction():
    print(ws.landing.parents[1], (ws.landing.parents[1] / "postgres/data/postmaster.pid").read_text().split()[0])
"""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "include")}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    root, pid = found.stdout.split()
    assert not Path(root).exists()
    assert ends(int(pid))


def test_until_exit_gives_what_the_context_gives(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        assert until_exit(file) is file
        assert not file.closed
