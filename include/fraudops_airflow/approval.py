"""The approval of a promotion: Airflow's own, put to the right people, which takes no answer that does not count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Param

if TYPE_CHECKING:
    from airflow.sdk import Context
    from fraudops.portfolio import Portfolio

SHORTEST_REASON = 5


def reason_field() -> Param:
    """The form field that a :class:`PromotionApproval` expects among its ``params``, under ``reason``."""
    return Param(
        "",
        type="string",
        title="Reason",
        description=f"Why yes, or why no (at least {SHORTEST_REASON} characters); recorded with your name.",
    )


def required_reason() -> Param:
    """The form field of a DAG that acts in the name of whoever starts it: Airflow takes no run without it."""
    return Param(type="string", minLength=SHORTEST_REASON, title="Reason", description="Why; recorded with your name.")


class PromotionApproval(ApprovalOperator):
    """Ask the approvers of a training run's verdict; whoever asked for the training is not among them.

    Airflow turns everybody else away with 403. An answer that comes nevertheless, or without a reason, does not
    count, and the question stays open: Airflow neither checks an answer's fields before it accepts the answer, nor
    accepts a required field without a default, so that is done here.

    A "Reject" is an answer like another: what follows from it is for the tasks behind, which find it in the XCom.
    Airflow's operator skips them before the answer can be read, so a refusal could be recorded without its author.

    Parameters
    ----------
    portfolio
        Whose promotion it is; its ``promotion.deadline`` counts from the start of the run, however often the
        question is put.

    Notes
    -----
    The XCom is Airflow's answer; ``{"overtaken": sentence}`` where there was nothing left to ask; None where the
    deadline passed.
    """

    def __init__(self, *, portfolio: Portfolio, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.portfolio = portfolio

    def execute(self, context: Context) -> Any:
        """Put the question to those who may answer it, unless there is nothing left to ask."""
        from fraudops.registry.approval import put_question

        from fraudops_airflow.briefing import approval_text
        from fraudops_airflow.context import open_roles, open_workspace

        ws = open_workspace()
        question = put_question(ws, self.portfolio, open_roles(), run_id=context["params"]["run_id"])
        if question.overtaken:
            self.log.warning("There is nothing left to ask: %s", question.overtaken)
            return {"overtaken": question.overtaken}
        left = self._time_left(context)
        if left.total_seconds() <= 0:
            self.log.warning("Nobody answered before the deadline")
            return None
        self.response_timeout = left
        self.assigned_users = [{"id": approver.id, "name": approver.name} for approver in question.approvers]
        self.subject, self.body = approval_text(ws, self.portfolio, question)
        self.log.info("Asking %s", ", ".join(approver.name for approver in question.approvers))
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take the answer, or leave the question open; None where the deadline passed without one.

        A deadline that passes is an outcome, not a failure: a failed task would be tried again, which would ask
        again and wait as long once more.
        """
        if event.get("error_type") == "timeout":
            self.log.warning("Nobody answered before the deadline")
            return None
        if "error" not in event and not self._counts(context, event):
            return self.execute(context)
        return HITLOperator.execute_complete(self, context, event)

    # -- inside ---------------------------------------------------------------------------------------

    def _counts(self, context: Context, event: dict[str, Any]) -> bool:
        from fraudops.registry.approval import question_of, refuse_answer

        from fraudops_airflow.context import open_roles, open_workspace

        ws = open_workspace()
        with ws.transaction() as session:
            question = question_of(session, self.portfolio, open_roles(), run_id=context["params"]["run_id"])
        user = str((event.get("responded_by_user") or {}).get("name") or "")
        if question.objection(user):
            option = ", ".join(event.get("chosen_options") or [])
            why = refuse_answer(ws, self.portfolio, question, user=user, option=option)
            self.log.warning("The answer does not count: %s. Asking again", why)
            return False
        if len(str((event.get("params_input") or {}).get("reason") or "").strip()) < SHORTEST_REASON:
            self.log.warning("The answer came without a reason: asking again")
            return False
        return True

    def _time_left(self, context: Context) -> timedelta:
        started = context["dag_run"].start_date or datetime.now(UTC)
        return started + self.portfolio.promotion.deadline - datetime.now(UTC)
