"""The question that is put before an approver, and which answers count; Airflow's part of it is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskAwaitingInput
from fraudops.database import LedgerEntry
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote
from fraudops.registry.requests import record_request
from fraudops.stack.postgres import Postgres
from fraudops.workspace import Workspace
from fraudops_airflow.approval import PromotionApproval, reason_field
from sqlalchemy import select

from tests.installations import Template
from tests.registry.runs import leave_run, payments

AS_OF = datetime(2026, 4, 8, tzinfo=UTC)


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


@pytest.fixture(scope="module")
def judged(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, portfolios: dict[str, Portfolio]) -> Template:
    """A verdict PROMOTE on a training that vera asked for."""
    cards = portfolios["cards"]

    def train(ws: Workspace) -> None:
        record_request(ws, cards, run_id="run-1", requested_by="vera", reason="weekly", as_of=AS_OF)
        leave_run(ws, cards, payments(), {"logistic_regression": "poor", "lightgbm": "best"})
        assert compare(ws, cards, run_id="run-1", as_of=AS_OF).outcome == "PROMOTE"

    return Template.made(postgres, tmp_path_factory.mktemp("judged"), train)


@pytest.fixture
def installation(judged: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """That verdict; vera and otto are validators."""
    roles = tmp_path / "roles.yaml"
    roles.write_text("users: {vera: [model_validator], otto: {id: '7', roles: [model_validator]}}")
    monkeypatch.setenv("FRAUDOPS_ROLES", str(roles))
    with judged.copy(tmp_path) as ws:
        monkeypatch.setattr("fraudops_airflow.context.open_workspace", lambda: ws)
        yield ws


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What Airflow was told to ask."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **details: told.append(details)
    )
    return told


def _operator(cards: Portfolio) -> PromotionApproval:
    return PromotionApproval(
        task_id="ask",
        portfolio=cards,
        subject="s",
        params={"reason": reason_field()},
        response_timeout=cards.promotion.deadline,
    )


def _context(started: datetime | None = None) -> Any:
    return {
        "task_instance": SimpleNamespace(id="ti"),
        "params": {"run_id": "run-1"},
        "dag_run": SimpleNamespace(start_date=started or datetime.now(UTC)),
    }


def _answer(user: str, reason: str = "better on unseen rows") -> dict[str, Any]:
    return {
        "chosen_options": ["Approve"],
        "params_input": {"reason": reason},
        "responded_at": AS_OF,
        "responded_by_user": {"id": user, "name": user},
    }


def _actions(ws: Workspace) -> list[str]:
    with ws.transaction() as session:
        return list(session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.number)))


def test_the_author_is_not_asked_and_the_text_says_so(
    installation: Workspace, cards: Portfolio, asked: list[dict[str, Any]]
) -> None:
    for file in ("precision_recall.png", "calibration.png"):
        installation.store.put(b"png", "reports", "cards", "run-1", file)
    with pytest.raises(TaskAwaitingInput):
        _operator(cards).execute(_context())
    (details,) = asked
    assert details["assigned_users"] == [{"id": "7", "name": "otto"}]
    assert details["defaults"] is None
    body = details["body"]
    assert "May answer: **otto**. **vera** asked for the training run and may not." in body
    assert "](/fraud-ops/documents/reports/cards/run-1/precision_recall.png)" in body
    assert "precision_at_k.png" not in body  # it is not there
    assert "/fraud-ops/reports/cards/run-1)" in body
    assert "/fraud-ops/evidence/cards/v" in body


def test_an_answer_of_an_approver_with_a_reason_is_taken(
    installation: Workspace, cards: Portfolio, asked: list[dict[str, Any]]
) -> None:
    found = _operator(cards).execute_complete(_context(), _answer("otto"))
    assert (found["chosen_options"], found["params_input"]) == (["Approve"], {"reason": "better on unseen rows"})
    assert asked == []


@pytest.mark.parametrize("user", ["vera", "admin", ""])
def test_an_answer_that_airflow_let_through_and_does_not_count_is_recorded_and_asked_again(
    installation: Workspace, cards: Portfolio, asked: list[dict[str, Any]], user: str
) -> None:
    with pytest.raises(TaskAwaitingInput):
        _operator(cards).execute_complete(_context(), _answer(user))
    assert len(asked) == 1
    assert "approval_refused" in _actions(installation)


@pytest.mark.parametrize("reason", ["", "   ", "ok"])
def test_an_answer_without_a_reason_is_asked_again(
    installation: Workspace, cards: Portfolio, asked: list[dict[str, Any]], reason: str
) -> None:
    with pytest.raises(TaskAwaitingInput):
        _operator(cards).execute_complete(_context(), _answer("otto", reason))
    assert len(asked) == 1


def test_asking_again_does_not_lengthen_the_deadline(
    installation: Workspace, cards: Portfolio, asked: list[dict[str, Any]]
) -> None:
    started = datetime.now(UTC) - cards.promotion.deadline + timedelta(hours=1)
    with pytest.raises(TaskAwaitingInput) as parked:
        _operator(cards).execute_complete(_context(started), _answer("otto", ""))
    assert parked.value.timeout <= timedelta(hours=1)
    too_late = datetime.now(UTC) - cards.promotion.deadline
    assert _operator(cards).execute_complete(_context(too_late), _answer("otto", "")) is None
    assert len(asked) == 1


def test_nobody_is_asked_about_what_cannot_be_carried_out_any_more(
    installation: Workspace, cards: Portfolio, asked: list[dict[str, Any]]
) -> None:
    promote(installation, cards, run_id="run-1", approved_by="otto", reason="in another run")
    assert _operator(cards).execute(_context()) == {"overtaken": "v2 has been promoted already"}
    assert asked == []


def test_where_nobody_is_left_to_ask_the_task_fails_with_what_to_do(
    installation: Workspace, cards: Portfolio, asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "roles.yaml").write_text("users: {vera: [model_validator]}")
    with pytest.raises(ContractError, match="give a second person the role"):
        _operator(cards).execute(_context())
    assert asked == []
