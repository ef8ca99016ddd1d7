from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry, ModelVersion, PromotionRecord
from fraudops.decisions.succession import Succession
from fraudops.errors import ConflictError, ContractError, IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.registry import versions
from fraudops.registry.comparison import compare
from fraudops.registry.locks import hold_champion
from fraudops.registry.promotion import PromotionSummary, decline, promote, rollback
from fraudops.stack.postgres import Postgres
from fraudops.workspace import Workspace
from sqlalchemy import func, select

from tests.installations import Template
from tests.registry.runs import leave_run, payments

AS_OF = datetime(2026, 4, 8, tzinfo=UTC)
TRAINED = datetime(2026, 4, 6, 23, 52, 49, tzinfo=UTC)
"""The models' as_of: a week after the last of 30 days' payments."""


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return payments()


@pytest.fixture(scope="module")
def judged_once(
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
    portfolios: dict[str, Portfolio],
    frame: pd.DataFrame,
) -> Template:
    """An installation with one training run, whose verdict is PROMOTE."""
    folder = tmp_path_factory.mktemp("judged")
    return Template.made(postgres, folder, lambda ws: _verdict(ws, portfolios["cards"], frame))


@pytest.fixture
def judged(judged_once: Template, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it of the test's own."""
    with judged_once.copy(tmp_path) as ws:
        yield ws


@pytest.fixture(scope="module")
def succeeded_once(
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
    portfolios: dict[str, Portfolio],
    frame: pd.DataFrame,
) -> Template:
    """An installation in which v4 became champion after v2."""
    folder = tmp_path_factory.mktemp("succeeded")
    return Template.made(postgres, folder, lambda ws: _two_champions(ws, portfolios["cards"], frame))


@pytest.fixture
def succeeded(succeeded_once: Template, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it of the test's own."""
    with succeeded_once.copy(tmp_path) as ws:
        yield ws


def _verdict(ws: Workspace, cards: Portfolio, frame: pd.DataFrame, run_id: str = "run-1", column: str = "best") -> str:
    leave_run(ws, cards, frame, {"logistic_regression": "poor", "lightgbm": column}, run_id=run_id)
    return compare(ws, cards, run_id=run_id, as_of=AS_OF).outcome


def _promote(ws: Workspace, cards: Portfolio, run_id: str = "run-1", by: str = "vera") -> PromotionSummary:
    return promote(ws, cards, run_id=run_id, approved_by=by, reason="better on unseen rows")


def _two_champions(ws: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _verdict(ws, cards, payments(26), "run-0", "fair")
    _promote(ws, cards, "run-0")
    assert _verdict(ws, cards, frame) == "PROMOTE"
    _promote(ws, cards)


def _scored(ws: Workspace, key: str) -> None:
    ws.store.write("scores", "cards", key, pa.table({"transaction_id": ["a"]}), config="c")


def _actions(ws: Workspace) -> list[str]:
    with ws.transaction() as session:
        assert list(ledger.verify(session, ws.ledger_key)) == []
        return list(session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.number)))


def test_a_promotion_names_its_author_and_its_ledger_entry(judged: Workspace, cards: Portfolio) -> None:
    summary = _promote(judged, cards)
    assert (summary.version, summary.previous, summary.kind, summary.already) == ("v2", None, "promotion", False)
    assert 0.5 < summary.metrics["average_precision"] <= 1
    with judged.transaction() as session:
        (record,) = versions.history(session, "cards")
        entry = session.get(LedgerEntry, record.ledger_number)
        assert entry is not None
        assert (entry.action, entry.actor, entry.subject) == ("promoted", "vera", "cards/models/v2")
        assert entry.details["artifact_sha256"] == record.model.artifact_sha256
        found = versions.champion(session, "cards")
        assert found is not None
        assert found.version == "v2"


def test_the_same_verdict_again_changes_nothing(judged: Workspace, cards: Portfolio) -> None:
    first, again = _promote(judged, cards), _promote(judged, cards, by="otto")
    assert (again.already, again.approved_by, again.ledger_number) == (True, "vera", first.ledger_number)
    assert _actions(judged).count("promoted") == 1


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("vera", " "), ("\n", "\t")])
def test_without_an_approver_or_a_reason_nothing_is_promoted(
    judged: Workspace, cards: Portfolio, by: str, reason: str
) -> None:
    with pytest.raises(ContractError, match="is missing"):
        promote(judged, cards, run_id="run-1", approved_by=by, reason=reason)
    assert "promoted" not in _actions(judged)


