"""Builds ``<portfolio>_comply``: runs the rules of law and policy over a published partition."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments, key_mapper, transactions_asset
from fraudops_airflow.steps import comply_with, send_notices_now

DOC = """Run the rules in force on the partition's day, keep what they find with all that explains it, and tell of it.

**Starts** by itself when `ingest` has published the partition, or by a person with the partition's key (Advanced
options).

**Does** compare the partition, and the days before it, with each rule's numbers of that day, by the customers, watch
lists, holidays and rates that were known at its end. In a backfill too each day has its own law.

**Then** a digest goes to compliance: how many hits of which rule, and nobody's name. A re-run raises no hit twice.
fraudops files nothing by itself.
"""


def build_comply(portfolio: Portfolio) -> DAG:
    """The DAG; one run per published partition."""
    with DAG(
        **dag_arguments(portfolio, "comply", DOC),
        schedule=PartitionedAssetTimetable(
            assets=transactions_asset(portfolio),
            default_partition_mapper=key_mapper(portfolio.partitioning),
        ),
        max_active_runs=1,
    ) as dag:

        @task.short_circuit
        def comply(dag_run: Any = None) -> dict[str, Any] | None:
            """Run the rules, keep their hits, put a digest into the outbox; ends the run where there is none."""
            from fraudops_airflow.context import actor, open_workspace_of, requested_partition

            key = requested_partition(portfolio, dag_run, None)
            found = comply_with(open_workspace_of(portfolio, dag_run), portfolio, [key], actor(dag_run))
            return found if found["notices"] else None

        comply() >> send_notices_now(portfolio)
    return dag
