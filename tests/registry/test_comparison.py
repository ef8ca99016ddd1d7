from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry, Verdict
from fraudops.errors import ContractError, IntegrityError
from fraudops.portfolio import Portfolio, Promotion
from fraudops.registry.comparison import VerdictSummary, compare, verdict_of
from fraudops.registry.promotion import promote
from fraudops.training.dataset import parquet_bytes
from fraudops.workspace import Workspace
from sqlalchemy import func, select

from tests.registry.runs import START, ColumnModel, leave_run, payments

AS_OF = datetime(2026, 4, 8, tzinfo=UTC)


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return payments()


def _compare(ws: Workspace, cards: Portfolio, run_id: str = "run-1") -> VerdictSummary:
    return compare(ws, cards, run_id=run_id, as_of=AS_OF)


def _gate(found: VerdictSummary, name: str) -> dict:
    return next(gate for gate in found.gates if gate["name"] == name)


def _champion(ws: Workspace, cards: Portfolio, column: str, *, salt: int = 0) -> None:
    """A champion that reads a column and was trained until the end of the first 26 days."""
    leave_run(
        ws,
        cards,
        payments(26),
        {"logistic_regression": "poor", "random_forest": column},
        run_id="run-0",
        salt=salt,
    )
    assert _compare(ws, cards, "run-0").outcome == "PROMOTE"
    promote(ws, cards, run_id="run-0", approved_by="vera", reason="the first one")


def test_the_first_model_is_put_forward(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best", "xgboost": "good"})
    found = _compare(workspace, cards)
    assert (found.outcome, found.challenger, found.challenger_candidate) == ("PROMOTE", "v2", "lightgbm")
    assert found.champion is None
    assert "2026-03-25 to 2026-03-30" in found.reason
    with workspace.transaction() as session:
        entry = session.scalar(select(LedgerEntry).where(LedgerEntry.action == "verdict"))
        assert entry is not None
        assert (entry.details["outcome"], entry.details["failed_gates"]) == ("PROMOTE", [])
        assert list(ledger.verify(session, workspace.ledger_key)) == []


def test_the_baseline_may_win(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "best", "lightgbm": "good"})
    found = _compare(workspace, cards)
    assert (found.outcome, found.challenger_candidate) == ("PROMOTE", "logistic_regression")


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ({"xgboost": "good", "logistic_regression": "good"}, "logistic_regression"),
        ({"xgboost": "good", "random_forest": "good", "logistic_regression": "poor"}, "random_forest"),
    ],
)
def test_of_equal_candidates_the_simpler_one_is_chosen(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame, candidates: dict[str, str], chosen: str
) -> None:
    leave_run(workspace, cards, frame, candidates)
    assert _compare(workspace, cards).challenger_candidate == chosen


