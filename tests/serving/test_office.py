"""The office decides, follows up, and goes on while the database is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fraudops.database import Alert, OnlineDecision, open_engine
from fraudops.decisions.immediate import Champion, Decided
from fraudops.serving.link import DatabaseAwayError, Link
from fraudops.serving.office import NoChampionError, Office
from sqlalchemy import Connection, select

from tests.decisions.conftest import Bank
from tests.decisions.immediate.desks import arrival, champion


class Switch(Link):
    """A link that can be cut."""

    cut = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        if self.cut:
            self.there = False
            raise DatabaseAwayError("cut")
        with super().connection() as connection:
            yield connection
        self.there = True


@pytest.fixture
def make(bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Office]]:
    """Makes offices whose champion reviews from 500.00 and blocks from 900.00."""
    bank.promote("2026-03-01", "2026-02-01")
    monkeypatch.setattr("fraudops.serving.office.Link", Switch)
    monkeypatch.setattr("fraudops.serving.office._EVERY", 0.02)
    made: list[Office] = []

    def office(who: Callable[[str], Champion | None] | None = None, **serving: Any) -> Office:
        always = champion(bank.portfolio, bank.models[0].id)
        changed = bank.portfolio.serving.model_copy(update=serving)
        portfolio = bank.portfolio.model_copy(update={"serving": changed})
        made.append(Office(bank.ws, {"cards": portfolio}, who or (lambda name: always), spool=tmp_path / "spool"))
        made[-1].start()
        return made[-1]

    yield office
    for one in made:
        assert one.stop()
    open_engine(bank.ws.database_url).dispose()


def _ask(office: Office, *arrivals: Any) -> list[Any]:
    async def together() -> list[Any]:
        answers = await asyncio.gather(*(office.decide("cards", [one]) for one in arrivals))
        return [answer for (answer,) in answers]

    return asyncio.run(together())


def _rows(bank: Bank, model: Any) -> list[Any]:
    with bank.ws.transaction() as session:
        return list(session.scalars(select(model).order_by(*model.__table__.primary_key)))


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come about within ten seconds")


def test_what_is_decided_is_followed_up_by_itself(bank: Bank, make: Callable[..., Office]) -> None:
    office = make()
    answers = _ask(office, arrival("a", 20.0), arrival("b", 950.0))
    assert [(answer.decision, answer.degraded) for answer in answers] == [("allow", ()), ("block", ())]
    _until(lambda: [alert.transaction_id for alert in _rows(bank, Alert)] == ["b"])


def test_those_who_paid_last_are_remembered_before_it_is_ready(bank: Bank, make: Callable[..., Office]) -> None:
    office = make()
    _until(lambda: office.warm)
    # Three days of payments, by whom: neither of them has to be loaded any more.
    state = office._desks["cards"]._state
    payments = state._memory.payments  # type: ignore[attr-defined]
    assert payments > 0
    _ask(office, arrival("a", 20.0, customer_id="somebody else"))
    assert state._memory.payments > payments  # type: ignore[attr-defined]
    assert [one.transaction_id for one in _rows(bank, OnlineDecision)] == ["a"]


def test_without_a_database_it_answers_and_makes_up_for_it(bank: Bank, make: Callable[..., Office]) -> None:
    office = make()
    _ask(office, arrival("a", 20.0))
    office._link.cut = True  # type: ignore[attr-defined]
    alone = _ask(office, arrival("b", 950.0), arrival("a", 20.0))
    assert [(one.decision, one.degraded, one.repeated) for one in alone] == [
        ("block", ("database",), False), ("allow", (), True),
    ]  # fmt: skip
    assert not office.database_there
    assert len(_rows(bank, OnlineDecision)) == 1
    office._link.cut = False  # type: ignore[attr-defined]
    _until(lambda: [alert.transaction_id for alert in _rows(bank, Alert)] == ["b"])
    assert [(one.transaction_id, one.degraded) for one in _rows(bank, OnlineDecision)] == [
        ("a", []), ("b", ["database"]),
    ]  # fmt: skip
    (again,) = _ask(office, arrival("b", 950.0))
    assert (again.decision_id, again.repeated) == (alone[0].decision_id, True)
    assert office.database_there


def test_a_portfolio_may_rather_not_be_answered(bank: Bank, make: Callable[..., Office]) -> None:
    office = make(without_database="refuse")
    office._link.cut = True  # type: ignore[attr-defined]
    with pytest.raises(DatabaseAwayError):
        _ask(office, arrival("a", 20.0))
    office._link.cut = False  # type: ignore[attr-defined]
    assert isinstance(_ask(office, arrival("a", 20.0))[0], Decided)


def test_the_champion_of_the_moment_decides(bank: Bank, make: Callable[..., Office]) -> None:
    in_force: dict[str, Champion] = {}
    office = make(in_force.get)
    with pytest.raises(NoChampionError):
        _ask(office, arrival("a", 20.0))
    model = bank.models[0].id
    in_force["cards"] = champion(bank.portfolio, model)
    assert [one.model_version for one in _ask(office, arrival("a", 20.0))] == ["v1"]
    in_force["cards"] = champion(bank.portfolio, model, factor=2.0, version="v2")
    first, second = _ask(office, arrival("a", 20.0), arrival("b", 20.0))
    assert (first.model_version, first.repeated) == ("v1", True)
    assert (second.model_version, second.score) == ("v2", 0.04)
