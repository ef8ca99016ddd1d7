"""Counts of cases over a stretch of time, for reports. What happened later changes nothing in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from fraudops.cases.closing import CLOSED, REOPENED
from fraudops.cases.gathering import ADDED, OPENED
from fraudops.cases.priority import worst
from fraudops.cases.transactions import ALERT, HIT
from fraudops.database import Alert, CaseEvent, CaseFile, CaseItem, ModelVersion, RuleHit

_DAY = 86_400
_STILL = "open"


@dataclass(frozen=True)
class Outcome:
    """What became of the alerts of one model version, or of the hits of one rule.

    Attributes
    ----------
    items
        How many there were.
    fraud, not_fraud, insufficient, open
        In how many the case was closed so, by the end; is not closed, or there is no case.
    """

    items: int = 0
    fraud: int = 0
    not_fraud: int = 0
    insufficient: int = 0
    open: int = 0

    @property
    def precision(self) -> float | None:
        """Share of fraud among those with a finding; None where none has one."""
        decided = self.fraud + self.not_fraud
        return self.fraud / decided if decided else None


@dataclass(frozen=True)
class CaseStatistics:
    """Cases of a portfolio between two moments.

    What partitions brought is counted with those that end after the start and at or before the end; what people did,
    from the start on and before the end.

    Attributes
    ----------
    opened
        Cases whose first partition is one of these.
    closed
        Finding → closings in between (a case that was reopened may count twice).
    reopened
        Times that a case was taken up again.
    open_at_end, late_at_end
        Cases that were open at the end; whose review deadline, as it was then, had passed by then.
    open_by_severity
        Severity → cases that were open at the end.
    median_age_days, oldest_age_days
        Of the cases that were open at the end, since they came into being; None where there were none.
    median_days_to_close
        Of the closings in between; None where there were none.
    by_rule, by_model
        Rule, model version (``v3``) → what became of its hits, its alerts.
    """

    opened: int = 0
    closed: dict[str, int] = field(default_factory=dict)
    reopened: int = 0
    open_at_end: int = 0
    late_at_end: int = 0
    open_by_severity: dict[str, int] = field(default_factory=dict)
    median_age_days: float | None = None
    oldest_age_days: float | None = None
    median_days_to_close: float | None = None
    by_rule: dict[str, Outcome] = field(default_factory=dict)
    by_model: dict[str, Outcome] = field(default_factory=dict)


def statistics(session: Session, portfolio: str, start: datetime, end: datetime) -> CaseStatistics:
    """Count a portfolio's cases.

    Parameters
    ----------
    start, end
        Aware moments, such as the first of two months.
    """
    cases = {case.id: case for case in _cases(session, portfolio, end)}
    closed_at, finding = dict[int, datetime](), dict[int, str]()
    closings: list[float] = []
    counts, reopened = Counter[str](), 0
    for event in _events(session, portfolio, end):
        counted = event.at >= start
        if event.kind == REOPENED:
            closed_at.pop(event.case_id, None), finding.pop(event.case_id, None)
            reopened += counted
            continue
        closed_at[event.case_id], finding[event.case_id] = event.at, event.details["finding"]
        if counted and event.case_id in cases:
            counts[event.details["finding"]] += 1
            closings.append((event.at - cases[event.case_id].created_at).total_seconds() / _DAY)
    still = [case for case in cases.values() if case.id not in closed_at]
    ages = [(end - case.created_at).total_seconds() / _DAY for case in still if case.created_at < end]
    severities, due = _severities(session, portfolio, end), _deadlines(session, portfolio, end)
    return CaseStatistics(
        opened=sum(case.opened_as_of > start for case in cases.values()),
        closed=dict(sorted(counts.items())),
        reopened=reopened,
        open_at_end=len(still),
        late_at_end=sum(due.get(case.id, end.date()) < end.date() for case in still),
        open_by_severity=dict(Counter(severities.get(case.id, case.severity) for case in still)),
        median_age_days=_rounded(median(ages)) if ages else None,
        oldest_age_days=_rounded(max(ages)) if ages else None,
        median_days_to_close=_rounded(median(closings)) if closings else None,
        by_rule=_outcomes(_hits(session, portfolio, start, end), finding),
        by_model=_outcomes(_alerts(session, portfolio, start, end), finding),
    )


# -- inside -------------------------------------------------------------------------------------------


def _cases(session: Session, portfolio: str, end: datetime) -> Iterable[CaseFile]:
    query = select(CaseFile).where(CaseFile.portfolio == portfolio, CaseFile.opened_as_of <= end)
    return session.scalars(query.order_by(CaseFile.id))


def _events(session: Session, portfolio: str, end: datetime) -> Iterable[CaseEvent]:
    query = (
        select(CaseEvent)
        .join(CaseFile, CaseFile.id == CaseEvent.case_id)
        .where(CaseFile.portfolio == portfolio, CaseEvent.kind.in_((CLOSED, REOPENED)), CaseEvent.at < end)
    )
    return session.scalars(query.order_by(CaseEvent.id))


def _deadlines(session: Session, portfolio: str, end: datetime) -> dict[int, date]:
    """Case → its review deadline, as it was then."""
    query = (
        select(CaseEvent)
        .join(CaseFile, CaseFile.id == CaseEvent.case_id)
        .where(CaseFile.portfolio == portfolio, CaseEvent.kind.in_((OPENED, ADDED)), CaseEvent.at < end)
    )
    told = session.scalars(query.order_by(CaseEvent.id))
    return {event.case_id: date.fromisoformat(due) for event in told if (due := event.details["due_on"])}


def _severities(session: Session, portfolio: str, end: datetime) -> dict[int, str]:
    """Case → its severity by what had been gathered until then."""
    query = select(CaseItem.case_id, CaseItem.severity).where(CaseItem.portfolio == portfolio, CaseItem.as_of <= end)
    found: dict[int, list[str]] = defaultdict(list)
    for case, severity in session.execute(query):
        if case is not None:
            found[case].append(severity)
    return {case: worst(severities) for case, severities in found.items()}


def _hits(session: Session, portfolio: str, start: datetime, end: datetime) -> Iterable[tuple[str, int | None]]:
    """Rule and case of each hit that was raised in between."""
    query = (
        select(RuleHit.rule, CaseItem.case_id)
        .outerjoin(
            CaseItem,
            (CaseItem.portfolio == RuleHit.portfolio) & (CaseItem.kind == HIT) & (CaseItem.reference == RuleHit.hit_id),
        )
        .where(RuleHit.portfolio == portfolio, RuleHit.as_of > start, RuleHit.as_of <= end)
    )
    return [(rule, case) for rule, case in session.execute(query)]


def _alerts(session: Session, portfolio: str, start: datetime, end: datetime) -> Iterable[tuple[str, int | None]]:
    """Model version and case of each alert that was raised in between."""
    query: Any = (
        select(ModelVersion.number, CaseItem.case_id)
        .select_from(Alert)
        .join(ModelVersion, ModelVersion.id == Alert.model_id)
        .outerjoin(
            CaseItem,
            (CaseItem.portfolio == Alert.portfolio)
            & (CaseItem.kind == ALERT)
            & (CaseItem.reference == cast(Alert.id, String)),
        )
        .where(Alert.portfolio == portfolio, Alert.as_of > start, Alert.as_of <= end)
    )
    return [(f"v{number}", case) for number, case in session.execute(query)]


def _outcomes(items: Iterable[tuple[str, int | None]], finding: dict[int, str]) -> dict[str, Outcome]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, case in items:
        counts[name][finding.get(case, _STILL) if case is not None else _STILL] += 1
    return {name: Outcome(items=sum(found.values()), **found) for name, found in sorted(counts.items())}


def _rounded(days: float) -> float:
    return round(days, 2)
