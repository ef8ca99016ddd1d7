"""Builds ``<portfolio>_reconcile``: asks the store what is not yet done, and does it."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronTriggerTimetable, task, task_group
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.report import find_unreported_task, start_reports
from fraudops_airflow.steps import (
    comply_undone,
    follow_up_at_once,
    land_uncollected,
    monitor_undone,
    say,
    score_chunk_task,
    send_notices_now,
)
from fraudops_airflow.watch import find_missed_task, land_files

DOC = """Find partitions that were published but not scored, or scored from inputs that have changed since, or whose
scoring was broken off: without their ledger entry, without their alerts.

**Starts** each day, and by a person at any time.

**Does** hand to `land` what `watch` has missed in the landing folder; scores the others, and what a challenger in the
shadow has left out; monitors what nobody has looked at, and settles anew what labels came late for; runs the rules over
what they have left out, or of which something has changed; gathers alerts and hits that are in no case, and hands over
what closed cases say; compares the shadow
with the champion once its labels have matured, and where that says PROMOTE starts `promote`. Airflow loses events of a
DAG that is paused; the store does not: this is how a paused day is caught up.
"""


def build_reconcile(portfolio: Portfolio) -> DAG:
    """The DAG; the store is the record of what there is to do."""
    schedule = CronTriggerTimetable("30 4 * * *", timezone="UTC") if portfolio.scheduled else None
    with DAG(**dag_arguments(portfolio, "reconcile", DOC), schedule=schedule, max_active_runs=1) as dag:

        @task
        def find_undone(dag_run: Any = None) -> list[list[str]]:
            """Partitions whose score is missing or stale, or was broken off; and gathers what is in no case."""
            from fraudops.cases import gather_waiting, hand_over
            from fraudops.decisions.pending import partition_states
            from fraudops.decisions.unfinished import unfinished_keys
            from fraudops.intake.publication import record_unrecorded

            from fraudops_airflow.context import actor, open_workspace
            from fraudops_airflow.defaults import chunks

            ws = open_workspace()
            record_unrecorded(ws, portfolio, actor=actor(dag_run))
            follow_up_at_once(ws, portfolio, actor(dag_run))
            land_uncollected(ws, portfolio, actor(dag_run))
            gather_waiting(ws, portfolio, actor=actor(dag_run))
            hand_over(ws, portfolio, actor=actor(dag_run))
            states = partition_states(ws, portfolio)
            undone = {key for key, state in states.items() if state in ("pending", "stale")}
            return chunks(sorted(undone | set(unfinished_keys(ws, portfolio))))

        @task_group
        def shadow() -> Any:
            """The challenger in the shadow of the champion: what it has not scored; what its days have shown."""

            @task(trigger_rule="none_failed")
            def heal() -> dict[str, Any]:
                """Score what the running shadow should have scored and has not."""
                from fraudops.decisions.shadow import heal

                from fraudops_airflow.context import open_workspace

                return heal(open_workspace(), portfolio).to_dict()

            @task.short_circuit(ignore_downstream_trigger_rules=False)
            def compare() -> str | None:
                """Compare it with the champion once its labels have matured; PROMOTE is put before a person."""
                from fraudops.notices.champion_messages import verdict as verdict_notice
                from fraudops.registry.shadow_comparison import conclude

                from fraudops_airflow.context import open_workspace

                ws = open_workspace()
                verdict = conclude(ws, portfolio)
                if verdict is None:
                    return None
                with ws.transaction() as session:
                    verdict_notice(session, ws, portfolio, verdict)
                say([f"{verdict.outcome}: {verdict.reason}"])
                return verdict.run_id if verdict.outcome == "PROMOTE" else None

            healed, compared = heal(), compare()
            run_id = "{{ ti.xcom_pull(task_ids='shadow.compare') }}"
            ask_for_promotion = TriggerDagRunOperator(
                task_id="ask_for_promotion",
                trigger_dag_id=portfolio.dag_id("promote"),
                trigger_run_id=f"verdict__{run_id}",
                conf={"run_id": run_id},
                skip_when_already_exists=True,
            )
            healed >> compared >> ask_for_promotion
            return healed, ask_for_promotion

        if portfolio.scheduled and portfolio.watched:
            find_missed_task(portfolio)() >> land_files(
                portfolio, "land_missed", "find_missed", "reconcile__{{ dag_run.run_id }}"
            )

        scored = score_chunk_task(portfolio, "score").expand(keys=find_undone())
        scored >> monitor_undone(portfolio)
        if portfolio.compliance is not None:
            scored >> comply_undone(portfolio)
        healed, asked = shadow()
        scored >> healed
        if portfolio.monthly.enabled:
            unreported = find_unreported_task(portfolio)
            # Not behind the branch itself, which skips whatever hangs on it and is not chosen.
            [dag.get_task(f"monitoring.{name}") for name in ("retrain", "send_notices")] >> unreported
            start_reports(portfolio, unreported)
        # Not behind the comparison itself, which skips whatever hangs on it where nobody is to be asked.
        [scored, asked] >> send_notices_now(portfolio, trigger_rule="none_failed")
    return dag
