"""Everything that explains a case: why, by which numbers, against what is usual, with whom, and what was done.

Nothing personal: names and card digits are shown by :func:`fraudops.cases.personal.look`, which leaves a trace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from fraudops.cases.changing import case_of
from fraudops.cases.closing import needs_two
from fraudops.cases.states import ESCALATED
from fraudops.cases.summaries import CaseSummary, summary_of
from fraudops.cases.surroundings import LINKS, Link, Normal, Scene
from fraudops.cases.transactions import ALERT, HIT, contents_of
from fraudops.database import (
    Alert,
    CaseAttachment,
    CaseEvent,
    CaseFile,
    CaseItem,
    Disposition,
    Escalation,
    ModelVersion,
)
from fraudops.labels.known import known_frauds
from fraudops.portfolio import Portfolio
from fraudops.rules.registry import Rule
from fraudops.workspace import Workspace

_AT_ONCE = 1_000
_SHOWN = 10


@dataclass(frozen=True)
class AlertView:
    """An alert of the model, with its reasons and the version that gave the score."""

    id: int
    transaction_id: str
    event_time: datetime
    amount: Decimal | None
    """In major units."""
    currency: str
    score: float
    decision: str
    route: str
    reasons: tuple[str, ...]
    model_version: str
    candidate: str
    partition: str
    severity: str
    loss: float
    """Expected: score × amount, in major units."""


@dataclass(frozen=True)
class HitView:
    """A rule's hit, with the rule's text, and the numbers that were in force on its day.

    Attributes
    ----------
    title, purpose, action, source
        The rule's text as it stands; empty where there is no such rule any more.
    because
        What was seen, in a sentence; empty where the store no longer has the hit.
    numbers
        Name → value, unit, source, first and last day, as stored with the hit.
    """

    id: str
    rule: str
    title: str
    purpose: str
    action: str
    source: str
    because: str
    on: date | None
    values: dict[str, Any]
    numbers: dict[str, dict[str, Any]]
    transactions: tuple[str, ...]
    partition: str
    severity: str


@dataclass(frozen=True)
class LinkView:
    """Others who have to do with the same terminal, counterparty, card …

    Attributes
    ----------
    alerted, known_frauds
        How many of their transactions raised an alert; are known to be fraud, as of the case's last partition.
    cases
        Cases of those alerts.
    ids
        Some of the transactions: those with an alert first, then the newest.
    """

    entity: str
    value: str
    transactions: int
    subjects: int
    alerted: int
    known_frauds: int
    cases: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True)
class EventView:
    """A line of the timeline."""

    at: datetime
    by: str
    kind: str
    text: str | None
    details: dict[str, Any]
    version: int


@dataclass(frozen=True)
class AttachmentView:
    """A file that belongs to the case."""

    name: str
    media_type: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True)
class EscalationView:
    """Confidential: since when there are facts that may be a basis for a report."""

    detected_on: date
    suspect_known: bool
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class DispositionView:
    """What closing the case said about a transaction."""

    transaction_id: str
    finding: str
    by: str
    reported_at: datetime
    handed_over: bool


@dataclass(frozen=True)
class CaseView:
    """A case with all that explains it.

    Attributes
    ----------
    needs_two
        Whether closing it takes a second person.
    transactions
        Rows of the case's transactions as they are stored, by time: column → value.
    earlier
        Other cases of the same subject.
    """

    case: CaseSummary
    needs_two: bool
    alerts: tuple[AlertView, ...]
    hits: tuple[HitView, ...]
    transactions: tuple[dict[str, Any], ...]
    normal: Normal | None
    links: tuple[LinkView, ...]
    earlier: tuple[CaseSummary, ...]
    timeline: tuple[EventView, ...]
    attachments: tuple[AttachmentView, ...]
    escalations: tuple[EscalationView, ...]
    dispositions: tuple[DispositionView, ...]

    def without_escalations(self) -> CaseView:
        """For those who work the case and need not know why it was escalated; that it was is its state."""
        told = [replace(event, text=None, details={}) if event.kind == ESCALATED else event for event in self.timeline]
        return replace(self, escalations=(), timeline=tuple(told))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; confidential, as the case is."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_as_text, ensure_ascii=True))
        return plain


def read(
    ws: Workspace, session: Session, portfolio: Portfolio, number: int, *, rules: Mapping[str, Rule] | None = None
) -> CaseView:
    """Everything that explains a case.

    Parameters
    ----------
    session
        May be read-only.
    rules
        All that there are, for their texts (:func:`fraudops.rules.registry.read_rules`).

    Raises
    ------
    ContractError
        There is no such case.
    """
    case = case_of(session, portfolio.name, number)
    found = contents_of(ws, session, portfolio, case)
    scene = Scene(ws, portfolio, case.subject_kind, case.subject, min(found.keys), max(found.keys))
    rows = scene.rows_of(found.transactions)
    return CaseView(
        case=summary_of(session, case),
        needs_two=needs_two(portfolio, case),
        alerts=tuple(_alert_views(session, found.alerts, found.items)),
        hits=tuple(
            _hit_view(item, found.hits.get(item.reference), rules or {}) for item in found.items if item.kind == HIT
        ),
        transactions=tuple(rows),
        normal=scene.normal(),
        links=tuple(_link_views(ws, session, portfolio, list(scene.links(rows)), scene)),
        earlier=tuple(_earlier(session, case)),
        timeline=tuple(_timeline(session, case)),
        attachments=tuple(_attachments(session, case)),
        escalations=tuple(_escalations(session, case)),
        dispositions=tuple(_dispositions(session, case)),
    )


# -- inside -------------------------------------------------------------------------------------------


def _alert_views(session: Session, alerts: Sequence[Alert], items: Sequence[CaseItem]) -> list[AlertView]:
    by_number = {item.reference: item for item in items if item.kind == ALERT}
    models = {
        model.id: model
        for model in session.scalars(
            select(ModelVersion).where(ModelVersion.id.in_({alert.model_id for alert in alerts}))
        )
    }
    return [
        AlertView(
            id=alert.id,
            transaction_id=alert.transaction_id,
            event_time=alert.event_time,
            amount=None if alert.amount_minor is None else Decimal(alert.amount_minor).scaleb(-alert.minor_digits),
            currency=alert.currency,
            score=alert.score,
            decision=alert.decision,
            route=alert.route,
            reasons=tuple(alert.reasons),
            model_version=models[alert.model_id].version,
            candidate=models[alert.model_id].candidate,
            partition=alert.partition_key,
            severity=by_number[str(alert.id)].severity,
            loss=by_number[str(alert.id)].loss,
        )
        for alert in alerts
    ]


def _hit_view(item: CaseItem, row: Mapping[str, Any] | None, rules: Mapping[str, Rule]) -> HitView:
    name = row["rule"] if row is not None else ""
    definition = rules[name].definition if name in rules else None
    return HitView(
        id=item.reference,
        rule=name,
        title=definition.title if definition else "",
        purpose=" ".join(definition.purpose.split()) if definition else "",
        action=" ".join(definition.action.split()) if definition else "",
        source=definition.source.text if definition else "",
        because=row["because"] if row is not None else "",
        on=row["on"] if row is not None else None,
        values=json.loads(row["values"]) if row is not None else {},
        numbers=json.loads(row["numbers"]) if row is not None else {},
        transactions=tuple(row["transactions"]) if row is not None else (),
        partition=item.partition_key,
        severity=item.severity,
    )


def _link_views(
    ws: Workspace, session: Session, portfolio: Portfolio, links: Sequence[Link], scene: Scene
) -> list[LinkView]:
    everything = sorted({one for link in links for one in link.ids})
    if not everything:
        return []
    cases = _cases_of_alerts(session, portfolio, everything)
    as_of = portfolio.partitioning.end(scene.last)
    begins = portfolio.partitioning.key_of(portfolio.partitioning.start(scene.first) - LINKS)
    frauds = set(known_frauds(ws, portfolio, as_of=as_of, first=begins, last=scene.last)) & set(everything)
    found = []
    for link in links:
        alerted = [one for one in link.ids if one in cases]
        shown = dict.fromkeys([*alerted, *link.ids])
        found.append(
            LinkView(
                entity=link.entity,
                value=link.value,
                transactions=link.transactions,
                subjects=link.subjects,
                alerted=len(alerted),
                known_frauds=len(frauds & set(link.ids)),
                cases=tuple(sorted({name for one in alerted if (name := cases[one])})),
                ids=tuple(shown)[:_SHOWN],
            )
        )
    return sorted(found, key=lambda link: (-link.known_frauds, -link.alerted, link.entity, link.value))


def _cases_of_alerts(session: Session, portfolio: Portfolio, ids: Sequence[str]) -> dict[str, str | None]:
    """Transaction with an alert → the case that has it."""
    found: dict[str, str | None] = {}
    for at in range(0, len(ids), _AT_ONCE):
        query = (
            select(Alert.transaction_id, CaseFile.number)
            .outerjoin(
                CaseItem,
                (CaseItem.portfolio == Alert.portfolio)
                & (CaseItem.kind == ALERT)
                & (CaseItem.reference == cast(Alert.id, String)),
            )
            .outerjoin(CaseFile, CaseFile.id == CaseItem.case_id)
            .where(Alert.portfolio == portfolio.name, Alert.transaction_id.in_(ids[at : at + _AT_ONCE]))
        )
        found |= {
            one: f"{portfolio.name}-{number}" if number is not None else None for one, number in session.execute(query)
        }
    return found


def _earlier(session: Session, case: CaseFile) -> list[CaseSummary]:
    others = session.scalars(
        select(CaseFile)
        .where(
            CaseFile.portfolio == case.portfolio,
            CaseFile.subject_kind == case.subject_kind,
            CaseFile.subject == case.subject,
            CaseFile.id != case.id,
        )
        .order_by(CaseFile.id)
    )
    return [summary_of(session, other) for other in others.all()]


def _timeline(session: Session, case: CaseFile) -> list[EventView]:
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id))
    return [EventView(one.at, one.by, one.kind, one.text, one.details, one.version) for one in events]


def _attachments(session: Session, case: CaseFile) -> list[AttachmentView]:
    found = session.scalars(select(CaseAttachment).where(CaseAttachment.case_id == case.id).order_by(CaseAttachment.id))
    return [AttachmentView(one.name, one.media_type, one.size, one.sha256, one.added_by, one.added_at) for one in found]


def _escalations(session: Session, case: CaseFile) -> list[EscalationView]:
    found = session.scalars(select(Escalation).where(Escalation.case_id == case.id).order_by(Escalation.id))
    return [EscalationView(one.detected_on, one.suspect_known, one.reason, one.by, one.at) for one in found]


def _dispositions(session: Session, case: CaseFile) -> list[DispositionView]:
    query = select(Disposition).where(Disposition.case_id == case.id).order_by(Disposition.reported_at, Disposition.id)
    return [
        DispositionView(one.transaction_id, one.finding, one.by, one.reported_at, one.handed_over_at is not None)
        for one in session.scalars(query)
    ]


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
