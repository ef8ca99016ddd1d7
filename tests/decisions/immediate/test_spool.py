from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.decisions.immediate import Conflict

from tests.decisions.immediate.conftest import Office
from tests.decisions.immediate.desks import arrival


def _file(office: Office) -> Path:
    return office.spool / "cards.spool"


def test_without_a_database_answers_come_from_memory_and_are_entered_later(office: Office) -> None:
    office.decide(arrival("a", 20.0))
    reviewed, repeated = office.decide_alone(arrival("b", 600.0), arrival("a", 20.0))
    (blocked,) = office.decide_alone(arrival("c", 950.0))
    assert (reviewed.decision, reviewed.degraded, repeated.repeated) == ("review", ("database",), True)
    assert [one.transaction_id for one in office.decisions()] == ["a"]
    assert office.enter() == 2
    _, second, third = office.decisions()
    assert (second.transaction_id, second.number, second.degraded) == ("b", 2, ["database"])
    assert (third.transaction_id, third.decision_id, third.score) == ("c", blocked.decision_id, 0.95)
    assert third.reasons == [{"code": reason.code, "text": reason.text} for reason in blocked.reasons]
    assert third.features[0] == 2.0
    assert not third.followed_up
    assert office.enter() == 0


def test_the_next_call_enters_what_waits_before_it_decides(office: Office) -> None:
    office.decide_alone(arrival("b", 600.0))
    again, other = office.decide(arrival("b", 600.0), arrival("d", 20.0))
    assert (again.repeated, other.repeated) == (True, False)
    assert [one.transaction_id for one in office.decisions()] == ["b", "d"]
    assert _file(office).stat().st_size == 0


def test_nothing_of_a_row_can_be_read_in_the_file(office: Office) -> None:
    office.decide_alone(arrival("b", 600.0, customer_id="Erika Mustermann"))
    content = _file(office).read_bytes()
    assert b"Mustermann" not in content
    assert _file(office).stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_short_is_passed_over(office: Office) -> None:
    office.decide_alone(arrival("a", 20.0))
    whole = _file(office).read_bytes()
    office.decide_alone(arrival("b", 20.0))
    _file(office).write_bytes(_file(office).read_bytes()[: len(whole) + 40])
    office.decide_alone(arrival("c", 20.0))
    assert office.enter() == 2
    assert [one.transaction_id for one in office.decisions()] == ["a", "c"]


def test_a_crash_between_the_database_and_the_file_doubles_nothing(office: Office) -> None:
    office.decide_alone(arrival("a", 20.0), arrival("b", 600.0))
    content = _file(office).read_bytes()
    assert office.enter() == 2
    _file(office).write_bytes(content)
    assert office.enter() == 0
    assert [one.number for one in office.decisions()] == [1, 2]


def test_what_cannot_be_entered_stays(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.decide_alone(arrival("a", 20.0))
    content = _file(office).read_bytes()

    def fails(*_: object) -> None:
        raise RuntimeError("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(office.state, "finish", fails)
        with pytest.raises(RuntimeError, match="no disk"):
            office.enter()
    assert _file(office).read_bytes() == content
    assert office.decisions() == []
    assert office.enter() == 1


def test_what_two_processes_answered_counts_once(office: Office) -> None:
    other = Office(office.bank, office.champion, office.spool)
    office.decide_alone(arrival("a", 20.0))
    other.decide_alone(arrival("a", 20.0))
    other.decide_alone(arrival("z", 30.0))
    assert other.enter() == 2
    assert [one.transaction_id for one in office.decisions()] == ["a", "z"]


def test_conflicts_are_seen_from_memory(office: Office) -> None:
    (first,) = office.decide_alone(arrival("a", 20.0))
    assert office.decide_alone(arrival("a", 21.0)) == [Conflict("a", first.decision_id)]


def test_an_answer_that_cannot_be_kept_is_not_given(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OSError, match="No space left"):
        office.decide_alone(arrival("a", 20.0))
    assert office.state.seen == []
