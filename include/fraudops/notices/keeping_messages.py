"""What is told about records: that they are not what was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from fraudops.ledger import SignedHead
from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, queue_rendered
from fraudops.portfolio import Portfolio
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

ALTERED, HEAD = "records_altered", "ledger_head"
_SHOWN = 20


def altered(session: Session, ws: Workspace, portfolio: Portfolio, findings: Sequence[str], *, as_of: datetime) -> bool:
    """Raise the alarm over records that are not what was written: to compliance and to the data owner.

    Parameters
    ----------
    findings
        A sentence each; the same ones again queue nothing.
    """
    number = len(findings)
    found = f"{number} finding{'s' if number > 1 else ''}"
    facts = [(f"{place}", one_line(finding, 300)) for place, finding in enumerate(findings[:_SHOWN], start=1)]
    if number > _SHOWN:
        facts.append(("…", f"and {number - _SHOWN} more: fraudops verify -p {portfolio.name}"))
    fingerprint = sha256_of("\n".join(sorted(findings)).encode())[:16]
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=ALTERED,
        template="facts",
        dedupe_key=f"{ALTERED}/{fingerprint}",
        recipients=tuple(dict.fromkeys((*portfolio.notices.compliance, *portfolio.notices.data_owner))),
        as_of=as_of,
        subject=f"{portfolio.name}: ALARM, records are not what was written, {found}",
        reference=f"{portfolio.name}: alarm, {found} of verify",
        link=Link(f"Open {portfolio.dag_id('verify')} in Airflow", f"{ws.ui_url}/dags/{portfolio.dag_id('verify')}"),
        content={
            "heading": f"Records are not what was written: {found}",
            "sentence": "Somebody or something has changed the ledger, the store or a model past fraudops.",
            "facts": facts,
            "advice": "Find out what happened before anything is overwritten; then restore what was altered from the "
            "backup. The same findings are told once.",
        },
    )


def head_kept(session: Session, ws: Workspace, portfolio: Portfolio, head: SignedHead, *, as_of: datetime) -> bool:
    """Give compliance the ledger's end to keep, once in a week: a mailbox is where the database's owner does not reach.

    Parameters
    ----------
    as_of
        Decides which week it is.
    """
    week = f"{as_of.astimezone(UTC):%G-W%V}"
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=HEAD,
        template="facts",
        dedupe_key=f"{HEAD}/{week}",
        recipients=portfolio.notices.compliance,
        as_of=as_of,
        subject=f"{portfolio.name} {week}: the ledger's end, entry {head.number}",
        reference=f"ledger {week}: {head.line}",
        link=Link(f"Open {portfolio.dag_id('verify')} in Airflow", f"{ws.ui_url}/dags/{portfolio.dag_id('verify')}"),
        content={
            "heading": f"The ledger ended at entry {head.number}",
            "sentence": "Keep this mail. It shows later whether anything before that entry was changed or cut off.",
            "facts": [
                ("number and digest", head.line),
                ("as of", f"{head.at:%Y-%m-%d %H:%M} UTC"),
                ("signature", head.signature),
            ],
            "advice": "To check: write number and digest as a line into a file, then run fraudops ledger verify "
            "--heads FILE. Every verify run keeps its head in the store as well.",
        },
    )
