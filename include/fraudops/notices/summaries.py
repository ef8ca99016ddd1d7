"""What is told once about many partitions: alerts of the past, and what another model would have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, alerts_link, count_of, page_address, queue_rendered
from fraudops.notices.words import Amount, Joined, Text, say
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
    found = say("{things} of {whole}", things=count_of(alerts, "alert"), whole=count_of(len(keys), "past partition"))
    most = sorted(stretch.by_key.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN_DAYS]
    amounts = [
        Amount(minor, digits, one_line(currency, 8))
        for (currency, digits), minor in sorted(stretch.amounts.items(), key=lambda item: (-item[1], item[0]))
    ]
    facts = [
        (say("Partitions"), _range(keys)),
        (say("To review"), say("{n}", n=stretch.reviews)),
        (say("Blocked"), say("{n}", n=stretch.blocks)),
        *([(say("Amount"), Joined(tuple(amounts), " + "))] if amounts else []),
        (say("Most alerts"), Joined(tuple(say("{key} ({n})", key=key, n=number) for key, number in most))),
        (say("Scored by"), ", ".join(stretch.models)),
        (say("Recorded"), say("ledger entries up to {number}", number=str(stretch.until))),
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
        severity="high" if stretch.blocks else "medium",
        subject=say(
            "{name}: {what}, {blocked}", name=portfolio.name, what=found, blocked=say("{n} blocked", n=stretch.blocks)
        ),
        reference=say("{name}: {what}", name=portfolio.name, what=found),
        link=alerts_link(ws, portfolio, keys[0], keys[-1]),
        content={
            "heading": found,
            "sentence": say(
                "These partitions were over long before they were scored: a backfill, a bulk load, or a wait "
                "for the first champion. Their alerts are told of here, once, and by no other notice."
            ),
            "facts": facts,
            "advice": say(
                "Each is in the alert queue with its reasons: {command}",
                command=f"fraudops alerts list --portfolio {portfolio.name} --key {keys[0]}",
            ),
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
    difference = say("{new} new, {gone} gone, {changed} changed", new=found.new, gone=found.gone, changed=found.changed)
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=RESTATED,
        template=_TEMPLATE,
        dedupe_key=f"{RESTATED}/{found.run}",
        recipients=portfolio.notices.model_owner or portfolio.notices.compliance,
        as_of=found.as_of,
        subject=say(
            "{name}: restatement of {partitions}: {difference}",
            name=portfolio.name,
            partitions=_range(found.keys),
            difference=difference,
        ),
        reference=say(
            "{name}: restatement, ledger entry {number}", name=portfolio.name, number=str(found.ledger_number)
        ),
        link=Link(
            say("Open the difference in Airflow"),
            page_address(ws, f"restated/{portfolio.name}/{quote(found.run, safe='')}"),
        ),
        content={
            "heading": say("Would have alerted: {difference}", difference=difference),
            "sentence": say("What was decided then stands: no alert was raised, withdrawn or changed by this."),
            "facts": [
                (say("Partitions"), _range(found.keys)),
                (say("Model"), found.version),
                (say("New"), say("{n} alerts that nobody was given", n=found.new)),
                (say("Gone"), say("{n} alerts that would not be raised", n=found.gone)),
                (say("Changed"), say("{n} with another decision", n=found.changed)),
                (say("Same"), say("{n}", n=found.same)),
                (say("Asked by"), one_line(found.asked_by, 200)),
                (say("Reason"), one_line(found.reason, 500)),
                (say("Recorded"), say("ledger entry {number}", number=str(found.ledger_number))),
            ],
            "advice": say("The page lists every difference, by day and by transaction."),
        },
    )


def _range(keys: Sequence[str]) -> Text:
    if len(keys) == 1:
        return keys[0]
    return say("{first} to {last} ({n})", first=keys[0], last=keys[-1], n=len(keys))
