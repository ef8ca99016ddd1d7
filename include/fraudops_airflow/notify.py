"""Builds ``<portfolio>_notify``: sends what waits in the outbox."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.email import NoticeEmailOperator

DOC = """Send the notices that wait in the outbox, one e-mail task each, in order.

**Starts** after `score` has queued something, and every ten minutes in case anything was left.

**Does** send over the Airflow connection `smtp_default`. Every attempt at one notice bears the same Message-ID. A
server that is away fails the task, which is tried again; the notice waits. What is sent stays sent: running this
again sends nothing twice.
"""
_AT_ONCE = 100


def build_notify(portfolio: Portfolio) -> DAG:
    """The DAG; one mapped e-mail task per waiting notice."""
    with DAG(
        **dag_arguments(portfolio, "notify", DOC),
        schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
        max_active_runs=1,
    ) as dag:

        @task
        def find_waiting() -> list[int]:
            """Numbers of the notices that wait; among them alarms over altered model files, alerts of the past."""
            from fraudops.decisions.historic import tell_historic
            from fraudops.notices.outbox import waiting
            from fraudops.registry.integrity import raise_alarms

            from fraudops_airflow.context import open_workspace

            ws = open_workspace()
            # Whichever step tripped over the file has failed and could not tell: the ledger knows.
            raise_alarms(ws, portfolio)
            tell_historic(ws, portfolio)
            return waiting(ws, limit=_AT_ONCE, portfolio=portfolio.name)

        NoticeEmailOperator.partial(
            task_id="send",
            map_index_template="notice {{ task.notice_id }}",
            portfolio=portfolio.name,
            execution_timeout=timedelta(minutes=5),
            max_active_tis_per_dag=2,
        ).expand(notice_id=find_waiting())
    return dag