def test_the_challenger_is_chosen_on_validation_and_rejected_on_test(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    flattered = frame.assign(fair=frame["best"].where(frame["slice"] == "validation", frame["poor"]))
    leave_run(workspace, cards, flattered, {"logistic_regression": "good", "lightgbm": "fair"})
    found = _compare(workspace, cards)
    assert (found.outcome, found.challenger_candidate) == ("REJECT", "lightgbm")
    assert "below the baseline logistic_regression" in found.reason


def _a_little_worse(frame: pd.DataFrame) -> pd.DataFrame:
    """A column that is chosen on the validation slice, and on the test slice a shade worse than the baseline's."""
    noise = np.random.default_rng(2).normal(scale=0.4, size=len(frame))
    odds = np.log(frame["good"] / (1 - frame["good"])) + noise
    return frame.assign(fair=frame["best"].where(frame["slice"] == "validation", 1 / (1 + np.exp(-odds))))


def test_without_a_champion_the_baseline_stands_in_for_what_cannot_be_told_from_it(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    leave_run(workspace, cards, _a_little_worse(frame), {"logistic_regression": "good", "lightgbm": "fair"})
    found = _compare(workspace, cards)
    assert (found.outcome, found.challenger_candidate) == ("PROMOTE", "logistic_regression")
    assert "It stands in for v2 (lightgbm), which was chosen on the validation slice" in found.reason
    assert promote(workspace, cards, run_id="run-1", approved_by="vera", reason="the simpler one").version == "v1"


def test_beside_a_champion_nobody_stands_in(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _champion(workspace, cards, "poor")
    leave_run(workspace, cards, _a_little_worse(frame), {"logistic_regression": "good", "lightgbm": "fair"})
    found = _compare(workspace, cards)
    assert (found.outcome, found.challenger_candidate) == ("HOLD", "lightgbm")
    assert "may lie below the baseline" in found.reason


def test_a_segment_that_pays_for_the_others_keeps_the_champion(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    """Better on the whole, and blind to the smallest amounts."""
    _champion(workspace, cards, "fair")
    blind = frame.assign(best=frame["best"].where(frame["amount_minor"] >= 3_000, 1e-4))
    leave_run(workspace, cards, blind, {"logistic_regression": "poor", "lightgbm": "best"})
    segments = cards.promotion.gates.segments.model_copy(update={"amount_bands": (30.0,)})
    gates = cards.promotion.gates.model_copy(update={"segments": segments})
    found = _compare(workspace, cards.model_copy(update={"promotion": Promotion(gates=gates)}))
    assert found.outcome in ("HOLD", "REJECT")
    assert "no segment loses (amount below 30.00: -" in found.reason
    assert [part["name"] for part in _gate(found, "no segment loses")["parts"]] == [
        "amount below 30.00",
        "amount from 30.00",
    ]


def test_time_and_size_are_of_the_registered_file(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _champion(workspace, cards, "fair")
    models = leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    found = _compare(workspace, cards)
    size = len(workspace.store.get("models", "cards", models["lightgbm"].version, "model.joblib"))
    assert _gate(found, "size of the model file")["value"] == pytest.approx(size / 1e6, rel=0.01)
    assert "of v2 (random_forest)" in _gate(found, "processor time of one transaction")["explanation"]


def test_a_run_keeps_its_verdict(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    with ThreadPoolExecutor(max_workers=3) as pool:
        found = list(pool.map(lambda _: _compare(workspace, cards), range(3)))
    assert found[0] == found[1] == found[2] == _compare(workspace, cards)
    with workspace.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Verdict)) == 1
        assert verdict_of(session, cards, "run-1").challenger.version == "v2"


def test_a_better_challenger_is_put_forward(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _champion(workspace, cards, "fair")
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    found = _compare(workspace, cards)
    assert (found.outcome, found.champion, found.champion_candidate) == ("PROMOTE", "v2", "random_forest")
    assert "v4 (lightgbm) is better than champion v2 (random_forest)" in found.reason


def test_only_rows_that_the_champion_has_not_seen_are_compared(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _champion(workspace, cards, "fair")
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    found = _compare(workspace, cards)
    better, floor = _gate(found, "better than the champion"), _gate(found, "not below the baseline")
    assert (better["rows"]["first"], better["rows"]["n"]) == ("2026-03-27", 800)
    assert (floor["rows"]["first"], floor["rows"]["n"]) == ("2026-03-25", 1200)
    unseen = frame[frame["event_time"] >= START + timedelta(days=26)]
    assert better["rows"]["positives"] == unseen["label"].sum()


def test_a_worse_challenger_is_rejected(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _champion(workspace, cards, "best")
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "fair"})
    found = _compare(workspace, cards)
    assert (found.outcome, "is worse than champion v2" in found.reason) == ("REJECT", True)


def test_noise_keeps_the_champion(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _champion(workspace, cards, "good")
    twin = frame.assign(fair=payments(seed=2)["good"].where(frame["label"] == payments(seed=2)["label"], frame["good"]))
    leave_run(workspace, cards, twin, {"logistic_regression": "poor", "lightgbm": "fair"})
    assert _compare(workspace, cards).outcome == "HOLD"


@pytest.mark.parametrize(("salt", "says"), [(0, "very artifact"), (1, "the same score")])
def test_a_tie_keeps_the_champion(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame, salt: int, says: str
) -> None:
    _champion(workspace, cards, "good")
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "good"}, salt=salt)
    found = _compare(workspace, cards)
    assert (found.outcome, says in found.reason) == ("HOLD", True)


def test_nothing_new_for_the_champion_is_undecided(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "random_forest": "fair"}, run_id="run-0")
    _compare(workspace, cards, "run-0")
    promote(workspace, cards, run_id="run-0", approved_by="vera", reason="the first one")
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    found = _compare(workspace, cards)
    assert (found.outcome, "0 frauds since then" in found.reason) == ("HOLD", True)


def test_a_champion_whose_columns_are_gone_is_undecided(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    _champion(workspace, cards, "good")
    leave_run(
        workspace,
        cards,
        frame.drop(columns="good"),
        {"logistic_regression": "poor", "lightgbm": "best"},
    )
    found = _compare(workspace, cards)
    assert (found.outcome, "needs good, which" in found.reason) == ("HOLD", True)


def test_a_random_split_is_never_put_forward(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"}, split="random")
    found = _compare(workspace, cards)
    assert (found.outcome, "random split" in found.reason) == ("HOLD", True)


def test_too_few_frauds_are_undecided(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(frauds=0.01), {"logistic_regression": "poor", "lightgbm": "best"})
    found = _compare(workspace, cards)
    assert (found.outcome, "20 are needed" in found.reason) == ("HOLD", True)


def test_no_fraud_at_all_is_undecided(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(frauds=0.0), {"logistic_regression": "poor", "lightgbm": "best"})
    assert _compare(workspace, cards).outcome == "HOLD"


def test_the_baseline_must_be_there(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    leave_run(workspace, cards, frame, {"lightgbm": "best"})
    with pytest.raises(ContractError, match="baseline logistic_regression is missing"):
        _compare(workspace, cards)


def test_predictions_that_are_not_the_models_are_refused(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    monkeypatch.setattr(ColumnModel, "score", lambda self, frame: frame[self.column].to_numpy() * 0.5)
    with pytest.raises(IntegrityError, match="not those of the registered model"):
        _compare(workspace, cards)


@pytest.mark.parametrize(("content", "says"), [(b"altered", "not the file that was written"), (None, "is gone")])
def test_altered_predictions_are_refused(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame, content: bytes | None, says: str
) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    path = workspace.store.path("training", "cards", "run-1", "predictions_logistic_regression.parquet")
    path.write_bytes(content) if content else path.unlink()
    with pytest.raises(IntegrityError, match=says):
        _compare(workspace, cards)


def test_an_altered_data_set_is_refused(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    workspace.store.put(parquet_bytes(frame.tail(1_200)), "training", "cards", "run-1", "dataset.parquet")
    with pytest.raises(IntegrityError, match="data set is not the one"):
        _compare(workspace, cards)


def test_an_altered_champion_is_not_compared(workspace: Workspace, cards: Portfolio, frame: pd.DataFrame) -> None:
    _champion(workspace, cards, "good")
    leave_run(workspace, cards, frame, {"logistic_regression": "poor", "lightgbm": "best"})
    workspace.store.put(b"something else", "models", "cards", "v2", "model.joblib")
    with pytest.raises(IntegrityError, match="not the one registered"):
        _compare(workspace, cards)
    with workspace.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Verdict)) == 1


def test_a_run_without_a_verdict_is_named(workspace: Workspace, cards: Portfolio) -> None:
    with workspace.transaction() as session, pytest.raises(ContractError, match="no verdict"):
        verdict_of(session, cards, "run-9")


def test_a_row_that_stands_for_others_weighs_for_them(
    workspace: Workspace, cards: Portfolio, frame: pd.DataFrame
) -> None:
    """Every other fraud became known by one chance in ten."""
    _champion(workspace, cards, "fair")
    stands_for = np.where(frame["label"] & (np.arange(len(frame)) % 2 == 0), 10.0, 1.0)
    leave_run(
        workspace, cards, frame.assign(label_weight=stands_for), {"logistic_regression": "poor", "lightgbm": "best"}
    )
    found = _gate(_compare(workspace, cards), "as many frauds as expected")
    unseen = (frame["label"] & (frame["event_time"] >= START + timedelta(days=26))).to_numpy()
    assert found["explanation"].startswith(f"{stands_for[unseen].sum():,.0f} happened")
    assert stands_for[unseen].sum() > 4 * unseen.sum()
