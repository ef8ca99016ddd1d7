"""Starting, repairing and stopping the local stack: PostgreSQL, the mail sink and Airflow's four components."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from fraudops.database.privileges import APPLICATION
from fraudops.errors import FraudopsError
from fraudops.settings import Settings
from fraudops.stack.client import AirflowClient
from fraudops.stack.environment import (
    AIRFLOW_DATABASE,
    BULK_POOL,
    FRAUDOPS_DATABASE,
    POOL_SLOTS,
    TRAINING_POOL,
    stack_environment,
)
from fraudops.stack.folder import StackFolder
from fraudops.stack.health import AIRFLOW, DATABASE, MAIL, PARTS, SCORING, unwell_parts
from fraudops.stack.patience import Patience, processor_seconds
from fraudops.stack.ports import DEFAULT_PORT, HOST, SCORING_PORT, Ports, any_free, first_free, is_free
from fraudops.stack.postgres import Postgres
from fraudops.stack.preparation import AirflowMigration, airflow_release, generated_files, readable_portfolios
from fraudops.stack.processes import PART_VARIABLE, ProcessRecord, end, is_alive, marked, members, spawn
from fraudops.stack.record import StackRecord, code_digest, read_record
from fraudops.stack.secrets import Secrets, ensure_secrets, read_secrets, write_passwords
from fraudops.stack.watchdog import end_watchdog, start_watchdog
from fraudops.store import Store, formats

Tell = Callable[[str], None]
"""Receives a sentence about what is being done."""

_OTHERS_WORK = 60.0
"""Seconds that ``up`` waits for another command, such as the watchdog's, which is at work on the same stack."""
_RECOVERY = 10.0
"""Seconds that a component which runs but sends no heartbeat gets before it is replaced."""


@dataclass(frozen=True)
class UpResult:
    """What ``up`` did."""

    address: str
    started: tuple[str, ...]
    """Parts that were started; empty where everything ran already."""
    repaired: bool
    """Whether remains of a crash had to be cleared away."""
    seconds: float


@dataclass(frozen=True)
class StackState:
    """What runs at this moment."""

    running: bool
    """Whether every part runs and Airflow is healthy."""
    address: str | None
    parts: dict[str, bool]
    scoring: str | None = None
    """Address of the scoring service, where it runs."""


