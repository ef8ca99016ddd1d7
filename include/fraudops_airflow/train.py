"""Builds ``<portfolio>_train``: candidates, their comparison with the champion, a verdict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param, task, task_group
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import TRAINING_POOL, dag_arguments
from fraudops_airflow.steps import say

DOC = """Train the candidates on matured data, compare the best one with the champion, write the verdict.

**Starts** on the portfolio's training schedule, or by a person with the form.

**Does** collect the transactions whose labels had matured at `as_of`; split them by time into a slice to learn
from, one to select and calibrate on, and one to gate on, with the label delay as a gap; train each candidate in
a task of its own; compare the best one with the champion on rows that neither has seen. A tie keeps the
champion.

**Then**, where the verdict is PROMOTE, `promote` asks a named person; where the portfolio says `promotion.shadow`,
the challenger first scores beside the champion for so many days. The report page of the run is under
Fraud Ops → Reports, an evidence pack of each version behind it.
"""


def build_train(portfolio: Portfolio) -> DAG:
    """The DAG; candidates are mapped tasks in a pool of their own."""
    names = list(portfolio.training.candidates)
    schedule = None
    if portfolio.scheduled and portfolio.training.schedule:
        schedule = CronTriggerTimetable(portfolio.training.schedule, timezone="UTC")
    with DAG(
        **dag_arguments(portfolio, "train", DOC),
        schedule=schedule,
        max_active_runs=1,
        params={
            "reason": Param(
                "periodic retraining",
                type="string",
                minLength=3,
                title="Reason",
                description="Why; it is recorded.",
            ),
            "as_of": Param(
                None,
                type=["null", "string"],
                title="As of",
                description="Pretend that it is this moment (ISO timestamp), or the end of this partition "
                f"(such as {portfolio.partitioning.example}). Empty: the end of the newest partition.",
            ),
            "window": Param(
                None,
                type=["null", "string"],
                pattern=r"^\d+[dhms]$",
                title="Window",
                description="Learn from this last stretch only, such as 90d. Empty: as the portfolio says.",
            ),
            "candidates": Param(
                names,
                type="array",
                items={"type": "string", "enum": names},
                examples=names,
                minItems=1,
                title="Candidates",
                description=f"Which to train; {portfolio.training.baseline} is the floor and always included.",
            ),
            "split": Param(
                portfolio.training.split,
                enum=["time", "random"],
                title="Split",
                description="'random' is for comparison with published numbers; it never leads to a promotion.",
            ),
        },
    ) as dag:

        @task_group
        def preprocess() -> Any:
            """From partitions to one data set whose labels had matured."""

            @task(pool=TRAINING_POOL)
            def features(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
                """Features of every partition that training may need; who asked, and why, goes into the ledger."""
                from fraudops.features import build
                from fraudops.registry.requests import record_request

                from fraudops_airflow.context import actor, moment, open_workspace_of
                from fraudops_airflow.periods import training_period

                ws = open_workspace_of(portfolio, dag_run)
                as_of, window, keys = training_period(
                    ws, portfolio, moment(portfolio, params["as_of"]), params["window"]
                )
                record_request(
                    ws,
                    portfolio,
                    run_id=dag_run.run_id,
                    requested_by=actor(dag_run),
                    reason=params["reason"],
                    as_of=as_of,
                )
                build(ws, portfolio, keys)
                return {"as_of": as_of.isoformat(), "window": window, "partitions": len(keys)}

            @task
            def collect(period: dict[str, Any], params: Any = None, run_id: Any = None) -> dict[str, Any]:
                """Matured rows, cut into slices by time; written down with the digests of all inputs."""
                from datetime import datetime

                from fraudops.portfolio import parse_duration
                from fraudops.training.dataset import assemble

                from fraudops_airflow.context import open_workspace

                summary = assemble(
                    open_workspace(),
                    portfolio,
                    run_id=run_id,
                    as_of=datetime.fromisoformat(period["as_of"]),
                    window=parse_duration(period["window"]),
                    split=params["split"],
                )
                return summary.to_dict()

            period = features()
            return period, collect(period)

        @task_group
        def train_candidates() -> None:
            """One task per candidate; preprocessing is fitted on the training slice and travels inside."""

            @task
            def choose(params: Any = None) -> list[str]:
                """The candidates asked for, and the floor that no model may ship below."""
                wanted = {portfolio.training.baseline, *params["candidates"]}
                return [name for name in names if name in wanted]

            @task(
                pool=TRAINING_POOL,
                map_index_template="{{ candidate }}",
                execution_timeout=timedelta(hours=6),
            )
            def train(candidate: str, run_id: Any = None) -> dict[str, Any]:
                """Fit, calibrate, set thresholds, evaluate, register."""
                from airflow.sdk import get_current_context
                from fraudops.registry.candidates import train

                from fraudops_airflow.context import open_workspace

                get_current_context()["candidate"] = candidate  # type: ignore[typeddict-unknown-key]
                return train(open_workspace(), portfolio, run_id=run_id, candidate=candidate).to_dict()

            train.expand(candidate=choose())

        @task_group
        def compare(period: Any) -> Any:
            """Challenger against champion, on rows that neither has seen."""

            @task
            def verdict(period: dict[str, Any], run_id: Any = None) -> dict[str, Any]:
                """PROMOTE, HOLD or REJECT, with a line for each gate."""
                from datetime import datetime

                from fraudops.registry.comparison import compare

                from fraudops_airflow.context import open_workspace

                as_of = datetime.fromisoformat(period["as_of"])
                return compare(open_workspace(), portfolio, run_id=run_id, as_of=as_of).to_dict()

            @task
            def report(run_id: Any = None) -> str:
                """The report page: curves, gates, confusion matrix, what the data was."""
                from fraudops.reports.training import write_training_report

                from fraudops_airflow.context import open_workspace

                return write_training_report(open_workspace(), portfolio, run_id=run_id)

            @task
            def announce(report: str, run_id: Any = None) -> None:
                """Put a notice with the verdict into the outbox."""
                from fraudops.notices.champion_messages import verdict
                from fraudops.registry.comparison import verdict_of

                from fraudops_airflow.context import open_workspace

                ws = open_workspace()
                with ws.transaction() as session:
                    verdict(session, ws, portfolio, verdict_of(session, portfolio, run_id))

            @task
            def evidence(run_id: Any = None) -> list[dict[str, Any]]:
                """An evidence pack for every version of the run, whatever the verdict: model card to lineage."""
                from fraudops.reports.evidence import file_packs

                from fraudops_airflow.context import open_workspace

                return [filed.to_dict() for filed in file_packs(open_workspace(), portfolio, run_id=run_id)]

            @task
            def mirror(run_id: Any = None) -> dict[str, Any]:
                """Parameters, metrics, figures and evidence to MLflow, where one is named; a failure is only told."""
                from fraudops.reports.mirror import mirror

                from fraudops_airflow.context import open_workspace

                found = mirror(open_workspace(), portfolio, run_id=run_id)
                say([found.sentence])
                return {"state": found.state, "versions": list(found.versions), "reason": found.reason}

            found = verdict(period)
            written, filed = report(), evidence()
            found >> [written, filed]
            filed >> mirror()
            written >> announce(written)
            return found, filed

        @task.short_circuit
        def is_promote(found: dict[str, Any]) -> bool:
            """Only the verdict PROMOTE is put before a person; where the portfolio asks for it, after a shadow."""
            from fraudops.registry.comparison import verdict_of
            from fraudops.registry.shadow import comes_first, start_after_verdict

            from fraudops_airflow.context import open_workspace

            ws = open_workspace()
            with ws.transaction() as session:
                verdict = verdict_of(session, portfolio, found["run_id"])
            shadow = start_after_verdict(ws, portfolio, verdict, started_by="service:train")
            if shadow is not None:
                say([f"{shadow.model.version} scores in the shadow of the champion for {shadow.days} days"])
            return verdict.outcome == "PROMOTE" and not comes_first(portfolio, verdict)

        period, collected = preprocess()
        found, filed = compare(period)
        collected >> train_candidates() >> found
        asked = is_promote(found)
        # Who is asked is to find the evidence there.
        filed >> asked
        (
            asked
            >> TriggerDagRunOperator(
                task_id="ask_for_promotion",
                trigger_dag_id=portfolio.dag_id("promote"),
                trigger_run_id="verdict__{{ dag_run.run_id }}",
                conf={"run_id": "{{ dag_run.run_id }}"},
                skip_when_already_exists=True,
            )
        )
    return dag
