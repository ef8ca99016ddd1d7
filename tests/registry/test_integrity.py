from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry, ModelVersion, Notice
from fraudops.errors import IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.registry import versions
from fraudops.registry.integrity import altered_files, raise_alarms
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.registry.runs import ColumnModel, dumped, register_model


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


@pytest.fixture
def model(workspace: Workspace, cards: Portfolio) -> ModelVersion:
    return register_model(workspace, cards, "lightgbm", ColumnModel("best"))


def _alter(ws: Workspace, model: ModelVersion) -> None:
    content = bytearray(ws.store.get("models", "cards", model.version, "model.joblib"))
    content[len(content) // 2] ^= 1
    ws.store.put(bytes(content), "models", "cards", model.version, "model.joblib")


def _restore(ws: Workspace, model: ModelVersion) -> None:
    ws.store.put(dumped(ColumnModel("best")), "models", "cards", model.version, "model.joblib")


def _refused(ws: Workspace, model: ModelVersion) -> None:
    with pytest.raises(IntegrityError, match=r"restore the file with SHA-256 .* from the backup, or roll back"):
        versions.load(ws, model)


def _notices(ws: Workspace) -> list[Notice]:
    with ws.transaction() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == "model_refused").order_by(Notice.id)))


def _actions(ws: Workspace) -> list[str]:
    with ws.transaction() as session:
        assert list(ledger.verify(session, ws.ledger_key)) == []
        return list(session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.number)))


def test_one_altered_byte_is_refused_and_told_to_model_owner_and_compliance(
    workspace: Workspace, cards: Portfolio, model: ModelVersion
) -> None:
    assert raise_alarms(workspace, cards) == 0
    _alter(workspace, model)
    _refused(workspace, model)
    assert raise_alarms(workspace, cards) == 1
    (notice,) = _notices(workspace)
    assert notice.recipients == [*cards.notices.model_owner, *cards.notices.compliance]
    assert notice.subject == "[fraudops] cards: ALARM, the file of model v1 (lightgbm) was altered"
    assert model.artifact_sha256 in notice.text
    assert "or roll back to another version" in notice.html


@pytest.mark.parametrize("door", [versions.load, versions.artifact_bytes], ids=["load", "artifact_bytes"])
def test_every_door_refuses_a_file_that_is_gone(
    workspace: Workspace, cards: Portfolio, model: ModelVersion, door: Callable[[Workspace, ModelVersion], object]
) -> None:
    workspace.store.path("models", "cards", model.version, "model.joblib").unlink()
    with pytest.raises(IntegrityError, match="the model's file is gone"):
        door(workspace, model)
    raise_alarms(workspace, cards)
    assert _notices(workspace)[0].subject.endswith("the file of model v1 (lightgbm) is gone")


def test_however_many_steps_trip_over_it_there_is_one_alarm(
    workspace: Workspace, cards: Portfolio, model: ModelVersion
) -> None:
    _alter(workspace, model)
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda _: _refused(workspace, model), range(8)))
        list(pool.map(lambda _: raise_alarms(workspace, cards), range(4)))
    assert len(_notices(workspace)) == 1
    with workspace.transaction() as session:
        (finding,) = altered_files(session, "cards")
    assert (finding.version, finding.refusals) == ("v1", 8)


def test_a_finding_ends_when_the_registered_file_is_back_and_the_next_one_is_another_alarm(
    workspace: Workspace, cards: Portfolio, model: ModelVersion
) -> None:
    for count in (1, 2):
        _alter(workspace, model)
        _refused(workspace, model)
        raise_alarms(workspace, cards)
        assert len(_notices(workspace)) == count
        _restore(workspace, model)
        versions.load(workspace, model)
        with workspace.transaction() as session:
            assert altered_files(session, "cards") == []
    assert _actions(workspace)[-4:] == ["model_refused", "model_restored"] * 2


def test_an_intact_file_writes_nothing(workspace: Workspace, model: ModelVersion) -> None:
    versions.load(workspace, model)
    assert _actions(workspace) == ["trained"]
