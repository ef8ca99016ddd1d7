"""Builds ``<portfolio>_watch``: starts ``land`` for whatever arrives in the landing folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, BaseOperator, task
from airflow.sdk.exceptions import AirflowSkipException
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments

DOC = """Notice files that arrive in the landing folder, and have them landed and scored at once.

**Starts** by itself as soon as its last run has ended, while it is switched on.

**Does** wait, without a worker's slot, for a file whose name matches the portfolio's patterns and whose bytes the store
does not know. One that is still growing is waited for. Nothing is moved or deleted.

**Then** `land` starts for it. A file that cannot be used as a whole is told to the data owner, and is not tried again
until its bytes are others. What arrives while this is switched off is found when it is switched on, and by `reconcile`.
"""

_LASTS = timedelta(hours=1)
"""A run that has seen nothing ends after so long, and the next one begins with the configuration of then."""


class WaitForFiles(BaseOperator):
    """Waits in the triggerer until files have arrived; returns their names, which this run is the one to ask for."""

    def __init__(self, *, portfolio: Portfolio, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.portfolio = portfolio

    def execute(self, context: Any) -> None:
        """Find out what is known already, and hand over to the triggerer."""
        from fraudops.intake.watching import done_with, patterns

        from fraudops_airflow.context import open_workspace
        from fraudops_airflow.landing_trigger import LandingTrigger

        ws, watch = open_workspace(), self.portfolio.watch
        known = done_with(ws, self.portfolio, run=context["run_id"])
        trigger = LandingTrigger(
            folder=str(ws.landing / self.portfolio.name),
            patterns=patterns(self.portfolio),
            known={name: list(mark) for name, mark in known.items()},
            every=watch.every.total_seconds(),
            settle=watch.settle.total_seconds(),
            lasts=_LASTS.total_seconds(),
        )
        self.defer(trigger=trigger, method_name="arrived")

    def arrived(self, context: Any, event: dict[str, list[str]]) -> list[str]:
        """The files that have arrived and that nobody has asked for."""
        from fraudops.intake.watching import ask

        from fraudops_airflow.context import open_workspace

        found = ask(open_workspace(), self.portfolio, event["files"], run=context["run_id"])
        if not found:
            raise AirflowSkipException("nothing new has arrived")
        return found


def find_missed_task(portfolio: Portfolio) -> Any:
    """A task that returns the files that are neither landed nor refused; it ends its branch where there are none."""

    @task.short_circuit
    def find_missed(run_id: str | None = None) -> list[str]:
        """What lies in the landing folder and was not landed: it came while nobody watched, or the run was lost."""
        import time

        from fraudops.intake.watching import ask, undone

        from fraudops_airflow.context import open_workspace

        ws = open_workspace()
        before = undone(ws, portfolio)
        if not before:
            return []
        time.sleep(portfolio.watch.settle.total_seconds())
        now = undone(ws, portfolio)
        settled = [name for name, mark in before.items() if now.get(name) == mark]
        return ask(ws, portfolio, settled, run=str(run_id), again=True)

    return find_missed


def land_files(portfolio: Portfolio, task_id: str, found_by: str, run_id: str) -> TriggerDagRunOperator:
    """Start ``land`` for the files that a task has returned; one that cannot be used is set aside."""
    files = "{{ ti.xcom_pull(task_ids='%s') | tojson }}" % found_by  # noqa: UP031 - braces
    conf = json.dumps({"path": "FILES", "set_aside": True}).replace('"FILES"', files)
    return TriggerDagRunOperator(
        task_id=task_id,
        trigger_dag_id=portfolio.dag_id("land"),
        trigger_run_id=run_id,
        conf=conf,  # type: ignore[arg-type]
        skip_when_already_exists=True,
        retries=2,
    )


def build_watch(portfolio: Portfolio) -> DAG:
    """The DAG; one run at a time, one after the other."""
    # Without a start date the first run's interval has no length, the second one would bear the same logical date,
    # and Airflow makes none ("run already exists"). No run is made for the past.
    start = datetime(2000, 1, 1, tzinfo=UTC)
    arguments = {**dag_arguments(portfolio, "watch", DOC), "start_date": start}
    with DAG(**arguments, schedule="@continuous", max_active_runs=1) as dag:
        wait = WaitForFiles(task_id="wait_for_files", portfolio=portfolio)
        wait >> land_files(portfolio, "land", "wait_for_files", "watch__{{ dag_run.run_id }}")
    return dag
