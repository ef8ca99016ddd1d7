"""Builds ``<portfolio>_verify``: whether what is kept is still what was written."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import say

DOC = """Check that nobody has altered the record: the ledger's chain and signatures, every manifest of the store
against the ledger, data files against their manifests, models against the database.

**Starts** each day, and by a person at any time.

**Does** read. Where something is not what was written, compliance and the data owner get a notice, and the run fails.
Where the ledger is unaltered its signed head goes into the store, and once a week by mail to compliance. Each day one
in thirty partitions is read whole; `thorough` reads all of them.
"""


def build_verify(portfolio: Portfolio) -> DAG:
    """The DAG; one task that looks at everything."""
    with DAG(
        **dag_arguments(portfolio, "verify", DOC),
        schedule=CronTriggerTimetable("45 5 * * *", timezone="UTC") if portfolio.scheduled else None,
        max_active_runs=1,
        params={
            "thorough": Param(False, type="boolean", description="Read every data file, not one in thirty."),
        },
    ) as dag:

        @task
        def verify(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
            """Compare; where something was altered, tell people and fail."""
            from fraudops.errors import IntegrityError
            from fraudops.keeping.verification import verify_and_tell

            from fraudops_airflow.context import open_workspace

            ws = open_workspace()
            found = verify_and_tell(ws, portfolio, now=dag_run.run_after, thorough=params["thorough"])
            say([*found.findings, found.sentence])
            if found.findings:
                raise IntegrityError(
                    f"{len(found.findings)} findings, the first: {found.findings[0]}",
                    where=portfolio.name,
                    remedy="find out what happened before anything is overwritten; compliance has been told",
                )
            return found.to_dict()

        verify()
    return dag
