from __future__ import annotations

from fraudops.cases.following import follow_up
from fraudops.cli.replay import _replayed
from fraudops.decisions import scoring
from fraudops.decisions.immediate.replaying import replay_at_once
from fraudops.decisions.recorded import find_decision
from sqlalchemy import text

from tests.decisions.immediate.conftest import Office
from tests.decisions.immediate.desks import arrival

DAY = "2026-03-02"


def test_a_decision_comes_out_equal_from_its_record(office: Office) -> None:
    office.decide(arrival("a", 20.0), arrival(f"{DAY}-3", 990.0))
    follow_up(office.ws, office.portfolio)
    for name in ("a", f"{DAY}-3"):
        found = replay_at_once(office.ws, office.portfolio, name)
        assert found is not None
        assert (found.state, {part.state for part in found.parts}) == ("equal", {"equal"})
    assert replay_at_once(office.ws, office.portfolio, "nobody's") is None


def test_what_the_stored_rows_give_otherwise_is_told(office: Office) -> None:
    office.decide(arrival("a", 20.0), arrival(f"{DAY}-3", 990.0))
    first, second = (replay_at_once(office.ws, office.portfolio, name) for name in ("a", f"{DAY}-3"))
    assert first is not None
    assert second is not None
    assert first.notes[1:] == (f"the transaction is not among the stored ones of {DAY}",)
    assert "the stored transactions give other features than were seen then" in second.notes[1]


def test_what_was_altered_comes_out_otherwise(office: Office) -> None:
    office.decide(arrival("c", 990.0))
    with office.ws.transaction() as session:
        session.execute(text("update online_decision set score = 0.5, decision = 'review'"))
    found = replay_at_once(office.ws, office.portfolio, "c")
    assert found is not None
    assert found.state == "differs"
    assert [part.name for part in found.parts if part.state == "differs"] == ["score", "decision"]


def test_a_model_that_is_gone_is_told(office: Office) -> None:
    office.decide(arrival("c", 990.0))
    office.bank.artifact(office.bank.models[0]).unlink()
    scoring._models.clear()
    found = replay_at_once(office.ws, office.portfolio, "c")
    assert found is not None
    assert found.state == "gone"


def test_the_command_finds_what_no_batch_has_scored_yet(office: Office) -> None:
    office.decide(arrival("c", 990.0))
    known = {"cards": office.portfolio}
    assert find_decision(office.ws, known, f"cards/{DAY}/c") == find_decision(office.ws, known, "c")
    (found,) = _replayed(office.ws, office.portfolio, DAY, [find_decision(office.ws, known, "c")], superseded=True)
    assert found.state == "equal"
