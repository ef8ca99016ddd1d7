"""A bank with escalated cases and cash over the threshold, made of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fraudops.database import CaseEvent, CaseFile, CaseItem, Escalation, Filing, LedgerEntry, Notice
from fraudops.filings.definition import read_clocks
from fraudops.filings.reading import ClockView, read_clock
from fraudops.filings.starting import start_clocks
from fraudops.filings.warning import Looked, look_at_clocks
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles
from fraudops.rules.raising import raise_hits
from fraudops.rules.registry import read_rules
from fraudops.rules.running import comply
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.conftest import CHECKOUT

CLOCKS = read_clocks(CHECKOUT / "include" / "clocks")
RULES = {"cash_over_threshold": read_rules(CHECKOUT / "include" / "rules")["cash_over_threshold"]}
ROLES = Roles.model_validate({"users": {"olga": ["compliance_officer"], "ann": ["investigator"]}})


def noon(day: str) -> datetime:
    """Noon in UTC, which is the morning in New York."""
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


@dataclass
class Bank:
    """A workspace and a portfolio, with what happens in them."""

    ws: Workspace
    portfolio: Portfolio

    def case(self, number: int = 17, **more: Any) -> int:
        """A case that is open."""
        values = {
            "portfolio": self.portfolio.name,
            "number": number,
            "subject_kind": "customer",
            "subject": f"C{number}",
            "severity": "high",
            "priority": 1.0,
            "state": "open",
            "opened_key": "2026-03-01",
            "opened_as_of": noon("2026-03-02"),
            "created_at": noon("2026-03-02"),
        }
        with self.ws.transaction() as session:
            case = CaseFile(**values | more)
            session.add(case)
            session.flush()
            return case.id

    def escalate(self, case: int, detected: str, at: str, *, suspect: bool = True, by: str = "olga") -> None:
        """A person finds that there may be a basis for a report."""
        with self.ws.transaction() as session:
            session.add(
                Escalation(
                    case_id=case,
                    detected_on=date.fromisoformat(detected),
                    suspect_known=suspect,
                    by=by,
                    at=noon(at),
                    reason="cash that fits no income",
                )
            )

    def event(self, case: int, day: str, kind: str, **details: Any) -> None:
        """A line of a case's timeline."""
        with self.ws.transaction() as session:
            session.add(CaseEvent(case_id=case, version=2, at=noon(day), by="ann", kind=kind, details=details))

    def comply(self, *keys: str) -> None:
        """Run the rule on cash over some days."""
        comply(self.ws, self.portfolio, keys, RULES)
        for key in keys:
            raise_hits(self.ws, self.portfolio, key, RULES, actor="t")

    def gather(self, case: int, hit: str) -> None:
        """Let a hit be part of a case."""
        values = {"partition_key": "2026-03-06", "as_of": noon("2026-03-07"), "severity": "high", "loss": 1.0}
        with self.ws.transaction() as session:
            session.add(
                CaseItem(
                    portfolio=self.portfolio.name,
                    kind="hit",
                    reference=hit,
                    case_id=case,
                    added_at=noon("2026-03-07"),
                    **values,
                )
            )

    def start(self, day: str) -> int:
        """Start what was known at noon of a day."""
        return start_clocks(self.ws, self.portfolio, CLOCKS, noon(day), actor="service:accounts_clocks")

    def look(self, day: str) -> Looked:
        """The daily look."""
        return look_at_clocks(self.ws, self.portfolio, CLOCKS, noon(day), actor="service:accounts_clocks")

    def clock(self, number: int, day: str) -> ClockView:
        """A clock as of a day."""
        return read_clock(self.ws, self.portfolio, CLOCKS, number, noon(day))

    def numbers(self, kind: str) -> list[int]:
        """Of the filings of a kind."""
        with self.ws.transaction() as session:
            return list(session.scalars(select(Filing.id).where(Filing.kind == kind).order_by(Filing.id)))

    def notices(self) -> list[Notice]:
        """Warnings in the outbox."""
        with self.ws.transaction() as session:
            found = list(session.scalars(select(Notice).where(Notice.kind == "clock_warning").order_by(Notice.id)))
            session.expunge_all()
            return found

    def ledger(self) -> list[LedgerEntry]:
        """What the ledger says of cases."""
        with self.ws.transaction() as session:
            found = list(session.scalars(select(LedgerEntry).where(LedgerEntry.action == "case_updated")))
            session.expunge_all()
            return found

    @property
    def root(self) -> Path:
        """Folder of the store."""
        return Path(str(self.ws.store.root))


@pytest.fixture
def bank(workspace: Workspace, portfolios: dict[str, Portfolio]) -> Bank:
    """An empty one, with the portfolio accounts: business days of New York."""
    return Bank(replace(workspace, protection_key=b"p" * 32), portfolios["accounts"])
