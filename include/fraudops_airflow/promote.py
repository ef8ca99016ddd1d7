"""Builds ``<portfolio>_promote``: a named person decides; then the champion changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task, task_group
from fraudops.portfolio import Portfolio, format_duration

from fraudops_airflow.approval import ReasonedApproval, reason_field
from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import score_chunk_task, send_notices_now

DOC = """Ask a named person whether the challenger becomes champion, and carry out the answer.

**Starts** by itself when `train` finds PROMOTE.

**Does** wait (without taking a slot) for an approver's answer under Required Actions, with the verdict and its
gates in front of them; no answer before the deadline means no. The promotion, its approver, the reason and the
ledger entry commit together, and the artifact is checked to be the very one that was evaluated. Partitions that
were waiting for a champion are then scored.
"""


def build_promote(portfolio: Portfolio) -> DAG:
    """The DAG; ``approval`` is left out where the portfolio says that no person is needed."""
    promotion = portfolio.promotion
    with DAG(
        **dag_arguments(portfolio, "promote", DOC),
        schedule=None,
        max_active_runs=4,
        params={
            "run_id": Param(
                type="string",
                minLength=1,
                title="Training run",
                description=f"Run id of {portfolio.dag_id('train')} whose verdict is to be carried out.",
            )
        },
    ) as dag:

        @task
        def brief(params: Any = None) -> dict[str, str]:
            """Say what is asked, in words, for the approver."""
            from fraudops.registry.comparison import verdict_of

            from fraudops_airflow.briefing import approval_text
            from fraudops_airflow.context import open_workspace

            ws = open_workspace()
            with ws.transaction() as session:
                return approval_text(ws, portfolio, verdict_of(session, portfolio, params["run_id"]))

        @task
        def promote(params: Any = None, ti: Any = None) -> dict[str, Any]:
            """Make the challenger champion: one transaction with its ledger entry."""
            from fraudops.notices.messages import promotion as promotion_notice
            from fraudops.registry.promotion import promote

            from fraudops_airflow.context import open_workspace

            approved_by, reason = f"policy:{portfolio.name}", "the portfolio asks for no approval"
            if promotion.needs_approval:
                answer = ti.xcom_pull(task_ids="approval.ask")
                approved_by = answer["responded_by_user"]["name"]
                reason = answer["params_input"]["reason"]
            ws = open_workspace()
            summary = promote(ws, portfolio, run_id=params["run_id"], approved_by=approved_by, reason=reason)
            with ws.transaction() as session:
                promotion_notice(session, ws, portfolio, summary)
            return summary.to_dict()

        @task
        def find_pending() -> list[list[str]]:
            """Partitions that waited for a champion, or whose features were never scored."""
            from fraudops.decisions.pending import pending_keys

            from fraudops_airflow.context import open_workspace
            from fraudops_airflow.defaults import chunks

            return chunks(pending_keys(open_workspace(), portfolio))

        promoted = promote()
        pending = find_pending()
        promoted >> pending
        scored = score_chunk_task(portfolio, "score_pending").expand(keys=pending)
        scored >> send_notices_now(portfolio, trigger_rule="none_failed")

        if not promotion.needs_approval:
            brief() >> promoted
            return dag

        @task_group
        def approval() -> Any:
            """A person decides."""
            told = brief()
            ask = ReasonedApproval(
                task_id="ask",
                subject="{{ ti.xcom_pull(task_ids='approval.brief')['subject'] }}",
                body="{{ ti.xcom_pull(task_ids='approval.brief')['body'] }}",
                params={"reason": reason_field()},
                assigned_users=[{"id": user, "name": user} for user in promotion.approvers] or None,
                response_timeout=promotion.deadline,
                execution_timeout=None,
                # An answer in the very moment in which the task is parked can make it fail: it then asks again.
                retries=3,
                retry_delay=timedelta(seconds=2),
                retry_policy=None,
            )
            told >> ask
            return ask

        @task.branch
        def follow_the_answer(ti: Any = None) -> str:
            """Yes leads to the promotion; no, and no answer in time, to the record of the refusal."""
            answer = ti.xcom_pull(task_ids="approval.ask")
            is_yes = bool(answer) and answer["chosen_options"] == [ReasonedApproval.APPROVE]
            return "promote" if is_yes else "record_refusal"

        @task
        def record_refusal(params: Any = None, ti: Any = None) -> None:
            """Write a refusal, or the missing answer, into the ledger."""
            from fraudops.registry.promotion import decline

            from fraudops_airflow.context import open_workspace

            by, reason = "nobody", f"no answer within {format_duration(promotion.deadline)}"
            if answer := ti.xcom_pull(task_ids="approval.ask"):
                by, reason = answer["responded_by_user"]["name"], answer["params_input"]["reason"]
            decline(open_workspace(), portfolio, run_id=params["run_id"], declined_by=by, reason=reason)

        approval() >> follow_the_answer() >> [promoted, record_refusal()]
    return dag
