"""Gathers alerts and hits: what is about one subject meets in one case.

Each alert and each hit is gathered once, whichever run finds it. It joins the open case of its subject, or opens one;
what is less than ``cases.opens_from`` opens none. What a snooze covers is left out: nobody is to be told of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import String, cast, exists, func, select, tuple_
from sqlalchemy.orm import Session

from fraudops.cases.changing import digest_of
from fraudops.cases.deadlines import calendar_of, review_due
from fraudops.cases.priority import expected_loss, priority_of, rank, severity_of_alert, worst
from fraudops.cases.states import OPEN
from fraudops.cases.subjects import Subject, of_hits, of_transactions
from fraudops.cases.transactions import ALERT, HIT, raised_rows
from fraudops.database import Alert, CaseEvent, CaseFile, CaseItem, RuleHit
from fraudops.decisions.locks import lock_partition
from fraudops.portfolio import Portfolio
from fraudops.rules.calendar import BusinessCalendar
from fraudops.rules.snoozing import Snoozes
from fraudops.workspace import Workspace

GATHERED = "cases_gathered"
"""Action of the ledger's entry for what a partition brought."""
OPENED, ADDED, WITHDRAWN = "opened", "item_added", "proposal_withdrawn"
"""Kinds of events."""
_UNKNOWN = "medium"
"""Severity of a hit that was raised, and that the store no longer has."""
_AT_ONCE = 500


@dataclass(frozen=True)
class Gathered:
    """What became of alerts and hits that had not been gathered.

    Attributes
    ----------
    items
        How many there were.
    opened, joined
        New cases, and cases that were open and have more now.
    left
        Items too small for a case, with none to join.
    """

    items: int = 0
    opened: int = 0
    joined: int = 0
    left: int = 0

    def __add__(self, other: Gathered) -> Gathered:
        return Gathered(*(mine + its for mine, its in zip(self._values, other._values, strict=True)))

    @property
    def _values(self) -> tuple[int, ...]:
        return tuple(asdict(self).values())

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        return asdict(self)


@dataclass(frozen=True)
class _Item:
    """Something to be gathered."""

    kind: str
    reference: str
    key: str
    as_of: datetime
    severity: str
    loss: float
    subject: Subject


def gather(ws: Workspace, portfolio: Portfolio, key: str, *, actor: str) -> Gathered:
    """Gather the alerts and hits of a partition; a second run finds nothing left to do.

    Cases, their timelines and the ledger entry commit together.

    Parameters
    ----------
    actor
        Airflow user, or ``service:<workflow>``.
    """
    return _Gatherer(ws, portfolio, actor).gather(key)


def gather_waiting(ws: Workspace, portfolio: Portfolio, *, actor: str) -> Gathered:
    """Gather what no run has: after a crash, and what there was before there were cases."""
    with ws.transaction() as session:
        alerts, hits = _waiting(session, portfolio, None)
    keys = sorted({*(alert.partition_key for alert in alerts), *(hit.partition_key for hit in hits)})
    gatherer = _Gatherer(ws, portfolio, actor)
    return sum((gatherer.gather(key) for key in keys), Gathered())


def gather_raised(
    ws: Workspace,
    session: Session,
    portfolio: Portfolio,
    key: str,
    alerts: Sequence[Alert],
    subjects: Mapping[str, Subject],
    *,
    actor: str,
    now: datetime,
) -> Gathered:
    """Gather alerts of a partition within the transaction that raises them: alerts and cases commit together.

    Parameters
    ----------
    subjects
        Transaction → whom its alert is about.
    """
    lock_partition(session, "cases", portfolio.name, "all")
    items = [*_of_alerts(portfolio, key, alerts, subjects)]
    return _Gathering(ws, session, portfolio, key, calendar_of(ws, portfolio, now), actor, now).gather(items)


@dataclass(frozen=True)
class _Gatherer:
    """Gathers partitions, one after the other."""

    ws: Workspace
    portfolio: Portfolio
    actor: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def calendar(self) -> BusinessCalendar:
        """Read once, and only where there is something to gather."""
        return calendar_of(self.ws, self.portfolio, self.now)

    def gather(self, key: str) -> Gathered:
        ws, portfolio = self.ws, self.portfolio
        with ws.transaction() as session:
            alerts, hits = _waiting(session, portfolio, key)
        if not alerts and not hits:
            return Gathered()
        subjects = of_transactions(ws, portfolio, key, (alert.transaction_id for alert in alerts))
        items = [*_of_alerts(portfolio, key, alerts, subjects), *_of_hits(ws, portfolio, key, hits)]
        calendar = self.calendar
        with ws.transaction() as session:
            lock_partition(session, "cases", portfolio.name, "all")
            # While this one waited, another one may have gathered them.
            taken = _taken(session, portfolio, items)
            left = [item for item in items if (item.kind, item.reference) not in taken]
            if not left:
                return Gathered()
            return _Gathering(ws, session, portfolio, key, calendar, self.actor, self.now).gather(left)


