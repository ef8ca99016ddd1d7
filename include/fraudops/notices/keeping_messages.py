"""What is told about records: that they are not what was written, and where the ledger ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from fraudops.ledger import SignedHead
from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import count_of, dag_link, queue_rendered
from fraudops.notices.words import Text, say
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
    found = count_of(number, "finding")
    facts: list[tuple[Text, Text]] = [
        (f"{place}", one_line(finding, 300)) for place, finding in enumerate(findings[:_SHOWN], start=1)
    ]
    if number > _SHOWN:
        more = say("and {n} more: {command}", n=number - _SHOWN, command=f"fraudops verify -p {portfolio.name}")
        facts.append(("…", more))
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
        severity="critical",
        subject=say("{name}: ALARM, records are not what was written, {found}", name=portfolio.name, found=found),
        reference=say("{name}: alarm, {found} of verify", name=portfolio.name, found=found),
        link=dag_link(ws, portfolio.dag_id("verify")),
        content={
            "heading": say("Records are not what was written: {found}", found=found),
            "sentence": say("Somebody or something has changed the ledger, the store or a model past fraudops."),
            "facts": facts,
            "advice": say(
                "Find out what happened before anything is overwritten; then restore what was altered from the "
                "backup. The same findings are told once."
            ),
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
        severity="low",
        subject=say(
            "{name} {week}: the ledger's end, entry {number}", name=portfolio.name, week=week, number=head.number
        ),
        reference=say("ledger {week}: {line}", week=week, line=head.line),
        link=dag_link(ws, portfolio.dag_id("verify")),
        content={
            "heading": say("The ledger ended at entry {number}", number=head.number),
            "sentence": say(
                "Keep this mail. It shows later whether anything before that entry was changed or cut off."
            ),
            "facts": [
                (say("number and digest"), head.line),
                (say("as of"), f"{head.at:%Y-%m-%d %H:%M} UTC"),
                (say("signature"), head.signature),
            ],
            "advice": say(
                "To check: write number and digest as a line into a file, then run {command}. Every verify run keeps "
                "its head in the store as well.",
                command="fraudops ledger verify --heads FILE",
            ),
        },
    )
