"""What is told once about many partitions: alerts of the past, and what another model would have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, count_of, queue_rendered
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

HISTORIC, RESTATED = "historic", "restated"
_TEMPLATE = "facts"
_SHOWN_DAYS = 5


@dataclass(frozen=True)
class Stretch:
    """Alerts of the past that one notice tells of.

    Attributes
    ----------
    until
        Number of the newest ledger entry among theirs; it tells notices apart.
    by_key
        Partition → how many, in the order of time.
    amounts
        Currency and its minor digits → sum in minor units.
    models
        Versions that gave the scores.
    """

    until: int
    by_key: Mapping[str, int]
    reviews: int
    blocks: int
    amounts: Mapping[tuple[str, int], int]
    models: Sequence[str]


def historic_alerts(session: Session, ws: Workspace, portfolio: Portfolio, stretch: Stretch) -> bool:
    """Tell compliance about alerts of partitions that were over long before they were scored."""
    keys = list(stretch.by_key)
    alerts = stretch.reviews + stretch.blocks
    found = f"{count_of(alerts, 'alert')} of {count_of(len(keys), 'past partition')}"
    most = sorted(stretch.by_key.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN_DAYS]
    amounts = [
        f"{Decimal(minor).scaleb(-digits):,.{digits}f} {one_line(currency, 8)}".rstrip()
        for (currency, digits), minor in sorted(stretch.amounts.items(), key=lambda item: (-item[1], item[0]))
    ]
    facts = [
        ("Partitions", _range(keys)),
        ("To review", f"{stretch.reviews:,}"),
        ("Blocked", f"{stretch.blocks:,}"),
        *([("Amount", " + ".join(amounts))] if amounts else []),
        ("Most alerts", ", ".join(f"{key} ({number:,})" for key, number in most)),
        ("Scored by", ", ".join(stretch.models)),
        ("Recorded", f"ledger entries up to {stretch.until}"),
    ]
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=HISTORIC,
        template=_TEMPLATE,
        dedupe_key=f"{HISTORIC}/{stretch.until}",
        recipients=portfolio.notices.compliance,
        as_of=portfolio.partitioning.end(keys[-1]),
        subject=f"{portfolio.name}: {found}, {stretch.blocks:,} blocked",
        reference=f"{portfolio.name}: {found}",
        link=Link("Open Fraud Ops in Airflow", f"{ws.ui_url}/fraud-ops/"),
        content={
            "heading": found,
            "sentence": "These partitions were over long before they were scored: a backfill, a bulk load, or a wait "
            "for the first champion. Their alerts are told of here, once, and by no other notice.",
            "facts": facts,
            "advice": f"Each is in the alert queue with its reasons: "
            f"fraudops alerts list --portfolio {portfolio.name} --key {keys[0]}",
        },
    )


@dataclass(frozen=True)
class Restated:
    """What a restatement found, as its notice tells it."""

    run: str
    keys: Sequence[str]
    version: str
    reason: str
    asked_by: str
    new: int
    gone: int
    changed: int
    same: int
    as_of: datetime
    ledger_number: int


def restatement(session: Session, ws: Workspace, portfolio: Portfolio, found: Restated) -> bool:
    """Tell the model owner what would be alerted today for partitions that were decided on then."""
    difference = f"{found.new:,} new, {found.gone:,} gone, {found.changed:,} changed"
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=RESTATED,
        template=_TEMPLATE,
        dedupe_key=f"{RESTATED}/{found.run}",
        recipients=portfolio.notices.model_owner or portfolio.notices.compliance,
        as_of=found.as_of,
        subject=f"{portfolio.name}: restatement of {_range(found.keys)}: {difference}",
        reference=f"{portfolio.name}: restatement, ledger entry {found.ledger_number}",
        link=Link(
            "Open the difference in Airflow",
            f"{ws.ui_url}/fraud-ops/restated/{portfolio.name}/{quote(found.run, safe='')}",
        ),
        content={
            "heading": f"Would have alerted: {difference}",
            "sentence": "What was decided then stands: no alert was raised, withdrawn or changed by this.",
            "facts": [
                ("Partitions", _range(found.keys)),
                ("Model", found.version),
                ("New", f"{found.new:,} alerts that nobody was given"),
                ("Gone", f"{found.gone:,} alerts that would not be raised"),
                ("Changed", f"{found.changed:,} with another decision"),
                ("Same", f"{found.same:,}"),
                ("Asked by", one_line(found.asked_by, 200)),
                ("Reason", one_line(found.reason, 500)),
                ("Recorded", f"ledger entry {found.ledger_number}"),
            ],
            "advice": "The page lists every difference, by day and by transaction.",
        },
    )


def _range(keys: Sequence[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]} ({len(keys):,})"
