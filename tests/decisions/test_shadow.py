"""A challenger beside the champion, from its start to the verdict; models here read the risk off the amount."""

from __future__ import annotations

import io
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry, ModelVersion, PromotionRecord, Shadow, Verdict
from fraudops.decisions import scoring
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.scoring import score_many
from fraudops.decisions.shadow import heal, score_shadow, undone
from fraudops.errors import ConflictError, ContractError, IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.portfolio.shadow import ShadowRule
from fraudops.registry.promotion import promote
from fraudops.registry.requests import record_request
from fraudops.registry.shadow import comes_first, progress, running, shadows, start, start_after_verdict, stop
from fraudops.registry.shadow_comparison import conclude
from fraudops.registry.versions import register
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.decisions.amounts import AmountModel
from tests.decisions.conftest import Bank, at

FIRST = "2026-03-01"
DAYS = [f"2026-03-{day:02d}" for day in range(1, 15)]
PER_DAY = 40


@dataclass
class DeafModel(AmountModel):
    """Says the same of every payment but for a trifle that tells nothing."""

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        return 0.1 + frame["event_time"].dt.hour.to_numpy(dtype=float) / 1e4


def _register(bank: Bank, run_id: str, candidate: str, model: AmountModel) -> ModelVersion:
    content = io.BytesIO()
    joblib.dump(model, content)
    with bank.ws.transaction() as session:
        return register(
            bank.ws, session, bank.portfolio, run_id=run_id, candidate=candidate, as_of=at("2026-03-01"),
            trained_until=at("2026-02-01"), model_bytes=content.getvalue(), metrics={},
            thresholds={"review": 0.5, "block": 0.9}, lineage={},
        )  # fmt: skip


def _verdict(bank: Bank, challenger: ModelVersion, outcome: str) -> Verdict:
    with bank.ws.transaction() as session:
        champion = session.scalar(select(PromotionRecord.model_id).order_by(PromotionRecord.id.desc()).limit(1))
        verdict = Verdict(
            portfolio="cards", run_id=challenger.run_id, challenger_id=challenger.id, challenger=challenger,
            champion_id=champion, outcome=outcome, reason="by hand", gates=[], as_of=at("2026-03-01"),
            created_at=at("2026-03-01"),
        )  # fmt: skip
        session.add(verdict)
    return verdict


@pytest.fixture
def bank(workspace: Workspace, portfolios: dict[str, Portfolio]) -> Bank:
    """A deaf champion v1, and the challenger v3 that follows the risk, with the verdict HOLD."""
    bank = Bank(workspace, portfolios["cards"])
    champion = _register(bank, "run-0", "random_forest", DeafModel())
    bank.put_in_force(champion, "2026-02-20")
    baseline = _register(bank, "run-1", "logistic_regression", DeafModel(factor=2.0))
    challenger = _register(bank, "run-1", "lightgbm", AmountModel())
    bank.models = [champion, baseline, challenger]
    record_request(workspace, bank.portfolio, run_id="run-1", requested_by="dana", reason="weekly", as_of=at(FIRST))
    _verdict(bank, challenger, "HOLD")
    return bank


def _start(bank: Bank, days: int = 7, model: str = "v3") -> Shadow:
    return start(bank.ws, bank.portfolio, model=model, days=days, started_by="dana", reason="more frauds may decide")


def _live(bank: Bank, keys: list[str], *, shadow: bool = True) -> None:
    """Days of payments, scored as they come; frauds are reported two days later."""
    for key in keys:
        random = np.random.default_rng(int(key[-2:]))
        risk = np.where(random.random(PER_DAY) < 0.15, 0.8, 0.01)
        bank.day(key, [float(value) * 1000 for value in risk])
        score_many(bank.ws, bank.portfolio, [key])
        if shadow:
            score_shadow(bank.ws, bank.portfolio, [key])
        frauds = [f"{key}-{number}" for number in np.flatnonzero(random.random(PER_DAY) < risk)]
        arrival = bank.portfolio.partitioning.end(key) + timedelta(days=2)
        table = pa.table(
            {
                "transaction_id": pa.array(frauds, pa.string()),
                "label": pa.array([True] * len(frauds), pa.bool_()),
                "known_at": pa.array([arrival] * len(frauds), pa.timestamp("us", "UTC")),
            }
        )
        bank.ws.store.write("labels", "cards", bank.portfolio.partitioning.key_of(arrival), table, config="c")


