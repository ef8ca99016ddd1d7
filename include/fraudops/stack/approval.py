"""Answers the question that a ``promote`` run puts, as the person whom it asks would in the UI."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from fraudops.errors import FraudopsError
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles
from fraudops.stack.client import AirflowClient, ApiError, DagRun, TaskInstance
from fraudops.stack.narrator import Narrator
from fraudops.stack.secrets import USERS

_PROMOTE, _APPROVE = "promote", "Approve"
_THINKING = 2.5
"""Seconds between a question and our answer: one given in the very moment in which the task is parked can make
the task fail."""
_LIMIT = 900.0
"""Seconds after which a promotion should have ended."""


@dataclass(frozen=True)
class Approval:
    """What it takes to approve in somebody's name."""

    client: AirflowClient
    """The session of whoever asked for the training."""
    sign_in: Callable[[str], AirflowClient]
    """Opens another user's session."""
    roles: Roles
    portfolio: Portfolio
    narrator: Narrator

    def give(self, run_id: str, reason: str) -> None:
        """Answer each question of a ``promote`` run as the person it asks, until the run has ended."""
        dag_id = self.portfolio.dag_id(_PROMOTE)
        person = self._approver()
        session = self.sign_in(person)
        earlier = self._find(dag_id, run_id)
        if earlier is not None and earlier.state == "failed":
            self.client.clear_failed(earlier)
        asked_at: float | None = None
        deadline = time.monotonic() + _LIMIT
        while time.monotonic() < deadline:
            run = self._find(dag_id, run_id)
            if run is not None and run.state == "success":
                return
            if run is not None and run.state == "failed":
                raise self.client.failure(run)
            questions = session.waiting_for_a_person(dag_id, run_id) if run is not None else []
            if not questions:
                asked_at = None
                self.narrator.now(f"{dag_id} is under way")
            elif asked_at is None:
                asked_at = time.monotonic()
                self.narrator.now(f"Airflow waits for {person}'s answer")
            elif time.monotonic() - asked_at > _THINKING:
                self._answer(session, questions[0], reason)
            time.sleep(0.4)
        raise FraudopsError("the promotion did not end in time", where=f"{dag_id} {run_id}")

    def _answer(self, session: AirflowClient, question: TaskInstance, reason: str) -> None:
        try:
            session.answer(question, [_APPROVE], {"reason": reason})
        except ApiError as error:
            if error.status != 409:  # somebody was faster, in the UI
                raise
            return
        self.narrator.found(f"{session.user} answered “{_APPROVE}” through Airflow")

    def _approver(self) -> str:
        """A user of the local stack who may answer; whoever asked for the training, as we did, may not."""
        allowed = [approver.name for approver in self.roles.approvers(self.portfolio)]
        for user in allowed:
            if user in USERS and user != self.client.user:
                return user
        raise FraudopsError(
            f"none of the approvers ({', '.join(allowed)}) may answer on the local stack (who trains may not)",
            where=f"{self.portfolio.name}.yaml: promotion.approvers",
            remedy="name the role model_validator there, or answer in the UI as one of them",
        )

    def _find(self, dag_id: str, run_id: str) -> DagRun | None:
        try:
            return self.client.run(dag_id, run_id)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
