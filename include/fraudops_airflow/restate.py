"""Builds ``<portfolio>_restate``: what would be alerted today for days of the past."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.approval import required_reason
from fraudops_airflow.defaults import TRAINING_POOL, dag_arguments
from fraudops_airflow.steps import say, send_notices_now

DOC = """Say which alerts of the past would be others today, and change nothing.

**Starts** by a person, with the form: days, a model, a reason.

**Does** compute the features of these days from the rows and labels that the store has now, score them with the
model, and compare with what was decided then: alerts that are new, gone, or decided otherwise. It is written beside
the record, under `restated`, and shown under Fraud Ops → Restatements. No alert is raised, none is withdrawn.

**Then** the model owner gets one notice, and the ledger an entry.
"""


def build_restate(portfolio: Portfolio) -> DAG:
    """The DAG; its long task has the pool of the training, so that no day's scoring waits for it."""
    example = portfolio.partitioning.example
    with DAG(
        **dag_arguments(portfolio, "restate", DOC),
        schedule=None,
        max_active_runs=1,
        params={
            "first": Param(
                type="string", minLength=10, title="From", description=f"First partition, such as {example}."
            ),
            "last": Param(type="string", minLength=10, title="To", description=f"Last partition, such as {example}."),
            "model": Param(
                "champion",
                type="string",
                pattern=r"^\s*(champion|v\d{1,9})\s*$",
                title="Model",
                description="'champion': the one in use now; or a version such as v3.",
            ),
            "reason": required_reason(),
        },
    ) as dag:

        @task(pool=TRAINING_POOL, execution_timeout=timedelta(hours=6))
        def restate(params: Any = None) -> dict[str, Any]:
            """Score the days anew, compare with the record, write the difference and its page."""
            from fraudops.decisions.restating import read_restatement, restate
            from fraudops.reports.restatement import write_restatement_page

            from fraudops_airflow.context import open_workspace

            ws = open_workspace()
            found = restate(
                ws,
                portfolio,
                first=params["first"].strip(),
                last=params["last"].strip(),
                model=params["model"].strip(),
                reason=params["reason"],
            )
            page = write_restatement_page(ws, portfolio, *read_restatement(ws, portfolio, found.run))
            return {**found.to_dict(), "page": page}

        @task
        def record(found: dict[str, Any], dag_run: Any = None) -> dict[str, Any]:
            """Enter it into the ledger and queue the one notice; once, however often it runs."""
            from fraudops.decisions.restating import Restatement, conclude

            from fraudops_airflow.context import actor, open_workspace

            ws = open_workspace()
            queued = conclude(ws, portfolio, Restatement.read(ws, portfolio, found["run"]), actor=actor(dag_run))
            say([f"{found['new']} alerts new, {found['gone']} gone, {found['changed']} changed: {found['page']}"])
            return {"queued": queued}

        record(restate()) >> send_notices_now(portfolio)
    return dag
