"""Builds ``<portfolio>_reconcile``: asks the store what is not yet done, and does it."""

from __future__ import annotations

from airflow.sdk import DAG, CronTriggerTimetable, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import score_chunk_task, send_notices_now

DOC = """Find partitions that were published but not scored, or scored from inputs that have changed since.

**Starts** each day, and by a person at any time.

**Does** score them. Airflow loses events of a DAG that is paused; the store does not: this is how a paused day is
caught up.
"""


def build_reconcile(portfolio: Portfolio) -> DAG:
    """The DAG; the store is the record of what there is to do."""
    schedule = CronTriggerTimetable("30 4 * * *", timezone="UTC") if portfolio.scheduled else None
    with DAG(**dag_arguments(portfolio, "reconcile", DOC), schedule=schedule, max_active_runs=1) as dag:

        @task
        def find_undone() -> list[list[str]]:
            """Partitions whose score is missing or stale."""
            from fraudops.decisions.pending import partition_states

            from fraudops_airflow.context import open_workspace
            from fraudops_airflow.defaults import chunks

            states = partition_states(open_workspace(), portfolio)
            return chunks([key for key, state in states.items() if state in ("pending", "stale")])

        score_chunk_task(portfolio, "score").expand(keys=find_undone()) >> send_notices_now(portfolio)
    return dag
