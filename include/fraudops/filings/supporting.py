"""Which partitions support a report: retention leaves them where they are, for as long as the law asks."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from fraudops.cases.transactions import REACHES_BACK
from fraudops.database import CaseFile, CaseItem, Filing, FilingEvent, RuleHit
from fraudops.filings.record import OPEN
from fraudops.portfolio import Portfolio


def supporting(session: Session, portfolio: Portfolio) -> tuple[tuple[str, str], ...]:
    """First and last partition of each stretch that supports a report whose clock runs, or that is to be kept."""
    wanted = _wanted(portfolio)
    of_cases = select(CaseItem.partition_key).join(Filing, Filing.case_id == CaseItem.case_id).where(*wanted)
    of_hits = (
        select(RuleHit.partition_key)
        .join(FilingEvent, FilingEvent.details["hit"].astext == RuleHit.hit_id)
        .join(Filing, (Filing.id == FilingEvent.filing_id) & (Filing.portfolio == RuleHit.portfolio))
        .where(*wanted)
    )
    partitioning = portfolio.partitioning
    keys = sorted({*session.scalars(of_cases), *session.scalars(of_hits)})
    return tuple((partitioning.key_of(partitioning.start(key) - REACHES_BACK), key) for key in keys)


def supporting_cases(session: Session, portfolio: Portfolio) -> frozenset[int]:
    """Numbers of the cases that such a report refers to."""
    query = select(CaseFile.number).join(Filing, Filing.case_id == CaseFile.id)
    return frozenset(session.scalars(query.where(*_wanted(portfolio))))


def _wanted(portfolio: Portfolio) -> tuple[ColumnElement[bool], ...]:
    running = or_(Filing.state.in_(OPEN), Filing.keep_until >= func.current_date())
    return Filing.portfolio == portfolio.name, running
