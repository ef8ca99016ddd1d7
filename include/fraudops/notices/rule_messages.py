"""What is told of the rules' hits: how many of which rule; never whom they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, count_of, page_address, queue_rendered
from fraudops.notices.words import Joined, say
from fraudops.portfolio import Portfolio
from fraudops.portfolio.notices import Severity
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

HITS_DIGEST, HISTORIC_HITS = "rule_hits", "historic_hits"
_SHOWN_DAYS = 5
_GRAVEST_FIRST: tuple[Severity, ...] = ("critical", "high", "medium", "low")


class Titled(Protocol):
    """What a notice tells of a rule."""

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def severity(self) -> str:
        """How grave its hits are."""


@dataclass(frozen=True)
class PastHits:
    """Hits of the past that one notice tells of.

    Attributes
    ----------
    until
        Number of the newest ledger entry among theirs; it tells notices apart.
    by_key, by_rule
        Partition, and rule → how many.
    """

    until: int
    by_key: Mapping[str, int]
    by_rule: Mapping[str, int]


def hits_digest(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    key: str,
    counts: Sequence[tuple[Titled, int]],
    ids: Sequence[str],
) -> bool:
    """Tell compliance how many new hits of which rules a partition has.

    Parameters
    ----------
    counts
        Each rule and how many.
    ids
        Of the hits: the same ones again queue nothing.
    """
    found = count_of(sum(number for _, number in counts), "new hit")
    grave = {rule.severity for rule, _ in counts}
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=HITS_DIGEST,
        template="facts",
        dedupe_key=f"{HITS_DIGEST}/{key}/{sha256_of(chr(10).join(sorted(ids)).encode())[:16]}",
        recipients=portfolio.notices.compliance,
        as_of=portfolio.partitioning.end(key),
        severity=next((severity for severity in _GRAVEST_FIRST if severity in grave), "low"),
        subject=say(
            "{name} {key}: {found} of {rules}",
            name=portfolio.name,
            key=key,
            found=found,
            rules=count_of(len(counts), "rule"),
        ),
        reference=say("{name} {key}: {found}", name=portfolio.name, key=key, found=found),
        link=_hits(ws, portfolio, key, key),
        content={
            "heading": say("{key}: {found}", key=key, found=found),
            "sentence": say(
                "Rules of law and policy have found something that somebody should look at. "
                "This mail names nobody; the page explains each hit, with the numbers it was compared with."
            ),
            "facts": [
                (say("{n} {severity}", n=number, severity=say(rule.severity)), one_line(rule.title, 120))
                for rule, number in counts
            ],
            "advice": say(
                "fraudops helps you to comply; it files nothing by itself. {command}",
                command=f"fraudops rules hits --portfolio {portfolio.name} --key {key}",
            ),
        },
    )


def historic_hits(session: Session, ws: Workspace, portfolio: Portfolio, past: PastHits) -> bool:
    """Tell compliance about hits of partitions that were over long before the rules ran."""
    keys = list(past.by_key)
    hits = count_of(sum(past.by_rule.values()), "hit")
    found = say("{things} of {whole}", things=hits, whole=count_of(len(keys), "past partition"))
    most = sorted(past.by_key.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN_DAYS]
    facts = [
        (say("Partitions"), keys[0] if len(keys) == 1 else say("{first} to {last}", first=keys[0], last=keys[-1])),
        *((say("{n}", n=number), one_line(rule, 80)) for rule, number in past.by_rule.items()),
        (say("Most hits"), Joined(tuple(say("{key} ({n})", key=key, n=number) for key, number in most))),
        (say("Recorded"), say("ledger entries up to {number}", number=str(past.until))),
    ]
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=HISTORIC_HITS,
        template="facts",
        dedupe_key=f"{HISTORIC_HITS}/{past.until}",
        recipients=portfolio.notices.compliance,
        as_of=portfolio.partitioning.end(keys[-1]),
        subject=say("{name}: {what}", name=portfolio.name, what=found),
        reference=say("{name}: {what}", name=portfolio.name, what=found),
        link=_hits(ws, portfolio, keys[0], keys[-1]),
        content={
            "heading": found,
            "sentence": say(
                "These partitions were over long before the rules ran over them, each by the numbers in force "
                "on its own day. Their hits are told of here, once, and by no other notice."
            ),
            "facts": facts,
            "advice": say(
                "Each is kept with what explains it: {command}",
                command=f"fraudops rules hits --portfolio {portfolio.name}",
            ),
        },
    )


def _hits(ws: Workspace, portfolio: Portfolio, first: str, last: str) -> Link:
    """To the hits of some partitions, each of which leads to its case."""
    asked = urlencode({"portfolio": portfolio.name, "first": first, "last": last})
    return Link(say("Open the hits in Airflow"), page_address(ws, f"hits?{asked}"))
