"""Builds ``<portfolio>_monitor``: whether the champion still sees what it was trained on, and how well it does."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, PartitionedAssetTimetable, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments, key_mapper, scores_asset
from fraudops_airflow.steps import follow_monitoring, monitored

DOC = """Measure a scored partition, settle those whose labels have matured, derive the status, tell and retrain.

**Starts** by itself when `score` has scored the partition, or by a person with the partition's key (Advanced options).

**Does** add the partition's histograms and counts to those of the days before; compares the last days with what the
champion was trained and gated on, against what chance alone would show; measures performance on the days whose labels
were known by then, and estimates it for the others. The status (ok, watch, act) changes only when several partitions
agree, and is the same whatever order they come in.

**Then**, where the status is another one than people were last told, a notice goes to model owner and data owner. `act`
starts `train`, from the newest partition only, once for each champion and week, and never from a backfill.
"""


def build_monitor(portfolio: Portfolio) -> DAG:
    """The DAG; one task does the work, since a day costs less than starting another."""
    with DAG(
        **dag_arguments(portfolio, "monitor", DOC),
        schedule=PartitionedAssetTimetable(
            assets=scores_asset(portfolio),
            default_partition_mapper=key_mapper(portfolio.partitioning),
        ),
        # Two at once would look at days that the other is about to write.
        max_active_runs=1,
    ) as dag:

        @task.branch
        def monitor(dag_run: Any = None, ti: Any = None, triggering_asset_events: Any = None) -> list[str] | None:
            """Measure, settle, look; says whether there is somebody to tell, or something to train."""
            from fraudops.monitoring.watch import monitor

            from fraudops_airflow.context import is_backfilled, open_workspace, requested_partition

            key = requested_partition(portfolio, dag_run, None)
            quiet = is_backfilled(dag_run, triggering_asset_events)
            return monitored(ti, monitor(open_workspace(), portfolio, [key], may_retrain=not quiet))

        monitor() >> follow_monitoring(portfolio, "monitor")
    return dag
