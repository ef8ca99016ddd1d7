"""What the stack needs before Airflow starts, and what a reset takes away again."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg2

from fraudops.errors import ConfigurationError, FraudopsError
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.stack.environment import AIRFLOW_DATABASE
from fraudops.stack.folder import StackFolder
from fraudops.stack.postgres import Postgres


def airflow_release() -> str:
    """The installed release of Airflow.

    Raises
    ------
    ConfigurationError
        There is none: the library alone does not bring it.
    """
    try:
        return f"apache-airflow-core {version('apache-airflow-core')}"
    except PackageNotFoundError:
        raise ConfigurationError(
            "Airflow is not installed",
            where=sys.prefix,
            remedy="run 'make install' in a checkout, or install fraudops with its extra: fraudops[airflow]",
        ) from None


class AirflowMigration:
    """``airflow db migrate`` beside our own work: ten seconds, so it is skipped where it has been done.

    Which release has migrated the database is written into the database itself, as its comment: a note
    beside it would outlive a database that somebody deleted.
    """

    def __init__(self, postgres: Postgres, environment: dict[str, str], log: Path) -> None:
        self._postgres = postgres
        self._environment = environment
        self._log = log
        self._release = airflow_release()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def needed(self) -> bool:
        """Whether this release of Airflow has not migrated the database yet."""
        query = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"
        return self._ask(query, AIRFLOW_DATABASE) != self._release

    def forget(self) -> None:
        """Let the next start migrate again: the database was put there by somebody else."""
        self._ask(f"comment on database {AIRFLOW_DATABASE} is null")

    def start(self) -> None:
        """Start the migration."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "db", "migrate"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait for it; at once where it was not started.

        Raises
        ------
        FraudopsError
            It failed; the message holds the end of its log.
        """
        if self._process is None:
            return
        if self._process.wait() != 0:
            end = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
            raise FraudopsError(f"Airflow's database could not be prepared\n{end}", where=str(self._log))
        self._ask(f"comment on database {AIRFLOW_DATABASE} is %s", self._release)

    def _ask(self, statement: str, *arguments: str) -> str | None:
        connection = psycopg2.connect(host=str(self._postgres.socket_folder), user="postgres", dbname=AIRFLOW_DATABASE)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                row = cursor.fetchone() if cursor.description else None
        finally:
            connection.close()
        return None if row is None else row[0]


def generated_files(landing: Path, portfolio: Portfolio, folder: StackFolder) -> list[Path]:
    """Files in a landing folder that the simulator wrote or the demo copied there."""
    found: set[Path] = set()
    demo = json.loads(folder.demo.read_text()).get(portfolio.name, {}) if folder.demo.exists() else {}
    world = landing / "simulation.json"
    if world.exists() or "seed" in demo:
        found.update(landing.glob(world.name))
        for _, source in portfolio.feeds:
            if source.simulator:
                found.update(landing.glob(source.local_pattern.replace("{key}", "*")))
    found.update(landing / name for name in demo.get("copied", []) if (landing / name).exists())
    return sorted(found)


def readable_portfolios(folder: Path) -> list[Portfolio]:
    """The portfolios of a folder, without those whose YAML is wrong: they must not keep us from stopping."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(load_portfolio(path))
        except ConfigurationError:
            continue
    return found
