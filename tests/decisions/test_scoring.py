from __future__ import annotations

from typing import Any

import pytest
from fraudops import ledger
from fraudops.decisions import scoring
from fraudops.decisions.pending import history_keys, partition_states, pending_keys
from fraudops.decisions.scoring import score, score_many
from fraudops.errors import ContractError, IntegrityError, MissingPartitionError
from fraudops.features import ModelColumns
from fraudops.registry.versions import champion_at
from fraudops.store import Input

from tests.decisions.amounts import AmountModel
from tests.decisions.conftest import Bank, at

DAYS = ["2026-03-01", "2026-03-02", "2026-03-03"]


def test_without_a_champion_a_partition_is_pending(bank: Bank) -> None:
    result = score(bank.ws, bank.portfolio, DAYS[0])
    assert (result.state, result.rows, result.model_version) == ("pending", 0, None)
    assert bank.ws.store.manifest("scores", "cards", DAYS[0]) is None
    assert partition_states(bank.ws, bank.portfolio) == dict.fromkeys(DAYS, "pending")
    assert bank.ledger("scored") == []


def test_the_champion_scores_and_its_thresholds_decide(bank: Bank) -> None:
    bank.promote("2026-03-01", "2026-02-01")
    result = score(bank.ws, bank.portfolio, DAYS[1])
    assert result.to_dict() == {
        "key": DAYS[1],
        "state": "scored",
        "rows": 4,
        "decisions": {"allow": 2, "review": 1, "block": 1},
        "model_version": "v1",
    }
    table = bank.ws.store.read_partition("scores", "cards", DAYS[1])
    assert table.to_pydict() == {
        "transaction_id": [f"{DAYS[1]}-{i}" for i in range(4)],
        "score": [0.6, 0.03, 0.04, 0.99],
        "decision": ["review", "allow", "allow", "block"],
        "route": ["policy"] * 4,
        "propensity": [1.0] * 4,
    }
    manifest = bank.ws.store.require("scores", "cards", DAYS[1])
    sha256 = bank.models[0].artifact_sha256
    assert Input(dataset="models", key="v1", digest=sha256) in manifest.inputs
    assert {i.dataset for i in manifest.inputs} == {"models", "transactions", "features"}
    assert manifest.facts == {
        "model_version": "v1",
        "model_sha256": sha256,
        "thresholds": {"review": 0.5, "block": 0.9},
        "counts": result.decisions,
        "routes": {"policy": 4, "passed_block": 0, "sample": 0},
    }
    (entry,) = bank.ledger("scored")
    assert entry.subject == f"cards/scores/{DAYS[1]}"
    assert entry.details["decisions"] == result.decisions
    assert entry.details["digest"] == manifest.data_digest


def test_the_first_champion_scores_what_waited_for_it_and_never_its_history(bank: Bank) -> None:
    bank.promote("2026-03-10", "2026-03-02")
    assert pending_keys(bank.ws, bank.portfolio) == DAYS[1:]
    assert history_keys(bank.ws, bank.portfolio) == DAYS[:1]
    results = score_many(bank.ws, bank.portfolio, reversed(DAYS))
    assert [(r.key, r.state) for r in results] == [
        (DAYS[0], "history"),
        (DAYS[1], "scored"),
        (DAYS[2], "scored"),
    ]
    assert bank.ws.store.keys("scores", "cards") == DAYS[1:]
    assert partition_states(bank.ws, bank.portfolio) == {
        DAYS[0]: "history",
        DAYS[1]: "scored",
        DAYS[2]: "scored",
    }
    assert pending_keys(bank.ws, bank.portfolio) == []


def test_each_partition_is_scored_by_the_champion_in_force_at_its_end(bank: Bank) -> None:
    bank.promote("2026-03-01", "2026-02-01")
    bank.promote("2026-03-01", "2026-02-20", factor=0.5, effective="2026-03-03")
    results = score_many(bank.ws, bank.portfolio, DAYS)
    # The second day ends at the very moment from which v2 is in force.
    assert [r.model_version for r in results] == ["v1", "v2", "v2"]
    with bank.ws.transaction() as session:
        for result in results:
            found = champion_at(session, "cards", bank.portfolio.partitioning.end(result.key))
            assert found is not None
            assert found.version == result.model_version


def test_a_late_partition_gets_the_champion_of_its_time_and_a_rollback_is_a_reign(bank: Bank) -> None:
    bank.promote("2026-03-01", "2026-02-01")
    bank.promote("2026-03-02", "2026-02-20", factor=0.5, effective="2026-03-03")
    bank.put_in_force(bank.models[0], "2026-03-04", kind="rollback")
    assert [r.model_version for r in score_many(bank.ws, bank.portfolio, DAYS)] == ["v1", "v2", "v1"]


