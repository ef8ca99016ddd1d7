from __future__ import annotations

import math
import uuid
from dataclasses import replace

import pytest
from fraudops.database import open_engine
from fraudops.decisions.immediate import Conflict, Desk
from fraudops.decisions.immediate.records import decision_id_of
from fraudops.errors import ConfigurationError, ContractError
from fraudops.features import ModelColumns
from fraudops.features.partitions import config_of
from fraudops.protection import decrypt

from tests.decisions.conftest import at
from tests.decisions.immediate.conftest import Office
from tests.decisions.immediate.desks import NOW, arrival, champion


def test_what_is_answered_is_recorded_with_all_that_it_rests_on(office: Office) -> None:
    allowed, reviewed, blocked = office.decide(arrival("a", 20.0), arrival("b", 600.0), arrival("c/ü", 950.0))
    assert [one.decision for one in (allowed, reviewed, blocked)] == ["allow", "review", "block"]
    assert (allowed.score, allowed.route, allowed.propensity, allowed.repeated) == (0.02, "policy", 1.0, False)
    assert allowed.reasons == ()
    assert blocked.thresholds == {"review": 0.5, "block": 0.9}
    assert blocked.model_version == "v1"
    first, second, third = office.decisions()
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert third.transaction_id == "c/ü"
    assert (third.decision_id, third.score, third.decision) == (blocked.decision_id, 0.95, "block")
    assert (third.event_time, third.received_at, third.partition_key) == (at("2026-03-02T11:00"), NOW, "2026-03-02")
    sent = arrival("c/ü", 950.0)
    assert (third.amount_minor, third.row, third.content) == (95_000, sent.transaction.row, sent.content)
    assert third.raw is not None
    assert decrypt(office.ws, bytes(third.raw), "test") == sent.raw
    assert sent.raw not in bytes(third.raw)
    assert third.features[0] == 2.0
    assert all(math.isnan(value) for value in third.features[1:])
    assert third.config == config_of(office.portfolio)
    assert third.reasons == [{"code": reason.code, "text": reason.text} for reason in blocked.reasons]
    assert third.reasons
    assert third.explanation is not None
    assert [reason["text"] for reason in third.explanation["reasons"]] == [reason.text for reason in blocked.reasons]
    assert [one.followed_up for one in (first, second, third)] == [True, False, False]
    assert first.explanation is None


def test_ids_of_decisions_follow_from_the_transaction(office: Office) -> None:
    (decided,) = office.decide(arrival("a", 20.0))
    assert decided.decision_id == decision_id_of("cards", "a") == "22bbe1f8-bdec-5d72-88a4-b4175372f05c"
    assert decided.decision_id == str(uuid.uuid5(uuid.UUID("8f0a3b0e-5a39-5d0c-9d5e-6f1d6f2f5c11"), "cards/a"))


def test_the_same_transaction_again_gets_the_same_decision(office: Office) -> None:
    (first,) = office.decide(arrival("b", 600.0))
    office.champion = champion(office.portfolio, office.bank.models[0].id, factor=0.1)
    again, other = office.decide(arrival("b", 600.0), arrival("d", 600.0))
    assert again == replace(first, repeated=True)
    assert (other.decision, other.repeated) == ("allow", False)
    assert [one.transaction_id for one in office.decisions()] == ["b", "d"]
    assert office.state.seen == ["b", "d"]


def test_another_transaction_of_the_same_id_is_a_conflict_for_itself_alone(office: Office) -> None:
    (first,) = office.decide(arrival("b", 600.0))
    conflict, decided = office.decide(arrival("b", 700.0), arrival("d", 600.0))
    assert conflict == Conflict("b", first.decision_id)
    assert decided.decision == "review"
    assert [one.transaction_id for one in office.decisions()] == ["b", "d"]


def test_twice_in_one_call(office: Office) -> None:
    answers = office.decide(arrival("b", 600.0), arrival("b", 600.0), arrival("b", 601.0))
    assert [getattr(one, "repeated", "conflict") for one in answers] == [False, True, "conflict"]
    assert len(office.decisions()) == 1


def test_what_fails_leaves_nothing(office: Office) -> None:
    office.decide(arrival("a", 20.0))
    odd = champion(office.portfolio, model_id=999)
    office.champion, real = odd, office.champion
    with pytest.raises(Exception, match="violates foreign key"):
        office.decide(arrival("b", 600.0))
    assert (office.state.seen, office.state.uncommitted) == (["a"], [])
    office.champion = real
    (decided,) = office.decide(arrival("b", 600.0))
    assert (decided.repeated, [one.number for one in office.decisions()]) == (False, [1, 2])
    assert office.decisions()[1].features[0] == 1.0


def test_a_model_that_gives_no_probability_decides_nothing(office: Office) -> None:
    office.champion = replace(office.champion, compiled=_Odd())
    with pytest.raises(ContractError, match="did not give every transaction a probability"):
        office.decide(arrival("a", 20.0))
    assert office.decisions() == []


class _Odd:
    def score(self, rows: object) -> list[float]:
        return [math.nan]


def test_a_model_of_other_columns_decides_nothing(office: Office) -> None:
    office.champion = champion(office.portfolio, 1, columns=ModelColumns(("amount", "shoe_size"), ()))
    with pytest.raises(ContractError, match="columns that the portfolio no longer has: shoe_size"):
        office.decide(arrival("a", 20.0))


def test_nothing_asked_nothing_answered(office: Office) -> None:
    assert office.decide() == []


def test_without_a_key_no_row_is_taken(office: Office) -> None:
    with pytest.raises(ConfigurationError, match="cards is scored at once, and there is no key"):
        Desk(replace(office.ws, protection_key=None), office.portfolio, state=office.state)


def test_what_the_database_lost_comes_again(office: Office) -> None:
    with open_engine(office.ws.database_url).connect() as connection:
        connection.close()
        with pytest.raises(Exception, match="closed"):
            office.desk.decide(connection, [arrival("a", 20.0)], office.champion, NOW)
    assert office.state.uncommitted == []
    (decided,) = office.decide(arrival("a", 20.0))
    assert not decided.repeated