# -- what there is ------------------------------------------------------------------------------------


def _waiting(session: Session, portfolio: Portfolio, key: str | None) -> tuple[list[Alert], list[RuleHit]]:
    """Alerts and hits that are in no case, of one partition or of all."""

    def without_item(kind: str, reference: Any) -> Any:
        same = (CaseItem.portfolio == portfolio.name, CaseItem.kind == kind, CaseItem.reference == reference)
        return ~exists().where(*same)

    alerts = select(Alert).where(Alert.portfolio == portfolio.name, without_item(ALERT, cast(Alert.id, String)))
    hits = select(RuleHit).where(RuleHit.portfolio == portfolio.name, without_item(HIT, RuleHit.hit_id))
    if key is not None:
        alerts, hits = alerts.where(Alert.partition_key == key), hits.where(RuleHit.partition_key == key)
    snoozes = Snoozes.read(session, portfolio.name)
    told = [
        hit
        for hit in session.scalars(hits.order_by(RuleHit.hit_id))
        if not snoozes.cover(hit.rule, hit.subject, hit.as_of)
    ]
    return list(session.scalars(alerts.order_by(Alert.id))), told


def _taken(session: Session, portfolio: Portfolio, items: Sequence[_Item]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for at in range(0, len(items), _AT_ONCE):
        some = [(item.kind, item.reference) for item in items[at : at + _AT_ONCE]]
        query = select(CaseItem.kind, CaseItem.reference).where(
            CaseItem.portfolio == portfolio.name, tuple_(CaseItem.kind, CaseItem.reference).in_(some)
        )
        found.update((kind, reference) for kind, reference in session.execute(query))
    return found


def _of_alerts(
    portfolio: Portfolio, key: str, alerts: Sequence[Alert], subjects: Mapping[str, Subject]
) -> Iterable[_Item]:
    for alert in alerts:
        severity = severity_of_alert(portfolio.cases, score=alert.score, decision=alert.decision, route=alert.route)
        loss = expected_loss(alert.score, alert.amount_minor, alert.minor_digits)
        yield _Item(
            ALERT,
            str(alert.id),
            key,
            alert.as_of,
            severity,
            loss,
            subjects[alert.transaction_id],
        )


def _of_hits(ws: Workspace, portfolio: Portfolio, key: str, hits: Sequence[RuleHit]) -> Iterable[_Item]:
    if not hits:
        return
    subjects = of_hits(ws, portfolio, key, ((hit.kind, hit.subject) for hit in hits))
    stored = raised_rows(ws, portfolio, key, {hit.hit_id for hit in hits})
    for hit in hits:
        severity = stored[hit.hit_id]["severity"] if hit.hit_id in stored else _UNKNOWN
        yield _Item(HIT, hit.hit_id, key, hit.as_of, severity, 0.0, subjects[hit.kind, hit.subject])


# -- into cases ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Gathering:
    """One partition's items on their way into cases, in an open transaction."""

    ws: Workspace
    session: Session
    portfolio: Portfolio
    key: str
    calendar: BusinessCalendar
    actor: str
    now: datetime

    def gather(self, items: Sequence[_Item]) -> Gathered:
        by_subject: dict[Subject, list[_Item]] = {}
        for item in items:
            by_subject.setdefault(item.subject, []).append(item)
        known = self._open_cases(by_subject)
        new = self._new_cases({subject: some for subject, some in by_subject.items() if subject not in known})
        before = self._items_of(known.values())
        counts, events = Counter[str](), list[CaseEvent]()
        for subject, some in by_subject.items():
            case = known.get(subject) or new.get(subject)
            if subject in known:
                events += self._join(known[subject], before[known[subject].id], some)
                counts["joined"] += 1
            elif subject in new:
                events.append(self._event(new[subject], OPENED, some))
                counts["opened"] += 1
            else:
                counts["left"] += len(some)
            self.session.add_all(self._row(item, case) for item in some)
        self.session.add_all(events)
        self.session.flush()
        self._record(len(items), counts, events)
        return Gathered(len(items), counts["opened"], counts["joined"], counts["left"])

    def _open_cases(self, subjects: Iterable[Subject]) -> dict[Subject, CaseFile]:
        """The open cases of some subjects; nobody else changes them until the transaction ends."""
        wanted, found = [(subject.kind, subject.name) for subject in subjects], dict[Subject, CaseFile]()
        for at in range(0, len(wanted), _AT_ONCE):
            query = (
                select(CaseFile)
                .where(
                    CaseFile.portfolio == self.portfolio.name,
                    CaseFile.closed_at.is_(None),
                    tuple_(CaseFile.subject_kind, CaseFile.subject).in_(wanted[at : at + _AT_ONCE]),
                )
                .order_by(CaseFile.id)
                .with_for_update()
            )
            found |= {Subject(case.subject_kind, case.subject): case for case in self.session.scalars(query)}
        return found

    def _items_of(self, cases: Iterable[CaseFile]) -> dict[int, list[CaseItem]]:
        """Case → what it consists of so far."""
        found: dict[int, list[CaseItem]] = {case.id: [] for case in cases}
        query = select(CaseItem).where(CaseItem.case_id.in_(found)).order_by(CaseItem.as_of, CaseItem.reference)
        for item in self.session.scalars(query):
            if item.case_id is not None:
                found[item.case_id].append(item)
        return found

    def _new_cases(self, items: Mapping[Subject, Sequence[_Item]]) -> dict[Subject, CaseFile]:
        """Open a case for each subject whose items are worth one."""
        least = rank(self.portfolio.cases.opens_from)
        newest = select(func.max(CaseFile.number)).where(CaseFile.portfolio == self.portfolio.name)
        number = self.session.scalar(newest) or 0
        found = {}
        for subject, some in items.items():
            if rank(worst(item.severity for item in some)) >= least:
                number += 1
                found[subject] = self._open(number, subject, some)
        self.session.add_all(found.values())
        self.session.flush()
        return found

    def _open(self, number: int, subject: Subject, items: Sequence[_Item]) -> CaseFile:
        cases, severity = self.portfolio.cases, worst(item.severity for item in items)
        return CaseFile(
            portfolio=self.portfolio.name,
            number=number,
            subject_kind=subject.kind,
            subject=subject.name,
            severity=severity,
            priority=priority_of(cases, [item.severity for item in items], [item.loss for item in items]),
            state=OPEN,
            version=1,
            opened_key=self.key,
            opened_as_of=self.portfolio.partitioning.end(self.key),
            created_at=self.now,
            due_on=review_due(self.portfolio, self.calendar, self.now, severity),
        )

    def _join(self, case: CaseFile, before: Sequence[CaseItem], items: Sequence[_Item]) -> list[CaseEvent]:
        case.version += 1
        together: list[CaseItem | _Item] = [*before, *items]
        severities, losses = [item.severity for item in together], [item.loss for item in together]
        case.priority = priority_of(self.portfolio.cases, severities, losses)
        severity = worst([case.severity, *(item.severity for item in items)])
        if severity != case.severity:
            case.severity = severity
            due = review_due(self.portfolio, self.calendar, self.now, severity)
            case.due_on = due if case.due_on is None else min(case.due_on, due)
        events = [self._event(case, ADDED, items)]
        if case.proposed_finding is not None:
            # Whoever proposed it did not know of this.
            details = {"finding": case.proposed_finding, "proposed_by": case.proposed_by}
            events.append(self._line(case, WITHDRAWN, "more was found", details))
            case.proposed_finding = case.proposed_by = case.proposed_at = None
        return events

    def _event(self, case: CaseFile, kind: str, items: Sequence[_Item]) -> CaseEvent:
        references = [[item.kind, item.reference] for item in items]
        due = case.due_on.isoformat() if case.due_on is not None else None
        details = {"items": references, "partition": self.key, "severity": case.severity, "due_on": due}
        return self._line(case, kind, None, details)

    def _line(self, case: CaseFile, kind: str, text: str | None, details: dict[str, Any]) -> CaseEvent:
        return CaseEvent(
            case_id=case.id, version=case.version, at=self.now, by=self.actor, kind=kind, text=text, details=details
        )

    def _row(self, item: _Item, case: CaseFile | None) -> CaseItem:
        return CaseItem(
            portfolio=self.portfolio.name,
            kind=item.kind,
            reference=item.reference,
            case_id=case.id if case is not None else None,
            partition_key=item.key,
            as_of=item.as_of,
            severity=item.severity,
            loss=item.loss,
            added_at=self.now,
        )

    def _record(self, items: int, counts: Counter[str], events: Sequence[CaseEvent]) -> None:
        self.ws.record(
            self.session,
            portfolio=self.portfolio.name,
            actor=self.actor,
            action=GATHERED,
            subject=f"{self.portfolio.name}/cases/{self.key}",
            details={
                "items": items,
                **{name: counts[name] for name in ("opened", "joined", "left")},
                "events": digest_of(self.ws, events),
            },
        )
