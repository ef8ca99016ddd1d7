"""Builds ``<portfolio>_retain``: removes what is older than its retention."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import say

DOC = """Remove records that are older than the portfolio's `retention`, except what is under a legal hold.

**Starts** each day, and by a person; like every DAG it does nothing until somebody turns it on.

**Does** say what is due, then remove it: the ledger is told before and after, with digests. What was removed is not
landed, computed or scored again. `fraudops retain --dry-run` shows the same list. Also deletes files that no manifest
refers to, a day after they were written.
"""


def build_retain(portfolio: Portfolio) -> DAG:
    """The DAG: what is due, and its removal."""
    with DAG(
        **dag_arguments(portfolio, "retain", DOC),
        schedule=CronTriggerTimetable("15 5 * * *", timezone="UTC") if portfolio.scheduled else None,
        max_active_runs=1,
        params={
            "dry_run": Param(False, type="boolean", description="Say what would be removed, and remove nothing."),
        },
    ) as dag:

        @task.short_circuit
        def find_due(params: Any = None, dag_run: Any = None) -> bool:
            """What is older than its retention and not held; a dry run ends here."""
            from fraudops.keeping.retain import due, total_bytes

            from fraudops_airflow.context import open_workspace

            items = due(open_workspace(), portfolio, dag_run.run_after)
            say(f"{item.area} {item.name}: {item.rows:,} rows, {item.bytes:,} bytes" for item in items)
            say([f"due in all: {len(items):,}, {total_bytes(items):,} bytes"])
            return not params["dry_run"]

        @task
        def remove(dag_run: Any = None) -> dict[str, Any]:
            """Complete what an interrupted run announced, then remove what is due, then what nothing refers to."""
            from fraudops.keeping.retain import retain

            from fraudops_airflow.context import actor, open_workspace

            return retain(open_workspace(), portfolio, now=dag_run.run_after, actor=actor(dag_run)).to_dict()

        find_due() >> remove()
    return dag