def _entries(bank: Bank, action: str) -> list[LedgerEntry]:
    with bank.ws.transaction() as session:
        assert list(ledger.verify(session, bank.ws.ledger_key)) == []
    return bank.ledger(action)


def test_a_shadow_covers_whole_partitions_after_what_was_scored(bank: Bank) -> None:
    _live(bank, DAYS[:2])
    shadow = _start(bank)
    assert (shadow.starts_at, shadow.ends_at) == (at("2026-03-03"), at("2026-03-10"))
    (entry,) = _entries(bank, "shadow_started")
    assert (entry.actor, entry.subject, entry.details["days"]) == ("dana", "cards/shadows/v3", 7)
    _live(bank, DAYS[2:])
    assert bank.ws.store.keys("shadow_scores", "cards") == DAYS[2:9]


def test_its_would_be_decisions_are_kept_and_nothing_acts_on_them(bank: Bank) -> None:
    _start(bank)
    _live(bank, DAYS[:1])
    table = bank.ws.store.read_partition("shadow_scores", "cards", FIRST)
    assert table.column_names[:3] == ["transaction_id", "score", "decision"]
    assert "review" in table["decision"].to_pylist()
    assert set(bank.ws.store.read_partition("scores", "cards", FIRST)["decision"].to_pylist()) == {"allow"}
    assert raise_alerts(bank.ws, bank.portfolio, FIRST, actor="t").raised == 0
    assert bank.alerts() == []
    (entry,) = _entries(bank, "shadow_scored")
    assert (entry.subject, entry.details["model_version"]) == (f"cards/shadow_scores/{FIRST}", "v3")


def test_the_same_again_gives_the_same_bytes_and_no_entry(bank: Bank) -> None:
    _start(bank)
    _live(bank, DAYS[:2])
    before = bank.stored("shadow_scores")
    again = score_shadow(bank.ws, bank.portfolio, DAYS[:2])
    assert (again.scored, again.unchanged) == ((), tuple(DAYS[:2]))
    assert bank.stored("shadow_scores") == before
    assert len(_entries(bank, "shadow_scored")) == 2


def test_what_was_left_out_is_healed_and_what_is_there_is_left_alone(bank: Bank) -> None:
    _start(bank)
    _live(bank, DAYS[:1])
    _live(bank, DAYS[1:3], shadow=False)
    with bank.ws.transaction() as session:
        found = progress(bank.ws.store, session, bank.portfolio)
    assert found is not None
    assert (found.scored, found.published, found.expected) == (1, 3, 7)
    assert "2 left out so far" in found.sentence
    assert undone(bank.ws, bank.portfolio) == DAYS[1:3]
    assert heal(bank.ws, bank.portfolio).scored == tuple(DAYS[1:3])
    assert undone(bank.ws, bank.portfolio) == []


def test_a_corrected_partition_is_scored_again_in_the_shadow_too(bank: Bank) -> None:
    _start(bank)
    _live(bank, DAYS[:1])
    bank.day(FIRST, [800.0, 10.0])
    assert undone(bank.ws, bank.portfolio) == [FIRST]
    score_many(bank.ws, bank.portfolio, [FIRST])
    assert heal(bank.ws, bank.portfolio).scored == (FIRST,)
    assert bank.ws.store.require("shadow_scores", "cards", FIRST).rows == 2


