"""Builds ``<portfolio>_ingest``: one partition, from the landing folder to published transactions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, CronPartitionTimetable, Param, task, task_group
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments, transactions_asset
from fraudops_airflow.steps import follow_up_changes, reconcile_now, say

DOC = """Land, tokenise and validate one partition, then publish it.

**Starts** by itself when a day is over, in a backfill (Trigger → Backfill, over any range), or by a person
who gives the partition in the form.

**Does** fetch what lies in a bucket, on a server or in a database; collect what was scored at once; read the
partition's files; replace card
numbers by keyed tokens; keep every rejected row in quarantine with its file, line and reason; check the partition
with Great Expectations. What fails stays unpublished: nothing downstream sees it, and the data owner is written to.

**Then** `score` starts by itself for the published partition. Running a day again changes nothing unless its
files have changed. Where they have, or the day comes late, the data owner is told what changed, and `reconcile`
starts for the later days that were scored from what was there before.
"""


def build_ingest(portfolio: Portfolio) -> DAG:
    """The DAG; its runs carry a partition key, or take one from the form."""
    partitioning = portfolio.partitioning
    asset = transactions_asset(portfolio)
    arguments = dag_arguments(portfolio, "ingest", DOC)
    if not portfolio.scheduled:
        # A file of the past: no run comes by itself, keyed runs and backfills work.
        arguments |= {"start_date": datetime(2000, 1, 1, tzinfo=UTC), "end_date": datetime(2000, 1, 2, tzinfo=UTC)}

    with DAG(
        **arguments,
        schedule=CronPartitionTimetable(
            partitioning.cron, timezone="UTC", run_offset=-1, key_format=partitioning.key_format
        ),
        # In the order of time, whoever asks for many days at once: features look at the days before.
        max_active_runs=1,
        params={
            "partition": Param(
                None,
                type=["null", "string"],
                title="Partition",
                description=f"Which one to ingest, such as {partitioning.example} (UTC). "
                "Leave empty where the run has a partition key already.",
            )
        },
    ) as dag:

        @task
        def land(dag_run: Any = None, params: Any = None) -> dict[str, Any]:
            """Fetch the partition and read it: tokens for card numbers, quarantine for what cannot be used."""
            from fraudops.intake.collecting import collected
            from fraudops.intake.fetching import fetch, land_all
            from fraudops.intake.files import find_files

            from fraudops_airflow.context import open_workspace_of, requested_partition
            from fraudops_airflow.sources import access_to

            key = requested_partition(portfolio, dag_run, params)
            ws = open_workspace_of(portfolio, dag_run)
            fetched = fetch(ws, portfolio, access_to, first=key, last=key)
            with collected(ws, portfolio, [key]):
                files = find_files(ws, portfolio, key, read=fetched.read)
                result = land_all(ws, portfolio, files, first=key, last=key)
            say([*fetched.notes, *result.notes, *result.changes])
            return {"key": key, "fetched": fetched.notes, **result.to_dict()}

        @task_group
        def validate(landed: Any) -> Any:
            """Great Expectations, then publication: one task, since a day's check costs less than starting another."""

            @task.short_circuit(outlets=[asset])
            def check_and_publish(
                landed: dict[str, Any], dag_run: Any = None, outlet_events: Any = None
            ) -> dict[str, Any] | None:
                """Compare the partition with its contract and with earlier ones; make it visible; tell what changed."""
                from fraudops.errors import ContractError
                from fraudops.intake.validation import publish, validate
                from fraudops.notices.messages import validation_failure

                from fraudops_airflow.context import BACKFILLED, actor, is_backfilled, open_workspace

                ws, key = open_workspace(), landed["key"]
                outcome = validate(ws, portfolio, key)
                if not outcome.passed:
                    with ws.transaction() as session:
                        validation_failure(session, ws, portfolio, key, outcome.failures, outcome.report)
                    raise ContractError(
                        f"validation failed: {'; '.join(outcome.failures)}",
                        where=f"{portfolio.name} {key}",
                        remedy=f"read {outcome.report}, correct the file, run the day again",
                    )
                backfilled = is_backfilled(dag_run, None)
                outlet_events[asset].extra = {BACKFILLED: backfilled}
                publish(ws, portfolio, key, actor=actor(dag_run), backfilled=backfilled)
                if not dag_run.partition_key:
                    outlet_events[asset].add_partitions([key])
                return follow_up_changes(ws, portfolio, landed)

            return check_and_publish(landed)

        validate(land()) >> reconcile_now(portfolio)
    return dag