class Stack:
    """The local stack of one state folder.

    Parameters
    ----------
    settings
        Say where the checkout and the state folder are.
    watched
        A watchdog starts again what dies.
    """

    def __init__(self, settings: Settings, *, watched: bool = True) -> None:
        self.settings = settings
        self.watched = watched
        self.folder = StackFolder.of(settings)
        self.postgres = Postgres(self.folder.root)

    # -- asking ---------------------------------------------------------------------------------------

    @property
    def database_url(self) -> str:
        """URL of our database on the stack's own server, as the application's role."""
        return self.postgres.url(FRAUDOPS_DATABASE, APPLICATION)

    @property
    def database_owner_url(self) -> str:
        """URL of our database as its tables' owner: on the stack's own server, or on the one of the settings."""
        if self.settings.database_url in (None, self.database_url):
            return self.postgres.url(FRAUDOPS_DATABASE)
        return self.settings.require_database_owner_url()

    def state(self) -> StackState:
        """What runs, and whether it is well."""
        record = read_record(self.folder.record)
        if record is None:
            return StackState(running=False, address=None, parts={})
        parts = {DATABASE: self.postgres.pid is not None}
        parts |= {part: part in record.processes and is_alive(record.processes[part]) for part in _expected(record)}
        running = all(parts.values()) and not unwell_parts(record)
        return StackState(
            running,
            record.ports.address if any(parts.values()) else None,
            parts,
            record.ports.scoring_address if parts.get(SCORING) else None,
        )

    def dead(self) -> set[str]:
        """Parts that were started and run no more; none after ``down``."""
        record = read_record(self.folder.record)
        if record is None or not record.processes:
            return set()
        dead = {part for part, process in record.processes.items() if not is_alive(process)}
        return dead if self.postgres.pid is not None else {DATABASE, *dead}

    def unwell(self) -> set[str]:
        """Parts that do not answer, or give no sign of life; none after ``down``."""
        record = read_record(self.folder.record)
        return unwell_parts(record) if record is not None and record.processes else set()

    def login(self, user: str = "admin") -> tuple[str, str]:
        """User and password for the UI.

        Raises
        ------
        FraudopsError
            The stack was never started.
        """
        return user, self._secrets().passwords[user]

    def client(self, user: str = "admin") -> AirflowClient:
        """A session with the stack's Airflow.

        Raises
        ------
        FraudopsError
            The stack was never started.
        """
        record = read_record(self.folder.record)
        if record is None:
            raise FraudopsError("the stack was never started", remedy="start it with 'make up'")
        return AirflowClient(record.ports.address, *self.login(user))

    # -- the database alone -----------------------------------------------------------------------------

    @contextmanager
    def database(self, *, alone: bool) -> Iterator[None]:
        """PostgreSQL with both databases, for as long as it is needed; where it ran before it goes on running.

        Parameters
        ----------
        alone
            Whether nothing else of the stack may run meanwhile, nor be started.

        Raises
        ------
        FraudopsError
            Something of it runs, or another command is starting or stopping the stack.
        """
        with self.folder.lock() if alone or self.postgres.pid is None else nullcontext():
            if alone and any(runs for part, runs in self.state().parts.items() if part != DATABASE):
                raise FraudopsError("the stack runs", where=str(self.folder.root), remedy="stop it with 'make down'")
            ran = self.postgres.pid is not None
            try:
                self.folder.create()
                with marked(self.folder.identity, DATABASE):
                    self.postgres.start()
                self._ensure_databases()
                yield
            finally:
                if not ran:
                    self.postgres.stop()

    # -- up -------------------------------------------------------------------------------------------

    def up(self, tell: Tell, *, port: int | None = None) -> UpResult:
        """Start what does not run; harmless when everything does.

        After an error or an interruption nothing of the stack runs, and the data is as it was.

        Parameters
        ----------
        port
            Port of the UI (default: the last one, else 8080); where it is in use the next free one is taken.

        Raises
        ------
        FraudopsError
            A component does not come up; the message holds the end of its log.
        ConfigurationError
            Airflow is not installed.
        """
        airflow_release()  # asked before anything is written
        with self.folder.lock(patience=_OTHERS_WORK):
            self.folder.create()
            try:
                result = self._up(tell, port)
                if self.watched:
                    start_watchdog(self.settings, self._secrets(), result.address)
                return result
            except BaseException:
                with _uninterrupted():
                    tell("stopping what was started")
                    self._stop()
                raise

    def _up(self, tell: Tell, port: int | None) -> UpResult:
        began = time.monotonic()
        secrets = ensure_secrets(self.folder.secrets)
        write_passwords(self.folder.passwords, secrets.passwords)
        record = read_record(self.folder.record)
        code = code_digest(self.settings.home)
        parts = self._parts()
        kept = self._well(record, port, parts) if record is not None else {}
        if kept and record is not None and record.code != code:
            tell("the code has changed since the stack was started: starting it anew")
            kept = {}
        if record is not None and len(kept) == len(parts):
            self._ensure_pools(record.ports, secrets)
            return UpResult(record.ports.address, (), False, time.monotonic() - began)

        repaired = self._clear_away(kept)
        ports = record.ports if record is not None and kept else self._choose_ports(record, port, tell)
        record = StackRecord(ports=ports, code=code, processes=kept)
        record.write(self.folder.record)
        environment = stack_environment(self.settings, secrets, ports)

        tell("starting PostgreSQL and the mail sink")
        with marked(self.folder.identity, DATABASE):
            self.postgres.start()
        record = self._start(MAIL, record, environment)
        self._prepare_databases(environment, tell)
        tell(f"starting Airflow on {ports.address}")
        for part in AIRFLOW:
            record = self._start(part, record, environment)
        self._wait_until_well(record, tell)
        self._ensure_pools(ports, secrets)
        if SCORING in parts:
            # Last, and nobody waits for it: it loads libraries for seconds, and answers once there is a champion.
            tell(f"starting the scoring service on {ports.scoring_address}")
            self._start(SCORING, record, environment)
        started = tuple(part for part in parts if part not in kept)
        return UpResult(ports.address, started, repaired, time.monotonic() - began)

    def _well(self, record: StackRecord, port: int | None, parts: tuple[str, ...]) -> dict[str, ProcessRecord]:
        """The parts that run and can go on running as they are."""
        if self.postgres.pid is None or port not in (None, record.ports.ui):
            # Without their database they have lost their connections, perhaps their work: start anew.
            return {}
        alive = {part: found for part, found in record.processes.items() if part in parts and is_alive(found)}
        deadline = time.monotonic() + _RECOVERY
        while "api-server" in alive and (unwell := unwell_parts(record) & alive.keys()):
            if time.monotonic() > deadline:
                return {part: found for part, found in alive.items() if part not in unwell}
            time.sleep(0.3)
        return alive

    def _clear_away(self, kept: dict[str, ProcessRecord]) -> bool:
        """End every process of this stack that no part still running accounts for."""
        ended = end(self.folder.identity, [part for part in (*PARTS, SCORING) if part not in kept])
        if not kept:
            # A server whose data folder was deleted under it: it still holds the socket.
            pid = self.postgres.pid
            lost = [p for p in members(self.folder.identity, [DATABASE]) if pid not in (p.pid, p.ppid())]
            if lost:
                ended += end(self.folder.identity, [DATABASE], patience=3)
        return ended > 0

    def _choose_ports(self, record: StackRecord | None, port: int | None, tell: Tell) -> Ports:
        last = record.ports if record is not None else None
        wanted = port or (last.ui if last else DEFAULT_PORT)
        chosen = first_free([wanted, DEFAULT_PORT] if port is None else [wanted])
        if chosen != wanted:
            tell(f"port {wanted} is in use by another program: the UI will be on port {chosen}")
        mail = last.mail if last and is_free(last.mail) else any_free()
        return Ports(ui=chosen, mail=mail, scoring=first_free([last.scoring if last else None, SCORING_PORT]))

    def _prepare_databases(self, environment: dict[str, str], tell: Tell) -> None:
        """Create and migrate Airflow's database and ours at the same time; then the store, if it is an older one."""
        from fraudops.database import migrate  # imported here: `down` and `status` need no Alembic

        self._ensure_databases()
        airflow = AirflowMigration(self.postgres, environment, self.folder.logs / "migrate.log")
        if airflow.needed:
            tell("preparing Airflow's database (the first time only)")
            airflow.start()
        migrate(self.database_owner_url)
        for done in formats.migrate(Store(environment["FRAUDOPS_STORE"]).root):
            tell(f"bringing the store up to date: {done}")
        airflow.wait()

    def _ensure_databases(self) -> None:
        for name in (AIRFLOW_DATABASE, FRAUDOPS_DATABASE):
            self.postgres.ensure_database(name)
        self.postgres.ensure_role(APPLICATION)

    def _start(self, part: str, record: StackRecord, environment: dict[str, str]) -> StackRecord:
        """Start a part unless it runs, and record it at once."""
        if part in record.processes:
            return record
        if part == MAIL:
            arguments = ["-m", "fraudops.stack.mailsink", "--host", HOST, "--port", str(record.ports.mail)]
            arguments += ["--maildir", str(self.folder.maildir)]
        elif part == SCORING:
            arguments = ["-m", "fraudops", "serve", "--host", HOST, "--port", str(record.ports.scoring)]
        else:
            arguments = ["-m", "airflow", *AIRFLOW[part]]
        process = spawn(
            [sys.executable, *arguments],
            environment=environment | {PART_VARIABLE: part},
            log=_fresh_log(self._log(part)),
            folder=self.settings.home,
        )
        record = record.model_copy(update={"processes": record.processes | {part: process}})
        record.write(self.folder.record)
        return record

    def _wait_until_well(self, record: StackRecord, tell: Tell) -> None:
        patience = Patience(time.monotonic())
        while True:
            for part, process in record.processes.items():
                if not is_alive(process):
                    raise self._broken(f"{part} ended while it was starting", part)
            unwell = unwell_parts(record)
            if not unwell:
                return
            now = time.monotonic()
            patience.observe(now, unwell, processor_seconds(process.pid for process in record.processes.values()))
            if why := patience.lost(now):
                part = min(unwell)
                raise self._broken(f"{part} {why}", part)
            if news := patience.news(now):
                tell(news)
            time.sleep(0.2)

    def _ensure_pools(self, ports: Ports, secrets: Secrets) -> None:
        client = AirflowClient(ports.address, "admin", secrets.passwords["admin"])
        slots = max(1, min(POOL_SLOTS, os.cpu_count() or 1))
        client.ensure_pool(TRAINING_POOL, slots, "Training of candidates: never in the way of a day's scoring")
        client.ensure_pool(BULK_POOL, slots, "Scoring by the month: never in the way of a day's scoring")

    # -- down and reset -------------------------------------------------------------------------------

    def down(self) -> int:
        """Stop everything and keep the data; returns how many processes there were."""
        count = end_watchdog(self.folder)
        with self.folder.lock():
            return count + self._stop()

    def reset(self) -> list[str]:
        """Stop everything and delete what it made; returns what was deleted.

        Files that somebody else put into the landing folder stay.
        """
        end_watchdog(self.folder)
        with self.folder.lock():
            self._stop()
            removed = []
            for portfolio in readable_portfolios(self.settings.portfolios):
                files = generated_files(self.settings.landing / portfolio.name, portfolio, self.folder)
                for file in files:
                    file.unlink(missing_ok=True)
                if files:
                    removed.append(f"{len(files)} generated files in {self.settings.landing / portfolio.name}")
            store = Path(self.settings.store)
            if "://" not in self.settings.store and store.is_dir():
                shutil.rmtree(store)
                removed.append(str(store))
            self.postgres.remove()
            shutil.rmtree(self.folder.root)
            removed.append(str(self.folder.root))
            return removed

    def _stop(self) -> int:
        count = end(self.folder.identity, (*PARTS, SCORING))
        if self.postgres.pid is not None:
            self.postgres.stop()
            count += 1
        # What carries our mark and is none of the parts: a server that lost its data folder, a migration.
        count += end(self.folder.identity, patience=3)
        record = read_record(self.folder.record)
        if record is not None:
            StackRecord(ports=record.ports).write(self.folder.record)
        return count

    # -- inside ---------------------------------------------------------------------------------------

    def _secrets(self) -> Secrets:
        found = read_secrets(self.folder.secrets)
        if found is None:
            raise FraudopsError("the stack was never started", remedy="start it with 'make up'")
        return found

    def _parts(self) -> tuple[str, ...]:
        """What is to run."""
        at_once = any(portfolio.serving.enabled for portfolio in readable_portfolios(self.settings.portfolios))
        return (*PARTS, SCORING) if at_once else PARTS

    def _log(self, part: str) -> Path:
        return self.folder.logs / f"{part}.log"

    def _broken(self, what: str, part: str) -> FraudopsError:
        log = self._log(part)
        lines = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
        return FraudopsError("\n".join([what, *lines]), where=str(log), remedy="correct the cause, then 'make up'")


def _expected(record: StackRecord) -> tuple[str, ...]:
    """The parts of a stack: that which is not always among them is where it was started."""
    return (*PARTS, SCORING) if SCORING in record.processes else PARTS


def _fresh_log(log: Path) -> Path:
    """Keep the last start's log beside the new one, and no older."""
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    return log


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold off Ctrl-C: a second one must not leave half a stack behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
