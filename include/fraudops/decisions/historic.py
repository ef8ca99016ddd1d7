"""Alerts of the past: they are told of in one summary, not day by day as if they had just been raised.

Whether a partition is of the past is told from the record alone, so that neither the speed of scoring nor a step that
runs again changes the answer:

- it ended long before the first champion came into force: it waited for one;
- when its rows were published, in the same load or before it, a much later partition was; or
- a backfill published them long after it had ended.

How long is *long*: ``notices.historic_after`` of the portfolio.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from fraudops.database.models import Alert, LedgerEntry, Notice
from fraudops.decisions.locks import lock_partition
from fraudops.decisions.succession import Succession
from fraudops.decisions.untold import untold_entries
from fraudops.intake.publication import BACKFILLED, INGESTED, UNTIL
from fraudops.notices.summaries import HISTORIC, Stretch, historic_alerts
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

RAISED = "alerts_raised"
"""Action of the ledger's entry for new alerts of a partition."""
_HISTORIC, _AMOUNTS = "historic", "amounts"


def is_historic(session: Session, portfolio: Portfolio, key: str, transactions: str) -> bool:
    """Whether new alerts of a partition are told of in a summary.

    Parameters
    ----------
    transactions
        Digest of the rows that were scored.
    """
    after = portfolio.notices.historic_after
    if after is None:
        return False
    partitioning = portfolio.partitioning
    reigns = Succession.read(session, portfolio).reigns
    if reigns and partitioning.end(key) + after < reigns[-1].effective_from:
        return True
    entry = session.scalar(
        _published(portfolio)
        .where(
            LedgerEntry.subject == f"{portfolio.name}/transactions/{key}",
            LedgerEntry.details["after"].astext == transactions,
        )
        .order_by(LedgerEntry.number.desc())
        .limit(1)
    )
    if entry is None:
        return False
    if entry.details.get(BACKFILLED) and entry.at > partitioning.end(key) + after:
        return True
    limit = partitioning.key_of(partitioning.start(key) + max(after, partitioning.length))
    if entry.details.get(UNTIL, "") > limit:
        return True
    later = _published(portfolio).where(
        LedgerEntry.number < entry.number,
        LedgerEntry.subject.startswith(f"{portfolio.name}/transactions/", autoescape=True),
        LedgerEntry.subject.collate("C") > f"{portfolio.name}/transactions/{limit}",
    )
    return session.scalar(later.limit(1)) is not None


def details_of(alerts: Sequence[Alert]) -> dict[str, Any]:
    """What the ledger's entry says about alerts that wait for a summary."""
    amounts: Counter[tuple[str, int]] = Counter()
    for alert in alerts:
        if alert.amount_minor is not None:
            amounts[alert.currency, alert.minor_digits] += alert.amount_minor
    return {
        _HISTORIC: True,
        _AMOUNTS: [[currency, digits, minor] for (currency, digits), minor in sorted(amounts.items())],
    }


def tell_historic(ws: Workspace, portfolio: Portfolio) -> bool:
    """Queue one notice about all alerts of the past that no notice has told of; whether there were any."""
    with ws.transaction() as session:
        lock_partition(session, HISTORIC, portfolio.name, "all")
        untold = untold_entries(session, portfolio, kind=HISTORIC, action=RAISED, detail=_HISTORIC)
        if not untold:
            return False
        amounts: Counter[tuple[str, int]] = Counter()
        for entry in untold:
            for currency, digits, minor in entry.details[_AMOUNTS]:
                amounts[currency, digits] += minor
        by_key: Counter[str] = Counter()
        for entry in untold:
            by_key[entry.subject.rpartition("/")[2]] += entry.details["review"] + entry.details["block"]
        return historic_alerts(
            session,
            ws,
            portfolio,
            Stretch(
                until=untold[-1].number,
                by_key=dict(sorted(by_key.items())),
                reviews=sum(entry.details["review"] for entry in untold),
                blocks=sum(entry.details["block"] for entry in untold),
                amounts=dict(amounts),
                models=tuple(sorted({entry.details["model_version"] for entry in untold}, key=lambda v: int(v[1:]))),
            ),
        )


def summary_of(session: Session, entry: LedgerEntry) -> Notice | None:
    """The notice that told of the alerts of an entry; None where they are not of the past, or not told of yet."""
    if not entry.details.get(_HISTORIC):
        return None
    summaries = session.scalars(
        select(Notice)
        .where(Notice.portfolio == entry.portfolio, Notice.kind == HISTORIC)
        .order_by(Notice.id)
        .options(selectinload(Notice.deliveries))
    )
    return next((notice for notice in summaries if int(notice.dedupe_key.rpartition("/")[2]) >= entry.number), None)


def _published(portfolio: Portfolio) -> Any:
    return select(LedgerEntry).where(LedgerEntry.portfolio == portfolio.name, LedgerEntry.action == INGESTED)
