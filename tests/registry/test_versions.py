from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry
from fraudops.errors import ContractError, IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.registry import versions
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.registry.runs import START, ColumnModel, register_model


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


def _actions(ws: Workspace) -> list[str]:
    with ws.transaction() as session:
        assert list(ledger.verify(session, ws.ledger_key)) == []
        return list(session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.number)))


def test_a_version_is_numbered_recorded_and_can_be_loaded(workspace: Workspace, cards: Portfolio) -> None:
    model = register_model(workspace, cards, "lightgbm", ColumnModel("best"))
    assert (model.version, model.artifact) == ("v1", "models/portfolio=cards/v1/model.joblib")
    assert versions.load(workspace, model) == ColumnModel("best")
    assert _actions(workspace) == ["trained"]


def test_the_same_run_and_candidate_again_is_the_same_version(workspace: Workspace, cards: Portfolio) -> None:
    first = register_model(workspace, cards, "lightgbm", ColumnModel("best"))
    again = register_model(workspace, cards, "lightgbm", ColumnModel("poor"))
    assert (again.id, again.artifact_sha256) == (first.id, first.artifact_sha256)
    assert versions.load(workspace, again) == ColumnModel("best")
    assert _actions(workspace) == ["trained"]


def test_candidates_that_finish_at_once_get_numbers_without_gaps(workspace: Workspace, cards: Portfolio) -> None:
    names = [f"candidate-{number}" for number in range(6)]
    with ThreadPoolExecutor(max_workers=6) as pool:
        models = list(pool.map(lambda name: register_model(workspace, cards, name, ColumnModel(name)), names + names))
    assert sorted({model.number for model in models}) == [1, 2, 3, 4, 5, 6]
    for model in models:
        assert versions.load(workspace, model) == ColumnModel(model.candidate)
    assert _actions(workspace) == ["trained"] * 6


def test_numbers_count_in_each_portfolio_by_itself(workspace: Workspace, portfolios: dict[str, Portfolio]) -> None:
    numbers = [register_model(workspace, portfolios[name], "x", ColumnModel("a")).number for name in ("cards", "ulb")]
    assert numbers == [1, 1]


def test_a_crash_before_the_commit_leaves_no_version(
    workspace: Workspace, cards: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise OSError("the machine went away")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append", crash)
        with pytest.raises(OSError, match="went away"):
            register_model(workspace, cards, "lightgbm", ColumnModel("best"))
    assert _actions(workspace) == []
    other = register_model(workspace, cards, "xgboost", ColumnModel("good"))
    assert other.version == "v1"
    assert versions.load(workspace, other) == ColumnModel("good")
    assert register_model(workspace, cards, "lightgbm", ColumnModel("best")).version == "v2"


def test_an_altered_file_is_not_unpickled(
    workspace: Workspace, cards: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = register_model(workspace, cards, "lightgbm", ColumnModel("best"))
    content = bytearray(workspace.store.get("models", "cards", "v1", "model.joblib"))
    content[len(content) // 2] ^= 1
    workspace.store.put(bytes(content), "models", "cards", "v1", "model.joblib")
    monkeypatch.setattr("joblib.load", lambda *_: pytest.fail("it was unpickled"))
    with pytest.raises(IntegrityError, match="not the one registered"):
        versions.load(workspace, model)
    assert _actions(workspace) == ["trained", "model_refused"]


def test_a_lost_file_is_refused_and_the_same_training_restores_it(workspace: Workspace, cards: Portfolio) -> None:
    model = register_model(workspace, cards, "lightgbm", ColumnModel("best"))
    workspace.store.path("models", "cards", "v1", "model.joblib").unlink()
    with pytest.raises(IntegrityError, match="gone"):
        versions.load(workspace, model)
    register_model(workspace, cards, "lightgbm", ColumnModel("poor"))
    with pytest.raises(IntegrityError, match="gone"):
        versions.load(workspace, model)
    register_model(workspace, cards, "lightgbm", ColumnModel("best"))
    assert versions.load(workspace, model) == ColumnModel("best")


@pytest.mark.parametrize("name", ["v9", "x", "", "v", "v²", "v99999999999999999999"])
def test_an_unknown_version_is_named(workspace: Workspace, cards: Portfolio, name: str) -> None:
    with workspace.transaction() as session, pytest.raises(ContractError, match="no model version"):
        versions.version(session, cards.name, name)


def test_no_champion_before_the_first_promotion(workspace: Workspace, cards: Portfolio) -> None:
    register_model(workspace, cards, "lightgbm", ColumnModel("best"))
    with workspace.transaction() as session:
        assert versions.champion(session, "cards") is None
        assert versions.champion_at(session, "cards", START + timedelta(days=900)) is None
        assert versions.first_champion(session, "cards") is None
        assert versions.history(session, "cards") == []
