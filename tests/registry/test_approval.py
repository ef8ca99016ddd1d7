from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry, Notice
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.registry.approval import Question, put_question, refuse_answer, require_approver, rollback_by
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote, stand_back
from fraudops.registry.requests import record_request
from fraudops.roles import Roles
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.registry.runs import leave_run, payments

AS_OF = datetime(2026, 4, 8, tzinfo=UTC)
ROLES = Roles.model_validate({"users": {"vera": ["model_validator"], "otto": ["model_validator"]}})


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    cards = portfolios["cards"]
    approvers = cards.promotion.model_copy(update={"approvers": ("model_validator",)})
    return cards.model_copy(update={"promotion": approvers})


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return payments()


def _verdict(
    ws: Workspace, cards: Portfolio, frame: pd.DataFrame, *, author: str | None = "dana", run_id: str = "run-1"
) -> None:
    if author is not None:
        record_request(ws, cards, run_id=run_id, requested_by=author, reason="weekly", as_of=AS_OF)
    leave_run(ws, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"}, run_id=run_id)
    assert compare(ws, cards, run_id=run_id, as_of=AS_OF).outcome == "PROMOTE"


def _ask(ws: Workspace, cards: Portfolio, roles: Roles = ROLES, run_id: str = "run-1") -> Question:
    return put_question(ws, cards, roles, run_id=run_id)


def _entries(ws: Workspace, action: str) -> list[LedgerEntry]:
    with ws.transaction() as session:
        assert list(ledger.verify(session, ws.ledger_key)) == []
        found = select(LedgerEntry).where(LedgerEntry.action == action).order_by(LedgerEntry.number)
        return list(session.scalars(found))


def test_the_question_goes_to_all_approvers_but_the_author(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _verdict(workspace, cards, frame, author="vera")
    question = _ask(workspace, cards)
    assert [approver.name for approver in question.approvers] == ["otto"]
    assert question.left_out == "vera"
    (entry,) = _entries(workspace, "approval_asked")
    assert entry.details == {"run_id": "run-1", "approvers": ["otto"], "left_out": "vera"}


def test_asking_again_is_recorded_only_where_others_are_asked(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _verdict(workspace, cards, frame)
    _ask(workspace, cards)
    _ask(workspace, cards)
    assert len(_entries(workspace, "approval_asked")) == 1
    _ask(workspace, cards, Roles.model_validate({"users": {"otto": ["model_validator"]}}))
    assert len(_entries(workspace, "approval_asked")) == 2


def test_a_training_by_schedule_has_no_author_to_leave_out(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _verdict(workspace, cards, frame, author="service:cards_train")
    question = _ask(workspace, cards)
    assert ([approver.name for approver in question.approvers], question.left_out) == (["vera", "otto"], None)


@pytest.mark.parametrize("author", ["vera", " Vera", "VERA"])
def test_where_the_author_is_the_only_approver_nobody_may_decide(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame, author: str
) -> None:
    _verdict(workspace, cards, frame, author=author)
    with pytest.raises(ContractError, match=r"nobody may decide: .* the only approver, asked for the training run"):
        _ask(workspace, cards, Roles.model_validate({"users": {"vera": ["model_validator"]}}))


def test_a_training_that_nobody_is_known_to_have_asked_for_is_not_put_to_anybody(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _verdict(workspace, cards, frame, author=None)
    with pytest.raises(ContractError, match="nobody knows who asked for the training run"):
        _ask(workspace, cards)


def test_an_answer_counts_from_an_approver_alone(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _verdict(workspace, cards, frame, author="vera")
    question = _ask(workspace, cards)
    assert question.objection("otto") is None
    assert question.objection("vera") == "vera asked for the training run, and nobody decides on their own work"
    assert question.objection("admin") == "admin is not among those who may decide"
    assert question.objection("") is not None


def test_an_answer_that_does_not_count_is_recorded(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _verdict(workspace, cards, frame, author="vera")
    why = refuse_answer(workspace, cards, _ask(workspace, cards), user="vera", option="Approve")
    (entry,) = _entries(workspace, "approval_refused")
    assert (entry.actor, entry.subject) == ("vera", "cards/models/v2")
    assert entry.details == {"run_id": "run-1", "answer": "Approve", "why": why}


@pytest.mark.parametrize("name", ["vera", "Vera "])
def test_the_promotion_itself_refuses_the_author(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame, name: str
) -> None:
    _verdict(workspace, cards, frame, author="vera")
    with pytest.raises(ContractError, match="nobody decides on their own work"):
        promote(workspace, cards, run_id="run-1", approved_by=name, reason="it is mine")
    assert _entries(workspace, "promoted") == []
    assert promote(workspace, cards, run_id="run-1", approved_by="otto", reason="it is better").version == "v2"


def test_nobody_is_asked_once_the_champion_has_changed(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    for run_id in ("run-1", "run-2"):
        _verdict(workspace, cards, frame, run_id=run_id)
    promote(workspace, cards, run_id="run-2", approved_by="otto", reason="it is better")
    question = _ask(workspace, cards, run_id="run-1")
    assert question.overtaken == "the champion has changed since the verdict was made: it was none, it is v4"
    assert _entries(workspace, "approval_asked") == []


def test_who_comes_too_late_stands_back_with_an_entry_and_one_notice(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    for run_id in ("run-1", "run-2"):
        _verdict(workspace, cards, frame, run_id=run_id)
    promote(workspace, cards, run_id="run-2", approved_by="otto", reason="it is better")
    first = stand_back(workspace, cards, run_id="run-1", approved_by="vera")
    again = stand_back(workspace, cards, run_id="run-1", approved_by="vera")
    assert (first.version, first.declined_by, first.already, again.already) == ("v2", "vera", False, True)
    (entry,) = _entries(workspace, "promotion_overtaken")
    assert "it was none, it is v4" in entry.details["reason"]
    with workspace.transaction() as session:
        (notice,) = session.scalars(select(Notice).where(Notice.kind == "promotion_overtaken"))
    assert notice.recipients == list(cards.notices.model_owner)
    assert notice.subject == "[fraudops] cards: v2 (lightgbm) was not promoted, the champion has changed"
    assert "it was none, it is v4" in notice.text


def test_nobody_stands_back_from_what_can_still_be_carried_out(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _verdict(workspace, cards, frame)
    with pytest.raises(ContractError, match="can still be carried out"):
        stand_back(workspace, cards, run_id="run-1", approved_by="vera")


def test_only_an_approver_may_change_the_champion_by_hand(cards: Portfolio) -> None:
    require_approver(cards, ROLES, "vera", to="roll back")
    with pytest.raises(ContractError, match="admin may not roll back → one of vera, otto may"):
        require_approver(cards, ROLES, "admin", to="roll back")


def test_a_rollback_by_somebody_who_may_not_is_refused_and_recorded(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _verdict(workspace, cards, payments(26), run_id="run-0")
    promote(workspace, cards, run_id="run-0", approved_by="vera", reason="the first one")
    with pytest.raises(ContractError, match="dana may not roll back"):
        rollback_by(workspace, cards, ROLES, version="v2", user="dana", reason="I like it")
    (entry,) = _entries(workspace, "rollback_refused")
    assert (entry.actor, entry.subject) == ("dana", "cards/models/v2")
    assert _entries(workspace, "rolled_back") == []
