"""Builds ``<portfolio>_land``: whatever lies in the landing folder, many partitions in one run."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, task, task_group
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import (
    comply_undone,
    follow_up_changes,
    monitor_undone,
    reconcile_now,
    say,
    score_chunk_task,
    send_notices_now,
)

DOC = """Load history in bulk: every file in the landing folder, all its partitions, in one run.

**Starts** when a person triggers it, and by `watch` for what has arrived. `path` names one file; empty means all files
that match the portfolio's patterns, and what lies in buckets, on servers and in databases: of a source with a watermark
the rows above it.
`first` and `last` limit the partitions; what they consist of is then read whole, and no watermark moves.

**Does** what `ingest` and `score` do for single days, and leaves the very same bytes, but in mapped chunks of a
month: use it for the first load. Partitions from before the first champion's training data ends are history:
they are learned from, not scored.

A file that was landed before and comes again under its name with other bytes is its corrected version: its rows
take the place of the earlier ones. With `corrections` the rows of any file take the place of what is stored under
their ids.

**Then** the data owner is told which published partitions have changed, and `reconcile` starts for others that were
scored from what was there before. Where `train` is chosen, `train` runs on the accumulated data.
"""


def build_land(portfolio: Portfolio) -> DAG:
    """The DAG; it publishes no asset events, because its own run goes through all stages."""
    example = portfolio.partitioning.example
    with DAG(
        **dag_arguments(portfolio, "land", DOC),
        schedule=None,
        max_active_runs=1,
        params={
            "path": Param(
                None,
                type=["null", "string", "array"],
                items={"type": "string"},
                title="File",
                description="File name (or several) in the landing folder; empty: all that match.",
            ),
            "first": Param(None, type=["null", "string"], title="First partition", description=f"Such as {example}."),
            "last": Param(None, type=["null", "string"], title="Last partition", description=f"Such as {example}."),
            "corrections": Param(
                False,
                type="boolean",
                title="Corrections",
                description="Rows take the place of what is stored under the same id, whatever file brought it. "
                "Without it they are kept in quarantine, unless their file has the name of the one that they correct.",
            ),
            "set_aside": Param(
                False,
                type="boolean",
                title="Set aside what cannot be used",
                description="A named file that cannot be used as a whole does not keep the others out: its data owner "
                "is written to, and the run goes on. Without it the run fails and lands nothing.",
            ),
            "train": Param(
                False,
                type="boolean",
                title="Train afterwards",
                description="Train on all that is there then and compare with the champion: for a file that brings "
                "what the model has not learned from.",
            ),
        },
    ) as dag:

        @task
        def land(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
            """Fetch and read the files, row by row, into staged partitions; quarantine what cannot be used."""
            from fraudops.errors import ContractError
            from fraudops.intake.fetching import Fetched, fetch, land_all, settle
            from fraudops.intake.files import find_files, named_files

            from fraudops_airflow.context import actor, open_workspace_of
            from fraudops_airflow.sources import access_to
            from fraudops_airflow.steps import land_or_set_aside

            for name in ("first", "last"):
                try:
                    portfolio.partitioning.start(params[name] or example)
                except ValueError as error:
                    raise ContractError(str(error), where=name) from None
            ws = open_workspace_of(portfolio, dag_run)
            first, last = params["first"] or None, params["last"] or None
            if params["path"] and params["set_aside"]:
                return land_or_set_aside(ws, portfolio, params)
            if params["path"]:
                fetched, files = Fetched(), named_files(ws, portfolio, params["path"])
            else:
                fetched = fetch(ws, portfolio, access_to, first=first, last=last)
                files = find_files(ws, portfolio, read=fetched.read)
            result = land_all(ws, portfolio, files, first=first, last=last, corrections=params["corrections"])
            settle(ws, portfolio, fetched, actor=actor(dag_run))
            say([*fetched.notes, *result.notes, *result.changes])
            return {"fetched": fetched.notes, **result.to_dict()}

        @task_group
        def validate(landed: Any) -> Any:
            """Great Expectations on each partition, in the order of time, then publication."""

            @task
            def check_and_publish(landed: dict[str, Any], dag_run: Any = None) -> list[list[str]]:
                """Publish what passes; what fails stays unpublished and its data owner is written to."""
                from fraudops.intake.validation import publish, validate
                from fraudops.notices.messages import validation_failure

                from fraudops_airflow.context import actor, open_workspace
                from fraudops_airflow.defaults import chunks

                ws, passed, keys = open_workspace(), [], sorted(landed["keys"])
                for key in keys:
                    outcome = validate(ws, portfolio, key)
                    if outcome.passed:
                        publish(ws, portfolio, key, actor=actor(dag_run), until=keys[-1])
                        passed.append(key)
                    else:
                        with ws.transaction() as session:
                            validation_failure(session, ws, portfolio, key, outcome.failures, outcome.report)
                return chunks(passed)

            @task
            def every_partition_passed(landed: dict[str, Any], published: list[list[str]]) -> None:
                """Fail the run, with the list, where a partition did not pass; the others go on."""
                from fraudops.errors import ContractError

                failed = sorted(set(landed["keys"]) - {key for chunk in published for key in chunk})
                if failed:
                    raise ContractError(
                        f"{len(failed)} partitions did not pass validation: {', '.join(failed[:20])}",
                        where=portfolio.name,
                        remedy="read their validation reports, correct the files, land them again",
                    )

            published = check_and_publish(landed)
            every_partition_passed(landed, published)
            return published

        @task.short_circuit
        def follow_up(landed: dict[str, Any]) -> dict[str, Any] | None:
            """Tell the data owner which published partitions have changed; ends here where none is stale by them."""
            from fraudops_airflow.context import open_workspace

            return follow_up_changes(open_workspace(), portfolio, landed)

        @task.short_circuit
        def wants_training(params: Any = None) -> bool:
            """Only where the form says so."""
            return bool(params["train"])

        landed = land()
        scored = score_chunk_task(portfolio, "score").expand(keys=validate(landed))
        scored >> send_notices_now(portfolio)
        scored >> monitor_undone(portfolio)
        if portfolio.compliance is not None:
            scored >> comply_undone(portfolio)
        scored >> follow_up(landed) >> reconcile_now(portfolio)
        (
            scored
            >> wants_training()
            >> TriggerDagRunOperator(
                task_id="train",
                trigger_dag_id=portfolio.dag_id("train"),
                trigger_run_id="land__{{ dag_run.run_id }}",
                conf={"reason": "new files were landed: {{ params.path or 'all that match' }}"},
                skip_when_already_exists=True,
            )
        )
    return dag
