"""A bank with a few alerts, and the people who work them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fraudops import cases
from fraudops.cases.changing import case_of
from fraudops.database import CaseEvent, CaseFile, LedgerEntry
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.scoring import score
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles
from fraudops.stack.postgres import Postgres
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.decisions.conftest import Bank, three_days
from tests.installations import Template

ROLES = Roles.model_validate(
    {
        "users": {
            "ann": ["investigator"],
            "bob": ["investigator"],
            "olga": ["compliance_officer"],
            "omar": ["compliance_officer"],
            "dana": ["data_scientist"],
        }
    }
)
DAY = "2026-03-02"


@dataclass
class Desk:
    """Works the cases of one portfolio."""

    ws: Workspace
    portfolio: Portfolio

    def do(self, step, number: int = 1, *, by: str = "ann", **more) -> int:
        """One of the steps of the room, by somebody."""
        return step(self.ws, self.portfolio, number, by=by, roles=ROLES, **more)

    def case(self, number: int = 1) -> CaseFile:
        with self.ws.transaction() as session:
            return case_of(session, self.portfolio.name, number)

    def events(self, number: int = 1) -> list[CaseEvent]:
        with self.ws.transaction() as session:
            case = case_of(session, self.portfolio.name, number)
            return list(session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)))

    def ledger(self, action: str) -> list[LedgerEntry]:
        with self.ws.transaction() as session:
            query = select(LedgerEntry).where(LedgerEntry.action == action).order_by(LedgerEntry.number)
            return list(session.scalars(query))


@pytest.fixture(scope="session")
def alerted_once(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, portfolios: dict[str, Portfolio]
) -> Template:
    """The bank in which alerts were raised."""

    def raise_them(ws: Workspace) -> None:
        bank = three_days(ws, portfolios["cards"])
        bank.promote("2026-03-01", "2026-02-20")
        score(ws, bank.portfolio, DAY)
        raise_alerts(ws, bank.portfolio, DAY, actor="t")

    return Template.made(postgres, tmp_path_factory.mktemp("alerted"), raise_them)


@pytest.fixture
def alerted(alerted_once: Template, portfolios: dict[str, Portfolio], tmp_path: Path) -> Iterator[Bank]:
    """The second day has alerts of two customers: a review of c0 (600), and a block of c0 (990)."""
    with alerted_once.copy(tmp_path) as ws:
        yield Bank(ws, portfolios["cards"])


@pytest.fixture
def desk(alerted: Bank) -> Desk:
    """With the alerts of that day gathered."""
    cases.gather(alerted.ws, alerted.portfolio, DAY, actor="service:score")
    return Desk(alerted.ws, alerted.portfolio)
