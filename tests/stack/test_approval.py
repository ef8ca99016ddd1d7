from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from fraudops.errors import FraudopsError
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles
from fraudops.stack import approval as room
from fraudops.stack.approval import Approval
from fraudops.stack.client import AirflowClient, ApiError, DagRun, RunFailedError, TaskInstance

RUN = DagRun("cards_promote", "verdict__r", "running", "manual", None, None, {})
QUESTION = TaskInstance("cards_promote", "verdict__r", "approval.ask", -1, 1, "awaiting_input")


@dataclass
class Told:
    """Keeps what a person would have been shown."""

    lines: list[str] = field(default_factory=list)

    def phase(self, title: str) -> AbstractContextManager[None]:
        return nullcontext()

    def now(self, text: str) -> None:
        """Not kept."""

    def found(self, text: str) -> None:
        self.lines.append(text)


@dataclass
class FakeAirflow:
    """An Airflow with one ``promote`` run, whose question may be answered by validators."""

    user: str = "admin"
    state: str = "missing"
    refuse: int | None = None
    answers: list[tuple[str, list[str], Any]] = field(default_factory=list)
    cleared: int = 0

    def run(self, dag_id: str, run_id: str) -> DagRun:
        if self.state == "missing":
            self.state = "running"
            raise ApiError("not found", status=404)
        return replace(RUN, state=self.state)

    def waiting_for_a_person(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        return [QUESTION] if self.state == "running" else []

    def answer(self, task: TaskInstance, options: list[str], values: Any) -> None:
        self.state = "success"
        if self.refuse is not None:
            raise ApiError("refused", status=self.refuse)
        self.answers.append((task.task_id, options, values))

    def clear_failed(self, run: DagRun) -> None:
        self.cleared += 1
        self.state = "running"

    def failure(self, run: DagRun) -> RunFailedError:
        return RunFailedError("the log", where=run.run_id)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_THINKING", 0.0)


def asked(airflow: FakeAirflow, portfolio: Portfolio) -> tuple[Approval, Told]:
    told = Told()

    def sign_in(user: str) -> AirflowClient:
        airflow.user = user
        return client

    client = cast(AirflowClient, airflow)
    roles = Roles.model_validate({"users": {"admin": ["model_validator"], "validator": ["model_validator"]}})
    return Approval(client, sign_in, roles, portfolio, told), told


def test_the_validator_approves_with_the_reason(portfolios: dict[str, Portfolio]) -> None:
    airflow = FakeAirflow()
    approval, told = asked(airflow, portfolios["cards"])
    approval.give("verdict__r", "it is better")
    assert airflow.answers == [("approval.ask", ["Approve"], {"reason": "it is better"})]
    assert told.lines == ["validator answered “Approve” through Airflow"]


def test_somebody_was_faster_in_the_ui(portfolios: dict[str, Portfolio]) -> None:
    approval, told = asked(FakeAirflow(refuse=409), portfolios["cards"])
    approval.give("verdict__r", "it is better")
    assert told.lines == []
    approval, _ = asked(FakeAirflow(refuse=403), portfolios["cards"])
    with pytest.raises(ApiError):
        approval.give("verdict__r", "it is better")


def test_a_run_that_failed_in_an_earlier_demo_is_asked_again(portfolios: dict[str, Portfolio]) -> None:
    airflow = FakeAirflow(state="failed")
    approval, _ = asked(airflow, portfolios["cards"])
    approval.give("verdict__r", "it is better")
    assert airflow.cleared == 1
    assert len(airflow.answers) == 1


def test_a_run_that_fails_now_is_explained(portfolios: dict[str, Portfolio], monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = FakeAirflow(state="failed")
    monkeypatch.setattr(FakeAirflow, "clear_failed", lambda self, run: None)
    approval, _ = asked(airflow, portfolios["cards"])
    with pytest.raises(RunFailedError, match="the log"):
        approval.give("verdict__r", "it is better")


def test_whoever_asked_for_the_training_is_not_made_to_answer(portfolios: dict[str, Portfolio]) -> None:
    cards = portfolios["cards"]
    other = cards.model_copy(update={"promotion": cards.promotion.model_copy(update={"approvers": ("admin",)})})
    approval, _ = asked(FakeAirflow(), other)
    with pytest.raises(FraudopsError, match=r"none of the approvers \(admin\)"):
        approval.give("verdict__r", "it is better")
