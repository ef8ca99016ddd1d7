"""Builds ``<portfolio>_clocks``: tells people of review deadlines before they are over."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import say, send_notices_now

DOC = """Look at every review deadline, and tell those who need to know of those that are near or over.

**Starts** each day, and by a person at any time.

**Does** put one notice of all deadlines that have come nearer into the outbox, for `notices.need_to_know`. What people
were told of once they are not told of again, but for a deadline that is over: of that each day. Days on which this did
not run are made up for by the next run.
"""


def build_clocks(portfolio: Portfolio) -> DAG:
    """The DAG; one task that looks at all of them, and e-mails where there is something to tell."""
    with DAG(
        **dag_arguments(portfolio, "clocks", DOC),
        schedule=CronTriggerTimetable("15 6 * * *", timezone="UTC") if portfolio.scheduled else None,
        max_active_runs=1,
    ) as dag:

        @task.short_circuit
        def look_at_deadlines(dag_run: Any = None) -> dict[str, Any] | None:
            """Compare today with each deadline; ends the run where there is nothing new to tell."""
            from fraudops.filings.definition import read_clocks
            from fraudops.filings.warning import look_at_clocks
            from fraudops.settings import Settings

            from fraudops_airflow.context import actor, open_workspace

            clocks = read_clocks(Settings.from_environment().clocks)
            found = look_at_clocks(open_workspace(), portfolio, clocks, dag_run.run_after, actor=actor(dag_run))
            say([f"review deadlines to tell of: {found.told}"])
            return found.to_dict() if found.notices else None

        look_at_deadlines() >> send_notices_now(portfolio)
    return dag
