"""Starts clocks: from what a person recorded when escalating a case, and from hits of the rule on cash."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import CaseFile, CaseItem, Escalation, Filing, FilingEvent, LedgerEntry, RuleHit, RuleSnooze
from fraudops.decisions.locks import lock_partition
from fraudops.errors import ConfigurationError
from fraudops.filings.deadlines import Deadline, Detection, after_cash, after_detection, joined, local_day
from fraudops.filings.definition import ClockDefinition, Clocks
from fraudops.filings.record import OPEN, add_event, jurisdiction_of
from fraudops.intake.publication import INGESTED
from fraudops.portfolio import Portfolio
from fraudops.rules import HITS
from fraudops.workspace import Workspace

CASH_RULE = "cash_over_threshold"
_ROLLED = timedelta(days=7)
"""A business day lies at most that long after the partition that its cash came in."""


@dataclass(frozen=True)
class CashHit:
    """A hit of the rule on cash, as a clock needs it."""

    id: str
    subject: str
    business_day: date
    as_of: datetime


def start_clocks(ws: Workspace, portfolio: Portfolio, clocks: Clocks, as_of: datetime, *, actor: str) -> int:
    """Start, or correct, the clocks of everything that was known at a moment; again changes nothing.

    The earliest day of detection counts, see :func:`fraudops.filings.deadlines.joined`; what was recorded later is kept
    beside it.

    Returns
    -------
    int
        How many clocks were started or joined by something new.

    Raises
    ------
    ConfigurationError
        The law has no clock for what a person recorded.
    """
    with ws.transaction() as session:
        lock_partition(session, "filing", portfolio.name, "all")
        found = _from_escalations(session, portfolio, _clock(clocks, portfolio), as_of)
        cash = clocks.of("ctr", jurisdiction_of(portfolio))
        if cash is not None:
            found += _from_hits(session, ws, portfolio, cash, as_of, actor)
            _find_cases(session, portfolio)
    return found


def _clock(clocks: Clocks, portfolio: Portfolio) -> ClockDefinition:
    """The clock of a case; asked for always, so that what is missing says nothing about any case."""
    jurisdiction = jurisdiction_of(portfolio)
    found = clocks.of("sar", jurisdiction)
    if found is None:
        raise ConfigurationError(
            f"there is no clock for cases under the law of {jurisdiction}",
            where="FRAUDOPS_CLOCKS",
            remedy="keep a YAML of that kind (docs/filings.md)",
        )
    return found


# -- cases --------------------------------------------------------------------------------------------


def _from_escalations(session: Session, portfolio: Portfolio, clock: ClockDefinition, as_of: datetime) -> int:
    taken = select(FilingEvent.escalation_id).where(FilingEvent.escalation_id.is_not(None))
    query = (
        select(Escalation, CaseFile)
        .join(CaseFile, CaseFile.id == Escalation.case_id)
        .where(CaseFile.portfolio == portfolio.name, Escalation.at <= as_of, Escalation.id.not_in(taken))
        .order_by(Escalation.id)
    )
    rows = session.execute(query).all()
    for escalation, case in rows:
        running = session.scalars(
            select(Filing)
            .where(Filing.case_id == case.id, Filing.kind == "sar", Filing.state.in_(OPEN))
            .order_by(Filing.id.desc())
        ).first()
        if running is None:
            _start(session, portfolio, clock, escalation, case)
        else:
            _join(session, portfolio, clock, escalation, running)
    return len(rows)


def _start(
    session: Session, portfolio: Portfolio, clock: ClockDefinition, escalation: Escalation, case: CaseFile
) -> None:
    deadline = after_detection(clock, escalation.detected_on, suspect_known=escalation.suspect_known)
    filing = new_filing(
        session,
        portfolio,
        kind="sar",
        origin=f"escalation/{escalation.id}",
        deadline=deadline,
        subject=(case.subject_kind, case.subject),
        case_id=case.id,
    )
    details = {**said(deadline), "clock": clock.id, "reason": escalation.reason}
    _add(session, filing, escalation, "started", details)


def _join(
    session: Session, portfolio: Portfolio, clock: ClockDefinition, escalation: Escalation, filing: Filing
) -> None:
    running = Deadline(filing.trigger_on, filing.due_on, filing.review_on, filing.suspect_known)
    recorded = local_day(escalation.at, portfolio.zone)
    found = joined(clock, running, Detection(escalation.detected_on, escalation.suspect_known, recorded))
    filing.trigger_on, filing.due_on, filing.suspect_known = found.trigger_on, found.due_on, found.suspect_known
    details = {
        **said(found),
        "recorded": {"detected_on": str(escalation.detected_on), "suspect_known": escalation.suspect_known},
        "before": said(running),
        "reason": escalation.reason,
    }
    _add(session, filing, escalation, "recorded_again", details)


def _add(session: Session, filing: Filing, escalation: Escalation, kind: str, details: dict[str, Any]) -> None:
    """A line about an escalation, of the moment at which the person recorded that."""
    add_event(
        session,
        filing,
        by=escalation.by,
        kind=kind,
        details=details,
        escalation_id=escalation.id,
        at=escalation.at,
    )


# -- cash ---------------------------------------------------------------------------------------------


def _from_hits(
    session: Session, ws: Workspace, portfolio: Portfolio, clock: ClockDefinition, as_of: datetime, actor: str
) -> int:
    count = 0
    elsewhere = _Elsewhere.of(session, portfolio)
    for hit in _new_hits(session, ws, portfolio, as_of):
        deadline = after_cash(clock, hit.business_day)
        if elsewhere.reported(hit.business_day, deadline):
            continue
        count += 1
        origin = f"cash/{hit.business_day}/{hit.subject}"
        existing = session.scalars(
            select(Filing).where(Filing.portfolio == portfolio.name, Filing.origin == origin)
        ).one_or_none()
        if existing is not None and existing.state in OPEN:
            add_event(session, existing, by=actor, kind="recorded_again", details={"hit": hit.id})
            continue
        # What comes to light after the report was filed needs one of its own.
        filing = new_filing(
            session,
            portfolio,
            kind="ctr",
            origin=origin if existing is None else f"{origin}/{hit.id}",
            deadline=deadline,
            subject=("customer", hit.subject),
            previous_id=existing.id if existing is not None else None,
        )
        details = {**said(deadline), "clock": clock.id, "hit": hit.id}
        add_event(session, filing, by=actor, kind="started", details=details)
        _settle_snoozed(session, portfolio, filing, hit)
    return count


@dataclass(frozen=True)
class _Elsewhere:
    """What was reported before the bank used fraudops; a day that is None says nothing.

    Attributes
    ----------
    before
        Business days before it.
    due_before
        What was due before it: the day on which the portfolio's first data came in. It stays that day for ever, so
        that days on which nothing ran later hide no breach.
    """

    before: date | None
    due_before: date | None

    @classmethod
    def of(cls, session: Session, portfolio: Portfolio) -> _Elsewhere:
        since = portfolio.filings.since
        if since != "loaded":
            return cls(since, None)
        query = select(LedgerEntry.at).where(LedgerEntry.portfolio == portfolio.name, LedgerEntry.action == INGESTED)
        first = session.scalars(query.order_by(LedgerEntry.number).limit(1)).first()
        return cls(None, local_day(first, portfolio.zone) if first is not None else None)

    def reported(self, business_day: date, deadline: Deadline) -> bool:
        return (self.before is not None and business_day < self.before) or (
            self.due_before is not None and deadline.due_on < self.due_before
        )


def _new_hits(session: Session, ws: Workspace, portfolio: Portfolio, as_of: datetime) -> Iterator[CashHit]:
    """Hits that no clock has taken in, by partition and id; one that a correction took back is none."""
    hit_id = FilingEvent.details["hit"].astext
    taken = set(session.scalars(select(hit_id).where(hit_id.is_not(None))))
    query = select(RuleHit).where(
        RuleHit.portfolio == portfolio.name, RuleHit.rule == CASH_RULE, RuleHit.as_of <= as_of
    )
    if isinstance(portfolio.filings.since, date):
        since = datetime.combine(portfolio.filings.since - _ROLLED, time(), tzinfo=UTC)
        query = query.where(RuleHit.as_of >= since)
    by_key: dict[str, dict[str, RuleHit]] = defaultdict(dict)
    for raised in session.scalars(query):
        if raised.hit_id not in taken:
            by_key[raised.partition_key][raised.hit_id] = raised
    for key in sorted(by_key.keys() & set(ws.store.keys(HITS, portfolio.name))):
        rows = ws.store.read_partition(HITS, portfolio.name, key, ["hit_id", "subject", "values"]).to_pylist()
        for row in sorted(rows, key=lambda row: row["hit_id"]):
            if row["hit_id"] in by_key[key]:
                day = date.fromisoformat(json.loads(row["values"])["business_day"])
                yield CashHit(row["hit_id"], row["subject"], day, by_key[key][row["hit_id"]].as_of)


def _settle_snoozed(session: Session, portfolio: Portfolio, filing: Filing, hit: CashHit) -> None:
    """A customer about whom somebody said why no report is needed, such as an exempt one: on record, with that."""
    query = select(RuleSnooze).where(
        RuleSnooze.portfolio == portfolio.name,
        RuleSnooze.rule == CASH_RULE,
        RuleSnooze.subject == hit.subject,
        RuleSnooze.starts_at < hit.as_of,
        RuleSnooze.ends_at >= hit.as_of,
    )
    snooze = session.scalars(query.order_by(RuleSnooze.id)).first()
    if snooze is None:
        return
    filing.state, filing.filed_on, filing.filed_by = "not_required", filing.trigger_on, snooze.placed_by
    filing.reason = f"snooze {snooze.id}: {snooze.reason}"
    details = {"settled_on": str(filing.filed_on), "reason": filing.reason}
    add_event(session, filing, by=snooze.placed_by, kind="not_required", details=details)


def _find_cases(session: Session, portfolio: Portfolio) -> None:
    """Cash hits join a case after they are raised, which may be after their clock has started."""
    query = (
        select(Filing, CaseItem.case_id)
        .join(FilingEvent, FilingEvent.filing_id == Filing.id)
        .join(
            CaseItem,
            (CaseItem.portfolio == Filing.portfolio)
            & (CaseItem.kind == "hit")
            & (CaseItem.reference == FilingEvent.details["hit"].astext),
        )
        .where(Filing.portfolio == portfolio.name, Filing.kind == "ctr", Filing.case_id.is_(None))
        .order_by(Filing.id, FilingEvent.id)
    )
    for filing, case_id in session.execute(query):
        filing.case_id = filing.case_id or case_id


# -- both ---------------------------------------------------------------------------------------------


def new_filing(
    session: Session,
    portfolio: Portfolio,
    *,
    kind: str,
    origin: str,
    deadline: Deadline,
    subject: tuple[str, str],
    case_id: int | None = None,
    previous_id: int | None = None,
) -> Filing:
    """A filing that is due."""
    filing = Filing(
        portfolio=portfolio.name,
        case_id=case_id,
        kind=kind,
        origin=origin,
        subject_kind=subject[0],
        subject=subject[1],
        trigger_on=deadline.trigger_on,
        suspect_known=deadline.suspect_known,
        review_on=deadline.review_on,
        due_on=deadline.due_on,
        state="due",
        previous_id=previous_id,
        created_at=datetime.now(UTC),
    )
    session.add(filing)
    session.flush()
    return filing


def said(deadline: Deadline) -> dict[str, Any]:
    """A deadline as an event keeps it."""
    found: dict[str, Any] = {"trigger_on": str(deadline.trigger_on), "due_on": str(deadline.due_on)}
    if deadline.suspect_known is not None:
        found["suspect_known"] = deadline.suspect_known
    return found
