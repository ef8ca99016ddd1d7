"""A desk of the bank of tests/decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fraudops.database import OnlineDecision, open_engine
from fraudops.decisions.immediate import Arrival, Champion, Desk
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.decisions.conftest import Bank
from tests.decisions.immediate.desks import NOW, CountingState, champion


@dataclass
class Office:
    """A desk, its champion and its database."""

    bank: Bank
    champion: Champion
    spool: Path
    state: CountingState = field(init=False)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.state = CountingState(self.portfolio)
        self.desk = Desk(self.ws, self.portfolio, state=self.state, spool=self.spool)

    @property
    def ws(self) -> Workspace:
        return self.bank.ws

    @property
    def portfolio(self) -> Portfolio:
        return self.bank.portfolio

    def decide(self, *arrivals: Arrival) -> list[Any]:
        with open_engine(self.ws.database_url).connect() as connection:
            return self.desk.decide(connection, arrivals, self.champion, NOW)

    def decide_alone(self, *arrivals: Arrival) -> list[Any]:
        return self.desk.decide(None, arrivals, self.champion, NOW)

    def enter(self) -> int:
        with open_engine(self.ws.database_url).connect() as connection:
            return self.desk.enter_spool(connection)

    def decisions(self) -> list[OnlineDecision]:
        with self.ws.transaction() as session:
            return list(session.scalars(select(OnlineDecision).order_by(OnlineDecision.number)))


@pytest.fixture
def office(bank: Bank, tmp_path: Path) -> Iterator[Office]:
    """The champion reviews from 500.00 and blocks from 900.00."""
    bank.promote("2026-03-01", "2026-02-01")
    yield Office(bank, champion(bank.portfolio, bank.models[0].id), tmp_path / "spool")
    open_engine(bank.ws.database_url).dispose()
