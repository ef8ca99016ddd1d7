"""What is told of the rules' hits: how many of which rule; never whom they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, count_of, queue_rendered
from fraudops.portfolio import Portfolio
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

HITS_DIGEST, HISTORIC_HITS = "rule_hits", "historic_hits"
_SHOWN_DAYS = 5


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
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=HITS_DIGEST,
        template="facts",
        dedupe_key=f"{HITS_DIGEST}/{key}/{sha256_of(chr(10).join(sorted(ids)).encode())[:16]}",
        recipients=portfolio.notices.compliance,
        as_of=portfolio.partitioning.end(key),
        subject=f"{portfolio.name} {key}: {found} of {count_of(len(counts), 'rule')}",
        reference=f"{portfolio.name} {key}: {found}",
        link=_page(ws),
        content={
            "heading": f"{key}: {found}",
            "sentence": "Rules of law and policy have found something that somebody should look at. "
            "This mail names nobody; the page explains each hit, with the numbers it was compared with.",
            "facts": [(f"{number:,} {rule.severity}", one_line(rule.title, 120)) for rule, number in counts],
            "advice": "fraudops helps you to comply; it files nothing by itself. "
            f"fraudops rules hits --portfolio {portfolio.name} --key {key}",
        },
    )


def historic_hits(session: Session, ws: Workspace, portfolio: Portfolio, past: PastHits) -> bool:
    """Tell compliance about hits of partitions that were over long before the rules ran."""
    keys = list(past.by_key)
    found = f"{count_of(sum(past.by_rule.values()), 'hit')} of {count_of(len(keys), 'past partition')}"
    most = sorted(past.by_key.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN_DAYS]
    facts = [
        ("Partitions", keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]}"),
        *((f"{number:,}", one_line(rule, 80)) for rule, number in past.by_rule.items()),
        ("Most hits", ", ".join(f"{key} ({number:,})" for key, number in most)),
        ("Recorded", f"ledger entries up to {past.until}"),
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
        subject=f"{portfolio.name}: {found}",
        reference=f"{portfolio.name}: {found}",
        link=_page(ws),
        content={
            "heading": found,
            "sentence": "These partitions were over long before the rules ran over them, each by the numbers in force "
            "on its own day. Their hits are told of here, once, and by no other notice.",
            "facts": facts,
            "advice": f"Each is kept with what explains it: fraudops rules hits --portfolio {portfolio.name}",
        },
    )


def _page(ws: Workspace) -> Link:
    return Link("Open Fraud Ops in Airflow", f"{ws.ui_url}/fraud-ops/compliance")
