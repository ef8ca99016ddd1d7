"""Builds ``<portfolio>_report``: the monthly pack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    MonthWindow,
    Param,
    PartitionedAssetTimetable,
    PokeReturnValue,
    RollupMapper,
    StartOfMonthMapper,
    task,
)
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import BULK_POOL, dag_arguments, scores_asset
from fraudops_airflow.steps import say, send_notices_now

DOC = """Make the month's pack: a page, a PDF and a table, kept in the store and sent to compliance.

**Starts** by itself when every day of the month is scored; by `reconcile`, where that was missed, or where a partition
has not come for longer than the portfolio's `monthly.wait`; or by a person, with the month as the partition's key
(Advanced options) or in the form.

**Does** wait, without a worker slot, until the month's partitions are published, scored, monitored and looked through
by the rules; then say what is known of it at its end. A pack is made once: whoever runs it again gets the same bytes,
and no second mail. With `as_of`, a later day, another edition is made beside it, with the labels known by then.

**Then** its mail goes out, with the pack attached.
"""
_DAY = 24


def build_report(portfolio: Portfolio) -> DAG:
    """The DAG; days of a month are counted by Airflow, other partitions by `reconcile`."""
    with DAG(
        **dag_arguments(portfolio, "report", DOC),
        schedule=_when_complete(portfolio),
        max_active_runs=2,
        params={
            "month": Param("", type="string", pattern=r"^\s*(\d{4}-\d{2})?\s*$", title="Month",
                           description="Such as 2026-03; empty where the run has a partition key."),
            "as_of": Param("", type="string", pattern=r"^\s*(\d{4}-\d{2}-\d{2})?\s*$", title="As of",
                           description="Restated: with the labels known at the start of this later day."),
            "incomplete": Param(False, type="boolean", title="Incomplete",
                                description="Do not wait for what is missing; the pack says what that is."),
        },
    ) as dag:  # fmt: skip

        @task.sensor(mode="reschedule", poke_interval=120, timeout=timedelta(hours=12).total_seconds())
        def wait(params: Any = None, dag_run: Any = None) -> PokeReturnValue:
            """Wait until all of the month is done; an edition that is there waits for nothing."""
            from fraudops.monthly.completeness import undone_of
            from fraudops.monthly.editions import editions
            from fraudops.settings import Settings

            from fraudops_airflow.context import open_workspace, requested_month

            month = requested_month(dag_run, params)
            ws = open_workspace()
            if params["incomplete"] or any(name.startswith(month.key) for name in editions(ws, portfolio)):
                return PokeReturnValue(is_done=True)
            found = undone_of(ws, portfolio, month, Settings.from_environment().rules)
            say([f"{month.key}: {found.sentence}"])
            return PokeReturnValue(is_done=not found)

        @task(pool=BULK_POOL)
        def make(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
            """Read, count, write, enter into the ledger, queue the mail; or find that it is there."""
            from fraudops.monthly.editions import make_pack
            from fraudops.settings import Settings

            from fraudops_airflow.context import actor, open_workspace, requested_month

            found = make_pack(
                open_workspace(),
                portfolio,
                requested_month(dag_run, params),
                Settings.from_environment().rules,
                actor=actor(dag_run),
                as_of=_start_of(params["as_of"]),
                incomplete=params["incomplete"],
            )
            say([f"{found.state}: {found.path}"])
            return found.to_dict()

        wait() >> make() >> send_notices_now(portfolio)
    return dag


def find_unreported_task(portfolio: Portfolio) -> Any:
    """A task that finds the months that should have a pack and have none."""

    @task(trigger_rule="none_failed")
    def find_unreported(dag_run: Any = None) -> list[dict[str, Any]]:
        """Months that are over and have no pack; one that is incomplete when it has waited long enough."""
        from fraudops.monthly.completeness import due_packs
        from fraudops.settings import Settings

        from fraudops_airflow.context import open_workspace

        rules = Settings.from_environment().rules
        found = due_packs(open_workspace(), portfolio, rules, now=dag_run.run_after)
        say(f"{due.month.key}{' (incomplete)' if due.incomplete else ''} has no pack" for due in found)
        return [
            {
                # One for each week: they would pile up while the DAG is paused, and one that failed gets another try.
                "trigger_run_id": f"month__{due.month.key}__{dag_run.run_after:%G-W%V}",
                "conf": {"month": due.month.key, "incomplete": due.incomplete},
            }
            for due in found
        ]

    return find_unreported()


def start_reports(portfolio: Portfolio, unreported: Any) -> Any:
    """Start ``report`` for each month that was found."""
    return TriggerDagRunOperator.partial(
        task_id="report",
        trigger_dag_id=portfolio.dag_id("report"),
        skip_when_already_exists=True,
        max_active_tis_per_dag=2,
    ).expand_kwargs(unreported)


def _when_complete(portfolio: Portfolio) -> PartitionedAssetTimetable | None:
    """When each day of a month is scored. Airflow's window of a month counts days, and no other partitions."""
    if not portfolio.monthly.enabled or portfolio.partition_hours != _DAY:
        return None
    days = StartOfMonthMapper(input_format=portfolio.partitioning.key_format)
    return PartitionedAssetTimetable(
        assets=scores_asset(portfolio),
        default_partition_mapper=RollupMapper(upstream_mapper=days, window=MonthWindow()),
    )


def _start_of(day: str) -> datetime | None:
    return datetime.fromisoformat(day.strip()).replace(tzinfo=UTC) if day.strip() else None