def test_an_altered_challenger_is_refused_and_the_champion_goes_on(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    _start(bank)
    bank.artifact(bank.models[2]).write_bytes(b"something else")
    monkeypatch.setattr(scoring, "_models", OrderedDict())  # another test's process may hold the very same model
    _live(bank, DAYS[:1], shadow=False)
    with pytest.raises(IntegrityError, match="not the one registered"):
        score_shadow(bank.ws, bank.portfolio, [FIRST])
    assert bank.ws.store.keys("scores", "cards") == [FIRST]
    assert bank.ws.store.keys("shadow_scores", "cards") == []


def test_it_is_compared_only_once_its_labels_have_matured(bank: Bank) -> None:
    delay = bank.portfolio.labels.delay.days
    _start(bank, days=7)
    _live(bank, DAYS[: 7 + delay - 1])
    assert conclude(bank.ws, bank.portfolio) is None
    _live(bank, DAYS[7 + delay - 1 : 7 + delay])
    assert conclude(bank.ws, bank.portfolio) is not None


def test_it_is_not_compared_while_a_partition_is_left_out(bank: Bank) -> None:
    _start(bank)
    _live(bank, DAYS[:3])
    _live(bank, DAYS[3:4], shadow=False)
    _live(bank, DAYS[4:])
    assert conclude(bank.ws, bank.portfolio) is None
    heal(bank.ws, bank.portfolio)
    assert conclude(bank.ws, bank.portfolio) is not None


def test_a_challenger_that_finds_the_fraud_is_promoted_through_the_same_door(bank: Bank) -> None:
    _start(bank)
    _live(bank, DAYS)
    verdict = conclude(bank.ws, bank.portfolio)
    assert verdict is not None
    assert (verdict.kind, verdict.run_id, verdict.outcome) == ("shadow", "shadow__v3__2026-03-01T00", "PROMOTE"), (
        verdict.reason
    )
    assert verdict.reason.startswith("In the shadow from 2026-03-01 to 2026-03-07: v3 (lightgbm) is better than")
    assert conclude(bank.ws, bank.portfolio) is None
    (entry,) = _entries(bank, "shadow_ended")
    assert entry.details == {"outcome": "compared", "reason": None, "verdict": "PROMOTE"}
    with pytest.raises(ContractError, match="dana asked for the training run"):
        promote(bank.ws, bank.portfolio, run_id=verdict.run_id, approved_by="dana", reason="mine")
    summary = promote(bank.ws, bank.portfolio, run_id=verdict.run_id, approved_by="vera", reason="it was right")
    assert (summary.version, summary.previous) == ("v3", "v1")


def test_one_that_says_what_the_champion_says_is_held(bank: Bank) -> None:
    twin = _register(bank, "run-2", "random_forest", DeafModel())
    _verdict(bank, twin, "PROMOTE")
    _start(bank, model="v4")
    _live(bank, DAYS)
    verdict = conclude(bank.ws, bank.portfolio)
    assert verdict is not None
    assert verdict.outcome == "HOLD"
    assert "a tie keeps the champion" in verdict.reason


def test_partitions_of_another_champion_are_not_compared(bank: Bank) -> None:
    _start(bank)
    _live(bank, DAYS[:3])
    other = _register(bank, "run-2", "random_forest", DeafModel(factor=3.0))
    bank.put_in_force(other, "2026-03-04")
    _live(bank, DAYS[3:])
    verdict = conclude(bank.ws, bank.portfolio)
    assert verdict is not None
    assert verdict.champion_id == other.id
    rows = next(gate["rows"] for gate in verdict.gates if gate["rows"])
    assert (rows["first"], rows["last"], rows["n"]) == ("2026-03-04", "2026-03-07", 4 * PER_DAY)


def test_what_was_really_blocked_is_not_compared_where_blocks_hide_labels(bank: Bank) -> None:
    labels = bank.portfolio.labels.model_copy(update={"blocked": "unlabelled"})
    bank.portfolio = bank.portfolio.model_copy(update={"labels": labels})
    blocking = _register(bank, "run-2", "random_forest", AmountModel(factor=1.2))
    bank.put_in_force(blocking, "2026-02-21")
    _start(bank)
    _live(bank, DAYS)
    tables = [bank.ws.store.read_partition("scores", "cards", key) for key in DAYS[:7]]
    blocked = sum(table["decision"].to_pylist().count("block") for table in tables)
    verdict = conclude(bank.ws, bank.portfolio)
    assert verdict is not None
    rows = next(gate["rows"] for gate in verdict.gates if gate["rows"])
    assert blocked > 0
    assert rows["n"] == 7 * PER_DAY - blocked


def test_there_is_one_at_a_time_even_where_two_start_at_once(bank: Bank) -> None:
    twin = _register(bank, "run-2", "random_forest", AmountModel(factor=0.9))
    _verdict(bank, twin, "HOLD")

    def attempt(model: str) -> object:
        try:
            return _start(bank, model=model)
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(attempt, ["v3", "v4"]))
    assert sorted(type(one).__name__ for one in found) == ["ConflictError", "Shadow"]
    assert len(_entries(bank, "shadow_started")) == 1


