"""Builds ``<portfolio>_score``: features, scores, decisions, alerts and notices of one partition."""

from __future__ import annotations

from typing import Any

from airflow.sdk import (
    DAG,
    PartitionedAssetTimetable,
    task,
    task_group,
)
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments, key_mapper, scores_asset, transactions_asset
from fraudops_airflow.steps import send_notices_now

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

        @task(outlets=[scores])
        def score(
            dag_run: Any = None, triggering_asset_events: Any = None, outlet_events: Any = None
        ) -> dict[str, Any]:
            """Features up to each transaction and not beyond; probability of fraud and decision for every one."""
            from fraudops.decisions.scoring import score
            from fraudops.features import build

            from fraudops_airflow.context import BACKFILLED, is_backfilled, open_workspace_of, requested_partition

            key, ws = requested_partition(portfolio, dag_run, None), open_workspace_of(portfolio, dag_run)
            outlet_events[scores].extra = {BACKFILLED: is_backfilled(dag_run, triggering_asset_events)}
            build(ws, portfolio, [key])
            return score(ws, portfolio, key).to_dict()

        @task_group
        def alert(scored: Any) -> None:
            """Alerts for people, notices for compliance."""

            @task.short_circuit
            def raise_alerts(scored: dict[str, Any], dag_run: Any = None) -> dict[str, Any] | None:
                """An alert, with reasons, per review and block; cases; notices; then the shadow's turn."""
                from fraudops.cases import gather
                from fraudops.decisions.alerts import raise_alerts

                from fraudops_airflow.context import actor, open_workspace
                from fraudops_airflow.steps import score_shadow_beside

                if scored["state"] not in ("scored", "unchanged"):
                    return None
                ws = open_workspace()
                result = raise_alerts(ws, portfolio, scored["key"], actor=actor(dag_run))
                gather(ws, portfolio, scored["key"], actor=actor(dag_run))
                # What a challenger would have decided: nothing acts on it, and it can fail nobody.
                shadow = score_shadow_beside(ws, portfolio, [scored["key"]])
                return {**result.to_dict(), "shadow": shadow} if result.notices else None

            raise_alerts(scored) >> send_notices_now(portfolio)

        alert(score())
    return dag
