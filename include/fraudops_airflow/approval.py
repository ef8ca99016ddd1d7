"""The approval of a promotion: Airflow's own, which takes no answer without a reason and skips nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Param

if TYPE_CHECKING:
    from airflow.sdk import Context

SHORTEST_REASON = 5


def reason_field() -> Param:
    """The form field that a :class:`ReasonedApproval` expects among its ``params``, under ``reason``."""
    return Param(
        "",
        type="string",
        title="Reason",
        description=f"Why yes, or why no (at least {SHORTEST_REASON} characters); recorded with your name.",
    )


class ReasonedApproval(ApprovalOperator):
    """Ask for approval; an answer without a reason is no answer, and the question stays open.

    Airflow neither checks an answer's form fields before it accepts the answer, nor accepts a required field
    without a default; so the reason is checked here, and where it is missing the question is put again.

    A "Reject" is an answer like another: what follows from it is for the tasks behind, which find it in the XCom.
    Airflow's operator skips them before the answer can be read, so a refusal could be recorded without its author.
    """

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take the answer, or ask again; None where the deadline passed without one.

        A deadline that passes is an outcome, not a failure: a failed task would be tried again, which would ask
        again and wait as long once more.
        """
        if event.get("error_type") == "timeout":
            self.log.warning("Nobody answered before the deadline")
            return None
        if "error" not in event:
            reason = str((event.get("params_input") or {}).get("reason") or "").strip()
            if len(reason) < SHORTEST_REASON:
                self.log.warning("The answer came without a reason: asking again")
                return self.execute(context)
        return HITLOperator.execute_complete(self, context, event)
