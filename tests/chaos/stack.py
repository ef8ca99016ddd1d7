"""The stack's layer: days flow through Airflow while its processes, the database and the mail sink are killed.

A base is lived once: weeks of history, a champion. From copies of it two lives go on, one after the other on the same
ports: the twin in peace, the other with kills. Nobody repairs anything: the watchdog and Airflow's retries do.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import psutil
import yaml
from fraudops.settings import Settings
from fraudops.stack.client import AirflowClient, ApiError, DagRun
from fraudops.stack.health import DATABASE, MAIL
from fraudops.stack.lifecycle import Stack
from fraudops.stack.processes import members
from fraudops.stack.record import read_record
from fraudops.store import Store

from tests.chaos.outcome import Difference, Outcome, compare, read

CARDS = "cards"
TARGETS = {"task": 6, "scheduler": 2, DATABASE: 2, MAIL: 2, "api-server": 1, "triggerer": 1, "dag-processor": 1}
"""What is killed, and how often beside the others."""

_LAST = date(2026, 4, 14)
_DAYS = 40
_LIMIT = 1_500.0
"""Seconds after which a life does not come to rest any more."""
_SIMULATION = ["--days", str(_DAYS), "--live-days", "1", "--payments-per-day", "300", "--seed", "5"]


@dataclass
class Lives:
    """A base and the lives that go on from it.

    Parameters
    ----------
    root
        A short path.
    days
        Days of each life.
    """

    root: Path
    days: int
    seed: int
    say: Callable[[str], None]
    port: int = 8135
    kills: dict[str, int] = field(default_factory=dict)
    interventions: int = 0
    """Runs that failed for good and were cleared as a person would: none is expected."""

    def run(self, kills: int) -> tuple[Difference, Outcome]:
        """Live both lives; returns how the disturbed one differs, and what came of it."""
        self._portfolios()
        try:
            self._command("up", "--port", str(self.port), state="base")
            self._command("demo", *_SIMULATION, "--end", str(_LAST), state="base", tries=3)
        finally:
            self._command("down", state="base")
        self.say("the base is there")
        twin = self._live("twin", 0)
        self.say("the twin is there")
        found = self._live("life", kills)
        return compare(twin, found), found

    # -- one life ------------------------------------------------------------------------------------------

    def _live(self, name: str, kills: int) -> Outcome:
        shutil.copytree(self.root / "base", self._state(name), symlinks=True)
        _chown_like(self.root / "base", self._state(name))
        # Both lives have one after the other the same addresses, which stand in the notices.
        (self._state(name) / "stack" / "processes.json").unlink(missing_ok=True)
        stack = Stack(self._settings(name))
        os.environ.update(self._environment(name))
        stack.up(self.say, port=self.port)
        over = threading.Event()
        killer = threading.Thread(target=self._kill_now_and_then, args=(stack, kills, over), daemon=True)
        try:
            killer.start()
            for number in range(1, self.days + 1):
                self._ingest(stack, (_LAST + timedelta(days=number)).isoformat())
            over.set()
            killer.join(120)
            for workflow in ("reconcile", "notify"):
                self._finish(stack, f"{CARDS}_{workflow}", f"chaos__{workflow}", None)
            self._wait_for_rest(stack)
            settings = stack.settings
            connection = f"host={stack.postgres.socket_folder} user=postgres dbname=fraudops"
            return read(Path(settings.store), connection, stack.folder.maildir)
        finally:
            over.set()
            stack.down()
            if kills:
                self.say((stack.folder.logs / "watchdog.log").read_text()[-3000:])

    def _ingest(self, stack: Stack, key: str) -> None:
        self._finish(stack, f"{CARDS}_ingest", f"chaos__{key}", key)

    def _finish(self, stack: Stack, dag_id: str, run_id: str, key: str | None) -> None:
        """Start a run and wait until it has succeeded, whatever Airflow answers meanwhile."""
        deadline = time.monotonic() + _LIMIT
        while time.monotonic() < deadline:
            with suppress(ApiError):
                client = stack.client()
                client.set_paused(dag_id, False)
                run = self._run(client, dag_id, run_id, key)
                if run.state == "success":
                    return
                if run.state == "failed":
                    self.say(f"{dag_id} {run_id} failed for good: {client.failure(run)}"[:3000])
                    self.interventions += 1
                    client.clear_failed(run)
            time.sleep(1)
        raise TimeoutError(f"{dag_id} {run_id} does not end")

    def _run(self, client: AirflowClient, dag_id: str, run_id: str, key: str | None) -> DagRun:
        try:
            return client.run(dag_id, run_id)
        except ApiError as error:
            if error.status != 404:
                raise
        return client.trigger(dag_id, run_id=run_id, partition_key=key)

    def _wait_for_rest(self, stack: Stack) -> None:
        """Until every day is scored, every notice sent and no run active, for a while."""
        deadline, quiet = time.monotonic() + _LIMIT, 0
        store = Store(stack.settings.store)
        while quiet < 5:
            if time.monotonic() > deadline:
                raise TimeoutError("the life does not come to rest")
            time.sleep(2)
            scored = set(store.keys("scores", CARDS))
            undone = [key for key in store.keys("transactions", CARDS)[-self.days :] if key not in scored]
            with suppress(ApiError):
                # `watch` always runs: it waits for files.
                runs = stack.client().runs("~", state=["running", "queued"])
                active = [run for run in runs if run.dag_id != f"{CARDS}_watch"]
                failed = [run for run in stack.client().runs("~", state=["failed"]) if run.dag_id != f"{CARDS}_notify"]
                if failed:
                    self.say(f"failed: {', '.join(f'{run.dag_id} {run.run_id}' for run in failed)}")
                    self.interventions += len(failed)
                    for run in failed:
                        stack.client().clear_failed(run)
                quiet = quiet + 1 if not (active or undone or failed) else 0

    # -- kills ---------------------------------------------------------------------------------------------

    def _kill_now_and_then(self, stack: Stack, kills: int, over: threading.Event) -> None:
        chance = random.Random(self.seed)
        done = 0
        while done < kills and not over.wait(chance.uniform(4, 18)):
            target = chance.choices(list(TARGETS), list(TARGETS.values()))[0]
            pid = self._pid_of(stack, target, over)
            if pid is None:
                continue
            number = signal.SIGQUIT if target == DATABASE and done % 2 else signal.SIGKILL
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                done += 1
                self.kills[target] = self.kills.get(target, 0) + 1
                self.say(f"killed {target} ({number.name})")

    def _pid_of(self, stack: Stack, target: str, over: threading.Event) -> int | None:
        if target == DATABASE:
            return stack.postgres.pid
        record = read_record(stack.folder.record)
        process = record.processes.get("scheduler" if target == "task" else target) if record else None
        if process is None or target != "task":
            return process.pid if process else None
        for _ in range(200):
            tasks = [p.pid for p in members(stack.folder.identity, ["scheduler"]) if _is_task(p, process.pid)]
            if tasks or over.is_set():
                return tasks[-1] if tasks else None
            time.sleep(0.05)
        return None

    # -- places --------------------------------------------------------------------------------------------

    def _state(self, name: str) -> Path:
        return self.root / name

    def _environment(self, name: str) -> dict[str, str]:
        home = Settings.from_environment().home
        return {
            "FRAUDOPS_HOME": str(home),
            "FRAUDOPS_STATE": str(self._state(name)),
            "FRAUDOPS_PORTFOLIOS": str(self.root / "portfolios"),
            "PYTHONPATH": str(home / "include"),
        }

    def _settings(self, name: str) -> Settings:
        return Settings.from_environment(self._environment(name))

    def _portfolios(self) -> None:
        """The cards alone, with one small candidate."""
        folder = self.root / "portfolios"
        folder.mkdir()
        content = yaml.safe_load((Settings.from_environment().portfolios / "cards.yaml").read_text())
        content["training"]["candidates"] = {"logistic_regression": {"estimator": "logistic_regression"}}
        content["training"]["minimum_positives"] = 5
        (folder / "cards.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    def _command(self, *arguments: str, state: str, tries: int = 1) -> None:
        """One of our commands; on a busy machine the demo may run out of patience, and goes on when asked again."""
        for _ in range(tries):
            result = subprocess.run(
                [sys.executable, "-m", "fraudops", *arguments],
                env=os.environ | self._environment(state),
                capture_output=True,
                text=True,
                check=False,
            )
            if not result.returncode:
                return
        raise RuntimeError(f"fraudops {' '.join(arguments)}: {result.stdout[-3000:]}{result.stderr[-3000:]}")


def _is_task(process: psutil.Process, scheduler: int) -> bool:
    """Whether a process is one that runs a task: below one of the scheduler's workers."""
    try:
        return process.pid != scheduler and process.ppid() != scheduler and process.parent() is not None
    except psutil.Error:
        return False


def _chown_like(source: Path, target: Path) -> None:
    """The database's files belong to another user where we are root."""
    for path in (source, *source.rglob("*")):
        state = path.lstat()
        os.chown(target / path.relative_to(source), state.st_uid, state.st_gid, follow_symlinks=False)
