"""What follows a decision that was made at once: alerts, notices, and the ledger's entry; within one transaction.

Cases are made a floor above (:mod:`fraudops.cases.following`), in the same transaction. An alert's ``as_of`` is the
moment at which its transaction was received: nothing later was known to the decision, and the end of its partition
lies ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fraudops.database import Alert, OnlineDecision, OnlineRecord
from fraudops.decisions.alerts import alert_row, insert_alerts, queue_immediate
from fraudops.decisions.locks import lock_partition
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

DECIDED = "decided_at_once"
"""Action of the ledger's entry for a run of decisions."""
ACTOR = "service:serve"
AT_ONCE = 500
"""Decisions that are followed up in one transaction."""
_RECORDED_WITHIN = timedelta(minutes=1)
"""Where nobody is to be told of anything, decisions wait for their entry so long: an entry each second says no more."""
_MOST_RECORDED = 50_000

# Computed where the rows lie: nothing of it passes through the service. What is encrypted is left out, as its bytes
# change with the key; it is told apart by `content`.
_DIGEST = text("""
select count(*), min(number), max(number),
    encode(sha256(string_agg(sha256(convert_to(row(
        number, decision_id, transaction_id, partition_key, (extract(epoch from event_time) * 1000000)::bigint,
        (extract(epoch from received_at) * 1000000)::bigint, amount_minor, content, d.row, features, config, model_id,
        score, decision, route, propensity, reasons, explanation, degraded
    )::text, 'UTF8')), ''::bytea order by number)), 'hex')
from online_decision d where portfolio = :portfolio and number between :first and :last
""")
_COUNTS = text("""
select v.number, d.decision, count(*) from online_decision d join model_version v on v.id = d.model_id
where d.portfolio = :portfolio and d.number between :first and :last group by v.number, d.decision
""")


@dataclass(frozen=True)
class Raised:
    """New alerts of one partition, and the rows that their transactions were received with.

    Attributes
    ----------
    decisions
        How many were followed up; an alert that the batch had raised is not a new one.
    notices
        Queued ones.
    """

    key: str
    decisions: int
    alerts: tuple[Alert, ...]
    rows: dict[str, dict[str, Any]]
    notices: int


@dataclass(frozen=True)
class Run:
    """Decisions whose numbers follow one another.

    Attributes
    ----------
    digest
        Of all that they rest on; the same as long as nobody changes them.
    """

    first: int
    last: int
    rows: int
    digest: str


def lock_record(session: Session, portfolio: Portfolio, now: datetime) -> OnlineRecord:
    """Where the ledger stands; whoever else follows up waits until the transaction ends."""
    new = insert(OnlineRecord).values(portfolio=portfolio.name, number=0, at=now).on_conflict_do_nothing()
    session.execute(new)
    return session.scalars(select(OnlineRecord).where(OnlineRecord.portfolio == portfolio.name).with_for_update()).one()


def raise_waiting(
    ws: Workspace, session: Session, portfolio: Portfolio, now: datetime, *, most: int = AT_ONCE
) -> list[Raised]:
    """Raise alerts for decisions that nobody has followed up, and queue the notices that cannot wait.

    A transaction has one alert, ever: where the batch has raised it, it stays as it is.
    """
    waiting = _waiting(session, portfolio, most)
    raised = []
    for key, some in groupby(sorted(waiting, key=lambda d: (d.partition_key, d.number)), lambda d: d.partition_key):
        raised.append(_raise(ws, session, portfolio, key, list(some), now))
    return raised


def record(
    ws: Workspace,
    session: Session,
    portfolio: Portfolio,
    standing: OnlineRecord,
    now: datetime,
    details: Mapping[str, Any],
) -> int:
    """Enter the decisions since the last entry into the ledger; returns how many.

    Where there are no details nobody is told of anything, and they may wait for more of them.
    """
    newest = session.scalar(
        select(OnlineDecision.number)
        .where(OnlineDecision.portfolio == portfolio.name)
        .order_by(OnlineDecision.number.desc())
        .limit(1)
    )
    if newest is None or newest <= standing.number or (not details and now < standing.at + _RECORDED_WITHIN):
        return 0
    found = run_of(session, portfolio.name, standing.number + 1, min(newest, standing.number + _MOST_RECORDED))
    counts: dict[str, dict[str, int]] = {}
    for version, decision, count in session.execute(_COUNTS, _bounds(portfolio.name, found.first, found.last)):
        counts.setdefault(f"v{version}", {})[decision] = count
    ws.record(
        session,
        portfolio=portfolio.name,
        actor=ACTOR,
        action=DECIDED,
        subject=f"{portfolio.name}/online/{found.first}-{found.last}",
        details={
            "first": found.first,
            "last": found.last,
            "rows": found.rows,
            "digest": found.digest,
            "decisions": {version: dict(sorted(of.items())) for version, of in sorted(counts.items())},
            **details,
        },
    )
    standing.number, standing.at = found.last, now
    return found.rows


def run_of(session: Session, portfolio: str, first: int, last: int) -> Run:
    """Decisions from one number to another, as they are in the table; computed by the database."""
    rows, low, high, digest = session.execute(_DIGEST, _bounds(portfolio, first, last)).one()
    return Run(low or first, high or last, rows, digest or "")


# -- inside ---------------------------------------------------------------------------------------------------


def _bounds(portfolio: str, first: int, last: int) -> dict[str, Any]:
    return {"portfolio": portfolio, "first": first, "last": last}


def _waiting(session: Session, portfolio: Portfolio, most: int) -> list[OnlineDecision]:
    return list(
        session.scalars(
            select(OnlineDecision)
            .where(OnlineDecision.portfolio == portfolio.name, ~OnlineDecision.followed_up)
            .order_by(OnlineDecision.number)
            .limit(most)
        )
    )


def _raise(
    ws: Workspace, session: Session, portfolio: Portfolio, key: str, decisions: Sequence[OnlineDecision], now: datetime
) -> Raised:
    lock_partition(session, "alerts", portfolio.name, key)
    rows = [
        alert_row(
            portfolio,
            key,
            {**one.row, "transaction_id": one.transaction_id, "event_time": one.event_time,
             "amount_minor": one.amount_minor, "score": one.score, "decision": one.decision, "route": one.route},
            reasons=[reason["text"] for reason in one.reasons],
            explanation=one.explanation,
            model_id=one.model_id,
            as_of=one.received_at,
            created_at=now,
        )
        for one in decisions
    ]  # fmt: skip
    alerts = insert_alerts(session, rows)
    told, notices = queue_immediate(session, ws, portfolio, key, alerts)
    new = {alert.transaction_id for alert in alerts}
    # Of what the batch had raised it has told as well.
    silent = new - {alert.transaction_id for alert in told}
    _mark(session, portfolio, [one.number for one in decisions], followed_up=True)
    _mark(session, portfolio, [one.number for one in decisions if one.transaction_id not in silent], told=True)
    received = {one.transaction_id: one.row for one in decisions if one.transaction_id in new}
    return Raised(key, len(decisions), tuple(alerts), received, notices)


def _mark(session: Session, portfolio: Portfolio, numbers: Sequence[int], **values: bool) -> None:
    session.execute(
        update(OnlineDecision)
        .where(OnlineDecision.portfolio == portfolio.name, OnlineDecision.number.in_(numbers))
        .values(**values)
    )