def test_only_the_verdict_promote_is_carried_out(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"}, split="random")
    compare(workspace, cards, run_id="run-1", as_of=AS_OF)
    with pytest.raises(ContractError, match="is HOLD, so it cannot become champion"):
        _promote(workspace, cards)


def test_what_was_not_gated_is_not_promoted(judged: Workspace, cards: Portfolio) -> None:
    judged.store.put(b"another model", "models", "cards", "v2", "model.joblib")
    with pytest.raises(IntegrityError, match="not the one registered"):
        _promote(judged, cards)
    assert _actions(judged)[-1] == "model_refused"


def test_of_two_promotions_at_once_one_wins(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    runs = ["run-1", "run-2", "run-3"]
    for run_id in runs:
        assert _verdict(workspace, cards, frame, run_id) == "PROMOTE"

    def attempt(run_id: str) -> PromotionSummary | ConflictError:
        try:
            return _promote(workspace, cards, run_id)
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(max_workers=3) as pool:
        found = list(pool.map(attempt, runs))
    won = [one for one in found if isinstance(one, PromotionSummary)]
    lost = [one for one in found if isinstance(one, ConflictError)]
    assert (len(won), len(lost)) == (1, 2)
    assert all(f"it was none, it is {won[0].version}" in str(error) for error in lost)
    assert _actions(workspace).count("promoted") == 1


def test_a_failing_ledger_leaves_the_champion_as_it_was(
    judged: Workspace, cards: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:

    def crash(*_: object, **__: object) -> None:
        raise OSError("the machine went away")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append", crash)
        with pytest.raises(OSError, match="went away"):
            _promote(judged, cards)
    with judged.transaction() as session:
        assert versions.champion(session, "cards") is None
    assert not _promote(judged, cards).already


def test_it_is_in_force_from_when_the_model_was_known(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _scored(workspace, "2026-03-20")
    _verdict(workspace, cards, frame)
    assert datetime.fromisoformat(_promote(workspace, cards).effective_from).replace(microsecond=0) == TRAINED


def test_it_is_not_in_force_where_another_champion_has_scored(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _scored(workspace, "2026-04-10")
    _scored(workspace, "2026-04-09")
    _verdict(workspace, cards, frame)
    summary = _promote(workspace, cards)
    assert summary.effective_from == "2026-04-11T00:00:00.000001+00:00"
    moment = datetime(2026, 4, 11, tzinfo=UTC)
    with workspace.transaction() as session:
        assert versions.champion_at(session, "cards", moment) is None, "the partition that ends then is another's"
        found = versions.champion_at(session, "cards", moment + timedelta(seconds=1))
        assert found is not None
        assert found.version == "v2"


def test_a_promotion_waits_for_a_partition_that_is_being_scored(judged: Workspace, cards: Portfolio) -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        with judged.transaction() as session:
            hold_champion(session, "cards")
            waiting = pool.submit(_promote, judged, cards)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.4)
            _scored(judged, "2026-04-10")
        assert waiting.result(timeout=20).effective_from == "2026-04-11T00:00:00.000001+00:00"


def test_a_refusal_is_recorded_once(judged: Workspace, cards: Portfolio) -> None:
    first = decline(judged, cards, run_id="run-1", declined_by="vera", reason="too few weeks")
    again = decline(judged, cards, run_id="run-1", declined_by="vera", reason="too few weeks")
    assert (first.already, again.already, again.ledger_number) == (False, True, first.ledger_number)
    assert _actions(judged).count("promotion_declined") == 1
    with judged.transaction() as session:
        assert versions.champion(session, "cards") is None


def test_what_was_promoted_cannot_be_declined(judged: Workspace, cards: Portfolio) -> None:
    _promote(judged, cards)
    with pytest.raises(ConflictError, match="promoted already"):
        decline(judged, cards, run_id="run-1", declined_by="vera", reason="")


def test_rollback_brings_a_former_champion_back(succeeded: Workspace, cards: Portfolio) -> None:
    _scored(succeeded, "2026-04-12")
    summary = rollback(succeeded, cards, version="v2", approved_by="vera", reason="v4 blocks too much")
    assert (summary.version, summary.previous, summary.kind) == ("v2", "v4", "rollback")
    assert summary.effective_from == "2026-04-13T00:00:00.000001+00:00"
    again = rollback(succeeded, cards, version="v2", approved_by="vera", reason="v4 blocks too much")
    assert (again.already, again.ledger_number) == (True, summary.ledger_number)
    assert _actions(succeeded).count("rolled_back") == 1
    with succeeded.transaction() as session:
        succession = Succession.read(session, cards)
        scored_by = [succession.model_for(key) for key in ("2026-04-12", "2026-04-13")]
        assert [model.version for model in scored_by if isinstance(model, ModelVersion)] == ["v4", "v2"]
        before = versions.champion_at(session, "cards", datetime(2026, 4, 12, tzinfo=UTC))
        now = versions.champion(session, "cards")
        first = versions.first_champion(session, "cards")
        assert [one.version for one in (before, now, first) if one] == ["v4", "v2", "v2"]
        assert session.scalar(select(func.count()).select_from(PromotionRecord)) == 3


def test_a_rollback_makes_an_older_verdict_stale(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _verdict(workspace, cards, payments(26), "run-0", "fair")
    _promote(workspace, cards, "run-0")
    _verdict(workspace, cards, frame, "run-1", "best")
    _verdict(workspace, cards, frame, "run-2", "best")
    _promote(workspace, cards, "run-1")
    with pytest.raises(ConflictError, match="it was v2, it is v4"):
        _promote(workspace, cards, "run-2")


@pytest.mark.parametrize(
    ("version", "error", "says"),
    [
        ("v1", ContractError, "never been champion"),
        ("v4", ConflictError, "champion already"),
        ("v9", ContractError, "no model"),
    ],
)
def test_a_rollback_that_cannot_be(
    succeeded: Workspace, cards: Portfolio, version: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        rollback(succeeded, cards, version=version, approved_by="vera", reason="because")