def test_a_rerun_gives_the_same_bytes_and_no_second_entry(bank: Bank) -> None:
    bank.promote("2026-03-10", "2026-02-01")
    score_many(bank.ws, bank.portfolio, DAYS)
    before = bank.stored("scores")
    bank.promote("2026-03-20", "2026-03-12", factor=0.5, effective="2026-03-20")
    again = score_many(bank.ws, bank.portfolio, DAYS)
    assert [r.state for r in again] == ["unchanged"] * 3
    assert again[0].decisions == {"allow": 2, "review": 0, "block": 1}
    assert bank.stored("scores") == before
    assert len(bank.ledger("scored")) == 3
    for path in (bank.ws.store.root / "scores").rglob("manifest.json"):
        path.unlink()
    assert [r.state for r in score_many(bank.ws, bank.portfolio, DAYS)] == ["scored"] * 3
    assert bank.stored("scores") == before
    assert len(bank.ledger("scored")) == 3
    with bank.ws.transaction() as session:
        assert list(ledger.verify(session, bank.ws.ledger_key)) == []


def test_scores_that_were_published_before_a_crash_still_get_their_entry(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.promote("2026-03-01", "2026-02-01")

    def die(*_: Any) -> None:
        raise OSError("no connection")

    with monkeypatch.context() as patch:
        patch.setattr(scoring, "record_scores", die)
        with pytest.raises(OSError):
            score(bank.ws, bank.portfolio, DAYS[0])
    assert bank.ledger("scored") == []
    assert score(bank.ws, bank.portfolio, DAYS[0]).state == "unchanged"
    assert len(bank.ledger("scored")) == 1


def test_changed_rows_make_scores_stale_and_a_new_entry(bank: Bank) -> None:
    bank.promote("2026-03-01", "2026-02-01")
    score_many(bank.ws, bank.portfolio, DAYS)
    bank.day(DAYS[1], [600.0, 30.0])
    states = partition_states(bank.ws, bank.portfolio)
    assert states[DAYS[1]] == "stale"
    assert states[DAYS[0]] == "scored"
    assert score(bank.ws, bank.portfolio, DAYS[1]).state == "scored"
    assert partition_states(bank.ws, bank.portfolio)[DAYS[1]] == "scored"
    assert len(bank.ledger("scored")) == 4


def test_a_promotion_while_a_partition_is_being_scored_is_noticed(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.promote("2026-03-01", "2026-02-01")
    real, promoted = scoring.stage_scores, []

    def slow(*arguments: Any) -> Any:
        manifest = real(*arguments)
        if not promoted:
            promoted.append(True)
            bank.promote("2026-03-01", "2026-02-20", factor=0.5, effective="2026-03-01")
        return manifest

    monkeypatch.setattr(scoring, "stage_scores", slow)
    assert score(bank.ws, bank.portfolio, DAYS[1]).model_version == "v2"
    assert [e.details["model_version"] for e in bank.ledger("scored")] == ["v2"]


def test_an_altered_model_is_refused(bank: Bank) -> None:
    bank.promote("2026-03-01", "2026-02-01", factor=1.25)
    path = bank.artifact(bank.models[0])
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(IntegrityError):
        score(bank.ws, bank.portfolio, DAYS[0])
    assert bank.ws.store.manifest("scores", "cards", DAYS[0]) is None


def test_a_model_is_loaded_once_for_many_partitions(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.promote("2026-03-01", "2026-02-01", factor=1.5)
    calls = []
    real = scoring.versions.load
    monkeypatch.setattr(scoring.versions, "load", lambda *a: calls.append(a) or real(*a))
    score_many(bank.ws, bank.portfolio, DAYS)
    score(bank.ws, bank.portfolio, DAYS[0])
    assert len(calls) == 1


def test_missing_features_are_named(bank: Bank) -> None:
    bank.promote("2026-03-01", "2026-02-01")
    (bank.ws.store.path("features", "cards", f"date={DAYS[0]}") / "manifest.json").unlink()
    with pytest.raises(MissingPartitionError, match="features"):
        score(bank.ws, bank.portfolio, DAYS[0])
    with pytest.raises(MissingPartitionError, match="transactions"):
        score(bank.ws, bank.portfolio, "2031-01-01")


def test_a_column_that_the_portfolio_has_no_more_is_named(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.promote("2026-03-01", "2026-02-01")
    model = AmountModel(columns=ModelColumns(("amount", "device_age"), ()))
    monkeypatch.setattr(scoring, "load_model", lambda *_: model)
    with pytest.raises(ContractError, match=r"v1 reads columns.*device_age"):
        score(bank.ws, bank.portfolio, DAYS[0])


def test_something_that_is_no_probability_is_refused(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.promote("2026-03-01", "2026-02-01")
    model = AmountModel()
    monkeypatch.setattr(AmountModel, "score", lambda _, frame: frame["amount"].to_numpy())
    monkeypatch.setattr(scoring, "load_model", lambda *_: model)
    with pytest.raises(ContractError, match="probability"):
        score(bank.ws, bank.portfolio, DAYS[0])


def test_history_starts_at_the_first_champions_last_training_row(bank: Bank) -> None:
    bank.promote("2026-03-10", "2026-03-02T00:00:01")
    assert history_keys(bank.ws, bank.portfolio) == DAYS[:2]
    assert at("2026-03-02") < bank.models[0].trained_until
