"""Builds ``<portfolio>_score``: features, scores, decisions, alerts and notices of one partition."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task, task_group
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments, key_mapper, scores_asset, transactions_asset
from fraudops_airflow.steps import say, send_notices_now

DOC = """Score every transaction of a partition, decide, raise alerts, queue notices.

**Starts** by itself when `ingest` has published the partition, or by a person with the partition's key (Advanced
options).

**Does** compute the point-in-time features; score with the champion that was in force at the partition's end;
decide allow, review or block; raise an alert for each review and block, with reasons; gather them into cases; put
notices for compliance into the outbox. While there is no champion the partition stays pending, and the promotion
scores it. Where a challenger runs in the shadow, what it would have decided is recorded after the alerts; nothing acts
on that, and its failure fails nothing.

A re-run gives the same bytes, raises no second alert and queues no second notice.
"""


def build_score(portfolio: Portfolio) -> DAG:
    """The DAG; one run per published partition."""
    transactions, scores = transactions_asset(portfolio), scores_asset(portfolio)
    with DAG(
        **dag_arguments(portfolio, "score", DOC),
        schedule=PartitionedAssetTimetable(
            assets=transactions,
            # The identity mapper would take any text for a key.
            default_partition_mapper=key_mapper(portfolio.partitioning),
        ),
        max_active_runs=2,
    ) as dag:
        # One task from the features to the alerts: starting another one costs as much as raising a day's alerts.
        @task.short_circuit(outlets=[scores])
        def score(
            dag_run: Any = None, triggering_asset_events: Any = None, outlet_events: Any = None
        ) -> dict[str, Any] | None:
            """Features up to each transaction and not beyond; probability and decision for each; alerts with reasons,
            cases, notices; then the shadow's turn. Ends the run where there is nothing to send."""
            from fraudops_airflow.context import (
                BACKFILLED,
                actor,
                is_backfilled,
                open_workspace_of,
                requested_partition,
            )
            from fraudops_airflow.steps import score_and_alert

            key, ws = requested_partition(portfolio, dag_run, None), open_workspace_of(portfolio, dag_run)
            outlet_events[scores].extra = {BACKFILLED: is_backfilled(dag_run, triggering_asset_events)}
            found = score_and_alert(ws, portfolio, [key], actor(dag_run))
            say([found])
            return found if found["notices"] else None

        @task_group
        def alert(scored: Any) -> None:
            """Whom the alerts concern is told."""
            scored >> send_notices_now(portfolio)

        alert(score())
    return dag
