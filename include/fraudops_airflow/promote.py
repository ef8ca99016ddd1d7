"""Builds ``<portfolio>_promote``: a named person decides; then the champion changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task, task_group
from fraudops.portfolio import Portfolio, format_duration

from fraudops_airflow.approval import PromotionApproval, reason_field
from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import evidence_task, say, score_chunk_task, send_notices_now

DOC = """Ask a named person whether the challenger becomes champion, and carry out the answer.

**Starts** by itself when `train`, or a shadow's comparison, finds PROMOTE.

**Does** wait (without taking a slot) for an approver's answer under Required Actions, with the verdict, its gates
and the pictures in front of them. `promotion.approvers` and `roles.yaml` say who may answer; whoever asked for the
training run may not. No answer before the deadline means no. The promotion, its approver, the reason and the ledger
entry commit together, and the artifact is checked to be the very one that was evaluated. Partitions that were
waiting for a champion are then scored, and the version's evidence pack gets a revision with the decision in it.

**Two at once**: one wins. The other run ends with `too late: the champion has changed`, a ledger entry and a notice
to the model owner; it changes nothing.
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

        @task.branch
        def promote(params: Any = None, ti: Any = None) -> str:
            """Make the challenger champion: one transaction with its ledger entry. Where another was faster, say so."""
            from fraudops.errors import ConflictError
            from fraudops.notices.champion_messages import promotion as promotion_notice
            from fraudops.registry.promotion import promote

            from fraudops_airflow.context import open_workspace

            approved_by, reason = f"policy:{portfolio.name}", "the portfolio asks for no approval"
            if promotion.needs_approval:
                answer = ti.xcom_pull(task_ids="approval.ask")
                approved_by = answer["responded_by_user"]["name"]
                reason = answer["params_input"]["reason"]
            ws = open_workspace()
            try:
                summary = promote(ws, portfolio, run_id=params["run_id"], approved_by=approved_by, reason=reason)
            except ConflictError as error:
                say([error])
                return "too_late"
            with ws.transaction() as session:
                promotion_notice(session, ws, portfolio, summary)
            ti.xcom_push(key="promotion", value=summary.to_dict())
            return "find_pending"

        @task
        def find_pending() -> list[list[str]]:
            """Partitions that waited for a champion, or whose features were never scored."""
            from fraudops.decisions.pending import pending_keys

            from fraudops_airflow.context import open_workspace
            from fraudops_airflow.defaults import chunks

            return chunks(pending_keys(open_workspace(), portfolio))

        @task(task_display_name="too late: the champion has changed", trigger_rule="none_failed_min_one_success")
        def too_late(params: Any = None, ti: Any = None) -> dict[str, Any]:
            """Record that another model became champion first, and tell the model owner; nothing else is changed."""
            from fraudops.registry.promotion import stand_back

            from fraudops_airflow.context import open_workspace

            answer = (ti.xcom_pull(task_ids="approval.ask") if promotion.needs_approval else None) or {}
            by = (answer.get("responded_by_user") or {}).get("name") or "nobody"
            found = stand_back(open_workspace(), portfolio, run_id=params["run_id"], approved_by=by)
            say(
                [f"{found.version} ({found.candidate}) was not promoted: {found.reason} (ledger {found.ledger_number})"]
            )
            return found.to_dict()

        promoted, overtaken = promote(), too_late()
        pending = find_pending()
        promoted >> [pending, overtaken]
        scored = score_chunk_task(portfolio, "score_pending").expand(keys=pending)
        [scored, overtaken] >> send_notices_now(portfolio, trigger_rule="none_failed")
        filed = evidence_task(portfolio)()
        [pending, overtaken] >> filed

        if not promotion.needs_approval:
            return dag

        @task_group
        def approval() -> Any:
            """A person decides."""
            return PromotionApproval(
                task_id="ask",
                portfolio=portfolio,
                subject=f"{portfolio.title}: is the challenger to become champion?",
                params={"reason": reason_field()},
                response_timeout=promotion.deadline,
                execution_timeout=None,
                # An answer in the very moment in which the task is parked can make it fail: it then asks again.
                retries=3,
                retry_delay=timedelta(seconds=2),
            )

        @task.branch
        def follow_the_answer(ti: Any = None) -> str:
            """Yes leads to the promotion; no, and no answer in time, to the record of the refusal."""
            answer = ti.xcom_pull(task_ids="approval.ask") or {}
            if "overtaken" in answer:
                return "too_late"
            return "promote" if answer.get("chosen_options") == [PromotionApproval.APPROVE] else "record_refusal"

        @task
        def record_refusal(params: Any = None, ti: Any = None) -> None:
            """Write a refusal, or the missing answer, into the ledger."""
            from fraudops.registry.promotion import decline

            from fraudops_airflow.context import open_workspace

            by, reason = "nobody", f"no answer within {format_duration(promotion.deadline)}"
            if answer := ti.xcom_pull(task_ids="approval.ask"):
                by, reason = answer["responded_by_user"]["name"], answer["params_input"]["reason"]
            decline(open_workspace(), portfolio, run_id=params["run_id"], declined_by=by, reason=reason)

        refused = record_refusal()
        approval() >> follow_the_answer() >> [promoted, refused, overtaken]
        refused >> filed
    return dag
