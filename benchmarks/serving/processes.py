"""The processes of the measurement: a database, a server on one core, and clients on another."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fraudops.stack.postgres import Postgres

from benchmarks.processes import CHECKOUT, MeasurementFailedError

HOST = "127.0.0.1"
_STARTING = 180.0


@contextmanager
def installation(folder: Path) -> Iterator[dict[str, str]]:
    """An empty installation with a database that survives power failures; its environment."""
    folder.chmod(0o755)
    postgres = Postgres(folder / "pg", durable=True)
    (folder / "pg").mkdir(mode=0o755)
    postgres.start()
    try:
        postgres.ensure_database("serving")
        state = folder / "state"
        (state / "landing").mkdir(parents=True)
        keys = {f"FRAUDOPS_{name}_KEY": os.urandom(32).hex() for name in ("TOKEN", "LEDGER", "PROTECTION")}
        places = {"FRAUDOPS_STATE": str(state), "FRAUDOPS_DATABASE_URL": postgres.url("serving")}
        yield {**os.environ, **keys, **places, "OMP_NUM_THREADS": "1"}
    finally:
        postgres.remove()


def run(environment: Mapping[str, str], *arguments: object, core: int | None = None) -> str:
    """Run ``python -m arguments`` to its end; what it printed."""
    command = [*_on(core), sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, env={**environment}, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementFailedError(f"{' '.join(command[-4:])}: {done.stderr[-500:]}")
    return done.stdout


@contextmanager
def server(environment: Mapping[str, str], port: int, ready: str, *arguments: object) -> Iterator[int]:
    """``python -m arguments`` on the first core, once it answers at the path ``ready``; its process id."""
    command = [*_on(0), sys.executable, "-m", *map(str, arguments)]
    process = subprocess.Popen(
        command, env={**environment}, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, f"http://{HOST}:{port}{ready}")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def load(environment: Mapping[str, str], port: int, bodies: Path, **options: object) -> dict[str, Any]:
    """Figures of :mod:`benchmarks.serving.load`, which runs on the last core."""
    given = [text for name, value in options.items() for text in (f"--{name}", value)]
    last = (os.cpu_count() or 1) - 1
    said = run(environment, "benchmarks.serving.load", f"http://{HOST}:{port}/v1/score", bodies, *given, core=last)
    return dict(json.loads(said.splitlines()[0]))


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """What a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _on(core: int | None) -> list[str]:
    if core is None or not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        return []
    return ["taskset", "-c", str(core)]


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + _STARTING
    while time.monotonic() < end:
        if process.poll() is not None:
            raise MeasurementFailedError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError as error:
            if error.code == 405:  # there is a server; it does not answer this way
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise MeasurementFailedError(f"{url} did not answer within {_STARTING:.0f} s")