def test_a_stopped_one_scores_no_more_and_is_not_compared(bank: Bank) -> None:
    _start(bank)
    _live(bank, DAYS[:2])
    stop(bank.ws, bank.portfolio, stopped_by="vera", reason="too slow")
    _live(bank, DAYS[2:])
    assert bank.ws.store.keys("shadow_scores", "cards") == DAYS[:2]
    assert conclude(bank.ws, bank.portfolio) is None
    with pytest.raises(ContractError, match="no shadow runs"):
        stop(bank.ws, bank.portfolio, stopped_by="vera", reason="again")


@pytest.mark.parametrize(
    ("model", "says"),
    [("v1", "v1 is the champion"), ("v2", "it was no training run's challenger"), ("v9", "there is no model version")],
)
def test_only_a_challenger_can_be_one(bank: Bank, model: str, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        _start(bank, model=model)


def test_a_rejected_challenger_cannot_be_one(bank: Bank) -> None:
    rejected = _register(bank, "run-2", "xgboost", AmountModel(factor=0.5))
    _verdict(bank, rejected, "REJECT")
    with pytest.raises(ContractError, match="the verdict on it is REJECT"):
        _start(bank, model="v4")


def test_the_portfolio_can_ask_for_one_after_each_training(bank: Bank) -> None:
    promotion = bank.portfolio.promotion.model_copy(update={"shadow": ShadowRule(days=5)})
    asks = bank.portfolio.model_copy(update={"promotion": promotion})
    twin = _register(bank, "run-2", "random_forest", AmountModel(factor=0.9))
    verdict = _verdict(bank, twin, "PROMOTE")
    assert start_after_verdict(bank.ws, bank.portfolio, verdict, started_by="service:train") is None
    assert not comes_first(bank.portfolio, verdict)
    for _ in range(2):
        shadow = start_after_verdict(bank.ws, asks, verdict, started_by="service:train")
        assert shadow is not None
        assert (shadow.days, shadow.model_id) == (5, twin.id)
    assert comes_first(asks, verdict)
    with bank.ws.transaction() as session:
        assert len(shadows(session, "cards")) == 1


def test_one_that_becomes_champion_in_the_meantime_is_no_shadow_any_more(bank: Bank) -> None:
    twin = _register(bank, "run-2", "random_forest", AmountModel(factor=0.9))
    _verdict(bank, twin, "PROMOTE")
    _start(bank, model="v4")
    promote(bank.ws, bank.portfolio, run_id="run-2", approved_by="vera", reason="at once")
    with bank.ws.transaction() as session:
        assert running(session, "cards") is None
    assert _entries(bank, "shadow_ended")[0].details["outcome"] == "promoted"
