"""Cases as a list shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.cases.changing import case_of
from fraudops.database import CaseFile, CaseItem
from fraudops.portfolio import Portfolio


@dataclass(frozen=True)
class CaseSummary:
    """A case, without what is in it. Columns as in the table ``case_file``."""

    id: int
    portfolio: str
    number: int
    subject_kind: str
    subject: str
    severity: str
    priority: float
    state: str
    assignee: str | None
    version: int
    opened_key: str
    opened_as_of: datetime
    created_at: datetime
    due_on: date | None
    finding: str | None
    closed_by: str | None
    closed_at: datetime | None
    proposed_finding: str | None
    proposed_by: str | None
    proposed_at: datetime | None
    items: int
    """Alerts and hits."""

    @property
    def name(self) -> str:
        """How people name it: ``cards-17``."""
        return f"{self.portfolio}-{self.number}"

    def is_late(self, day: date) -> bool:
        """Whether its review deadline has passed on a day."""
        return self.closed_at is None and self.due_on is not None and self.due_on < day


_COLUMNS = tuple(name for name in CaseSummary.__dataclass_fields__ if name != "items")


def summaries_of(session: Session, cases: Sequence[CaseFile]) -> list[CaseSummary]:
    """Cases as a list shows them, in their order."""
    counts = _item_counts(session, [case.id for case in cases])
    return [_summary(case, counts.get(case.id, 0)) for case in cases]


def summary(session: Session, portfolio: Portfolio, number: int) -> CaseSummary:
    """One case; raises ContractError where there is none."""
    return summary_of(session, case_of(session, portfolio.name, number))


def summary_of(session: Session, case: CaseFile) -> CaseSummary:
    """One case as the list shows it."""
    return summaries_of(session, [case])[0]


def open_keys(session: Session, portfolio: str) -> set[str]:
    """Partitions whose alerts or hits are part of a case that is not closed."""
    query = select(CaseItem.partition_key).join(CaseFile, CaseFile.id == CaseItem.case_id)
    return set(session.scalars(query.where(CaseFile.portfolio == portfolio, CaseFile.closed_at.is_(None)).distinct()))


def _summary(case: CaseFile, items: int) -> CaseSummary:
    return CaseSummary(**{name: getattr(case, name) for name in _COLUMNS}, items=items)


def _item_counts(session: Session, ids: Sequence[int]) -> dict[int, int]:
    query: Any = select(CaseItem.case_id, func.count()).where(CaseItem.case_id.in_(ids)).group_by(CaseItem.case_id)
    return {row[0]: row[1] for row in session.execute(query)}
