"""What the notices say: one function per kind, which renders the text and the HTML part and queues both.

Every function works within the caller's transaction and returns whether a new notice was queued. A portfolio
with ``notices.detail: reference`` gets a number and a link, nothing else.

Values come from files that strangers write, so each is put on one line before it reaches a template (it cannot
forge a line of the mail), and the HTML templates escape it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy.orm import Session

from fraudops.database.models import Alert, ModelVersion
from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import alert_link, alerts_link, count_of, dag_link, page_address
from fraudops.notices.rendering import queue_rendered as _queue
from fraudops.notices.words import Amount, Joined, Noun, Text, say
from fraudops.portfolio import Portfolio
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

_MOST_ALERTS = 100
"""A digest lists at most this many alerts; the queue has them all."""
_MOST_FAILURES = 50
_MOST_PARTITIONS = 50
CORRECTION = "correction"
"""Kind of the notices that tell of published partitions which have changed."""


def alert_digest(session: Session, ws: Workspace, portfolio: Portfolio, key: str, alerts: Sequence[Alert]) -> bool:
    """Tell compliance about all alerts of a partition; nothing is queued where there are none.

    The notice is told apart by its partition and by the alerts in it: the same alerts again queue nothing,
    alerts that a late row brought are told in a digest of their own.
    """
    if not alerts:
        return False
    ordered = sorted(alerts, key=lambda alert: (alert.decision != "block", -alert.score, alert.transaction_id))
    blocked = sum(alert.decision == "block" for alert in ordered)
    found = count_of(len(ordered), "alert")
    amount = _total(ordered)
    return _queue(
        session,
        ws,
        portfolio,
        kind="digest",
        dedupe_key=digest_key(key, (alert.transaction_id for alert in ordered)),
        recipients=portfolio.notices.compliance,
        as_of=portfolio.partitioning.end(key),
        severity="high" if blocked else "medium",
        subject=_listed(
            say("{name} {key}: {found}", name=portfolio.name, key=key, found=found),
            say("{n} blocked", n=blocked),
            amount,
        ),
        reference=say("{name} {key}: {found}", name=portfolio.name, key=key, found=found),
        link=alerts_link(ws, portfolio, key, key),
        content={
            "key": key,
            "found": found,
            "number": len(ordered),
            "noun": Noun(len(ordered), "alert"),
            "blocked": blocked,
            "amount": amount,
            "models": _models(session, ordered),
            "alerts": [_alert_lines(alert) for alert in ordered[:_MOST_ALERTS]],
            "more": max(0, len(ordered) - _MOST_ALERTS),
        },
    )


def digest_key(key: str, ids: Iterable[str]) -> str:
    """What tells a digest apart: its partition and the transactions in it."""
    return f"digest/{key}/{_fingerprint(ids)}"


def immediate_key(transaction_id: str) -> str:
    """What tells an immediate notice apart."""
    return f"immediate/{transaction_id}"


def immediate_alert(session: Session, ws: Workspace, portfolio: Portfolio, alert: Alert) -> bool:
    """Tell compliance about one alert at once, as for a blocked transaction."""
    if alert.id is None:
        # Its number is part of the notice.
        session.flush()
    lines = _alert_lines(alert)
    done = say("Transaction blocked") if alert.decision == "block" else say("Transaction to be reviewed")
    known = say("transaction {id} blocked", id=lines.transaction_id)
    if alert.decision != "block":
        known = say("transaction {id} to be reviewed", id=lines.transaction_id)
    return _queue(
        session,
        ws,
        portfolio,
        kind="immediate",
        dedupe_key=immediate_key(alert.transaction_id),
        recipients=portfolio.notices.compliance,
        as_of=alert.as_of,
        severity="critical" if alert.decision == "block" else "high",
        subject=_listed(say("{name}: {what}", name=portfolio.name, what=known), lines.amount),
        reference=say("{name}: alert no. {number}", name=portfolio.name, number=str(alert.id)),
        link=alert_link(ws, portfolio, alert.id),
        content={
            "key": alert.partition_key,
            "number": alert.id,
            "done": done,
            "alert": lines,
            "models": _models(session, [alert]),
        },
    )


def validation_failure(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    key: str,
    failures: Sequence[str],
    report_link: str | None,
) -> bool:
    """Tell the data owner that a partition was stopped, and by what.

    Parameters
    ----------
    failures
        A sentence per failed check; the same ones again queue nothing.
    report_link
        Address of the validation page, or its path in the store (then the notice links to Airflow's page of it).
    """
    found = say("{checks} failed", checks=count_of(len(failures), "check"))
    stopped = say("{name} {key}: stopped by validation, {found}", name=portfolio.name, key=key, found=found)
    return _queue(
        session,
        ws,
        portfolio,
        kind="validation_failure",
        dedupe_key=f"validation_failure/{key}/{_fingerprint(failures)}",
        recipients=portfolio.notices.data_owner,
        as_of=portfolio.partitioning.end(key),
        severity="high",
        subject=stopped,
        reference=stopped,
        link=dag_link(ws, portfolio.dag_id("ingest")),
        content={
            "key": key,
            "found": found,
            "failures": [one_line(failure, 300) for failure in failures[:_MOST_FAILURES]],
            "more": max(0, len(failures) - _MOST_FAILURES),
            "report": _validation_page(ws, portfolio, key, report_link),
        },
    )


@dataclass(frozen=True)
class ChangedPartition:
    """A published partition that other rows have taken the place of."""

    key: str
    added: int
    changed: int
    removed: int
    files: tuple[str, ...] = ()
    """Names of the files that rows came or went with."""


def correction(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    *,
    until: int,
    partitions: Sequence[ChangedPartition],
    stale: Sequence[str],
    models: Sequence[str],
) -> bool:
    """Tell the data owner that published partitions have changed, and what depends on them.

    Parameters
    ----------
    until
        Number of the ledger's newest entry that this tells of; it tells notices apart.
    stale
        Partitions to be scored again.
    models
        Sentences: which model was trained on what was there before.
    """
    keys = sorted({partition.key for partition in partitions})
    found = say("{partitions} changed", partitions=count_of(len(keys), "published partition"))
    totals = {name: sum(getattr(item, name) for item in partitions) for name in ("added", "changed", "removed")}
    rows = _rows(totals["added"], totals["changed"], totals["removed"])
    return _queue(
        session,
        ws,
        portfolio,
        kind=CORRECTION,
        dedupe_key=f"{CORRECTION}/{until}",
        recipients=portfolio.notices.data_owner,
        as_of=portfolio.partitioning.end(keys[-1]),
        subject=say("{name}: {found}, {rows}", name=portfolio.name, found=found, rows=rows),
        reference=say("{name}: {what}", name=portfolio.name, what=found),
        link=dag_link(ws, portfolio.dag_id("reconcile")),
        content={
            "found": found,
            "rows": rows,
            "partitions": [_partition_lines(item) for item in partitions[:_MOST_PARTITIONS]],
            "more": max(0, len(partitions) - _MOST_PARTITIONS),
            "stale": _stale(stale, portfolio),
            "models": [one_line(sentence, 300) for sentence in models],
        },
    )


# -- rendering ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _AlertLines:
    """An alert as both parts of a mail write it."""

    transaction_id: str
    amount: Text
    """Empty where transactions have none."""
    time: str
    decision: str
    score: str
    reasons: tuple[str, ...]


def _alert_lines(alert: Alert) -> _AlertLines:
    return _AlertLines(
        transaction_id=one_line(alert.transaction_id, 120),
        amount=_total([alert]),
        time=_time(alert.event_time),
        decision=one_line(alert.decision),
        score=f"{alert.score:.3f}",
        reasons=tuple(one_line(str(reason), 300) for reason in alert.reasons),
    )


def _rows(added: int, changed: int, removed: int) -> Text:
    return say(
        "{rows} added, {changed} changed, {removed} removed",
        rows=count_of(added, "row"),
        changed=changed,
        removed=removed,
    )


def _partition_lines(partition: ChangedPartition) -> dict[str, Text]:
    names = ", ".join(one_line(name, 80) for name in partition.files[:3])
    more = len(partition.files) - 3
    return {
        "key": partition.key,
        "rows": _rows(partition.added, partition.changed, partition.removed),
        "files": say("{names} and {n} more", names=names, n=more) if more > 0 else names,
    }


def _stale(keys: Sequence[str], portfolio: Portfolio) -> Text:
    """What happens to the scores that were made from what was there before."""
    if not keys:
        return say(
            "No score is out of date: what had been scored from the rows before, if anything, is scored again "
            "already; alerts that were raised stay."
        )
    if len(keys) == 1:
        return say(
            "1 partition was scored from what was there before ({key}). {dag} scores them again; alerts that were "
            "raised stay.",
            key=keys[0],
            dag=portfolio.dag_id("reconcile"),
        )
    return say(
        "{n} partitions were scored from what was there before ({first} to {last}). {dag} scores them again; alerts "
        "that were raised stay.",
        n=len(keys),
        first=keys[0],
        last=keys[-1],
        dag=portfolio.dag_id("reconcile"),
    )


def _validation_page(ws: Workspace, portfolio: Portfolio, key: str, report_link: str | None) -> str | None:
    """Where a person can open the validation page: a path in the store is shown by the Airflow plugin."""
    if report_link and not report_link.startswith(("http://", "https://")):
        return page_address(ws, f"validation/{portfolio.name}/{quote(key, safe='')}")
    return one_line(report_link) if report_link else None


def _models(session: Session, alerts: Iterable[Alert]) -> str:
    """Versions that gave the scores; one, unless a partition was scored in parts."""
    found = {model for alert in alerts if (model := session.get(ModelVersion, alert.model_id)) is not None}
    return ", ".join(model.version for model in sorted(found, key=lambda model: model.number))


def _listed(*texts: Text) -> Text:
    """With commas, without those that are empty."""
    return Joined(texts)


def _total(alerts: Iterable[Alert]) -> Text:
    """Sum of the amounts, per currency; the largest two, and how many others. Empty where there are none."""
    sums: dict[tuple[str, int], int] = defaultdict(int)
    for alert in alerts:
        if alert.amount_minor is not None:
            sums[alert.currency, alert.minor_digits] += alert.amount_minor
    largest = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    # The currency may come from a file.
    texts: list[Text] = [Amount(minor, digits, one_line(currency, 8)) for (currency, digits), minor in largest[:2]]
    if len(largest) > 2:
        others = len(largest) - 2
        texts.append(say("1 other currency") if others == 1 else say("{n} other currencies", n=others))
    return Joined(tuple(texts), " + ") if texts else ""


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _fingerprint(texts: Iterable[str]) -> str:
    return sha256_of("\n".join(sorted(texts)).encode("utf-8", "replace"))[:16]
