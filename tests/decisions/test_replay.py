"""Past decisions come out equal to the last bit, or it is said what is gone or differs."""

from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.decisions import replay as module
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.recorded import DecisionId, find_decision, sample
from fraudops.decisions.replay import Replayed, replay
from fraudops.decisions.scoring import load_model, score
from fraudops.errors import ContractError

from tests.decisions.conftest import Bank

DAYS = ["2026-03-01", "2026-03-02", "2026-03-03"]
BLOCKED = "2026-03-02-3"
EVERYTHING = ["features", "score", "decision", "route", "propensity", "reasons"]


@pytest.fixture
def scored(bank: Bank) -> Bank:
    """Three scored days with their alerts."""
    bank.promote("2026-03-01", "2026-02-01")
    for day in DAYS:
        _score(bank, day)
    return bank


def _score(bank: Bank, day: str) -> None:
    bank.features(day)
    score(bank.ws, bank.portfolio, day)
    raise_alerts(bank.ws, bank.portfolio, day, actor="service:test")


def _replayed(bank: Bank, day: str = DAYS[1], name: str = BLOCKED) -> list[Replayed]:
    return replay(bank.ws, bank.portfolio, day, [name])


def _states(one: Replayed) -> dict[str, str]:
    return {part.name: part.state for part in one.parts}


def _files(bank: Bank, dataset: str, day: str) -> list[Path]:
    return sorted(Path(str(bank.ws.store.root), dataset, "portfolio=cards", f"date={day}").glob("part-*.parquet"))


def test_an_alert_comes_out_equal_to_the_last_bit(scored: Bank) -> None:
    (one,) = _replayed(scored)
    assert (str(one.decision), one.state, one.in_force, one.whole) == (
        "cards/2026-03-02/2026-03-02-3",
        "equal",
        True,
        True,
    )
    assert _states(one) == dict.fromkeys(EVERYTHING, "equal")
    recorded = {part.name: part.recorded for part in one.parts}
    assert (recorded["score"], recorded["decision"], recorded["route"]) == ("0.99", "block", "policy")
    assert recorded["reasons"].startswith("amount 990.00")
    assert one.notes == ()


def test_what_was_allowed_has_no_reasons(scored: Bank) -> None:
    (one,) = _replayed(scored, name="2026-03-02-1")
    assert (one.state, list(_states(one))) == ("equal", EVERYTHING[:-1])


def test_a_corrected_day_is_replayed_from_the_rows_of_then(scored: Bank) -> None:
    # The customer's day before is corrected, and with it the features and the scores of this day.
    scored.day(DAYS[0], [10.0, 20.0, 50.0])
    scored.day(DAYS[1], [10.0, 30.0, 40.0, 930.0])
    _score(scored, DAYS[1])
    now, then = _replayed(scored)
    assert (now.state, now.in_force, then.state, then.in_force) == ("equal", True, "equal", False)
    # The alert belongs to what it was raised from.
    assert "reasons" not in _states(now)
    assert _states(then) == dict.fromkeys(EVERYTHING, "equal")
    assert next(part.recorded for part in then.parts if part.name == "score") == "0.99"
    assert [note.split(" were")[0] for note in then.notes] == ["transactions 2026-03-02", "features 2026-03-02"]


def test_an_input_that_is_gone_is_named(scored: Bank) -> None:
    (file,) = _files(scored, "transactions", DAYS[0])
    file.unlink()
    (one,) = _replayed(scored)
    # The features of then are stored: the score can be had, but where they came from cannot be shown.
    assert (one.state, _states(one)["features"], _states(one)["score"]) == ("gone", "gone", "equal")
    assert "date=2026-03-01" in one.parts[0].why
    (features,) = _files(scored, "features", DAYS[1])
    features.unlink()
    (one,) = _replayed(scored)
    assert _states(one) == {"features": "gone", "score": "gone", "reasons": "gone"}


def test_rows_of_then_that_nobody_kept_are_gone(scored: Bank) -> None:
    scored.day(DAYS[1], [10.0, 30.0, 40.0, 930.0])
    for path in Path(str(scored.ws.store.root), "transactions").rglob("history/*.json"):
        path.unlink()
    (one,) = _replayed(scored)
    assert one.state == "gone"
    assert "transactions 2026-03-02 as they were then" in one.parts[1].why


def test_an_altered_model_is_not_loaded_and_named(scored: Bank) -> None:
    path = scored.artifact(scored.models[0])
    path.write_bytes(path.read_bytes() + b"x")
    load_model.__globals__["_models"].clear()
    (one,) = _replayed(scored)
    assert (one.state, _states(one)["features"]) == ("gone", "equal")
    assert "not the one registered" in one.parts[1].why


def test_a_difference_names_what_is_not_as_it_was(scored: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.score_frame

    def otherwise(*arguments: object) -> object:
        table = real(*arguments)  # type: ignore[arg-type]
        scores = table["score"].to_pylist()
        scores[3] += 2**-53
        return table.set_column(1, "score", [scores])

    monkeypatch.setattr(module, "score_frame", otherwise)
    monkeypatch.setattr(module, "__version__", "9.9")
    (one,) = _replayed(scored)
    assert (one.state, one.whole, _states(one)["score"]) == ("differs", False, "differs")
    part = next(part for part in one.parts if part.name == "score")
    assert (part.recorded, part.recomputed) == ("0.99", "0.9900000000000001")
    assert "this is 9.9" in part.why


def test_other_configuration_is_noted(scored: Bank) -> None:
    features = scored.portfolio.features.model_copy(update={"calendar": ("hour",)})
    other = scored.portfolio.model_copy(update={"features": features})
    (one,) = replay(scored.ws, other, DAYS[1], [BLOCKED])
    assert one.parts[0].state == "differs"
    assert "weekday" in one.parts[0].why
    assert any("cards.yaml says otherwise" in note for note in one.notes)


def test_decisions_are_found_by_name_and_by_id(scored: Bank) -> None:
    known = {"cards": scored.portfolio}
    wanted = DecisionId("cards", DAYS[1], BLOCKED)
    for text in (BLOCKED, str(wanted)):
        assert find_decision(scored.ws, known, text) == wanted
    assert find_decision(scored.ws, known, "2026-03-03-0") == DecisionId("cards", DAYS[2], "2026-03-03-0")
    with pytest.raises(ContractError, match="no scored transaction is called 'nothing'"):
        find_decision(scored.ws, known, "nothing")
    with pytest.raises(ContractError, match="no scores"):
        find_decision(scored.ws, known, "cards/2026-04-01/T")


def test_a_sample_is_the_same_for_the_same_seed(scored: Bank) -> None:
    everything = sample(scored.ws, scored.portfolio, 99, 0)
    assert [one.transaction_id for one in everything] == [
        f"{d}-{i}" for d, n in zip(DAYS, (3, 4, 3), strict=True) for i in range(n)
    ]
    some = sample(scored.ws, scored.portfolio, 4, 7)
    assert some == sample(scored.ws, scored.portfolio, 4, 7)
    assert len(set(some)) == 4
    assert {sample(scored.ws, scored.portfolio, 1, seed)[0] for seed in range(40)} > set(some)
