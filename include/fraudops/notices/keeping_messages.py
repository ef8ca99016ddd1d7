"""What is told about records: that they are not what was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import count_of, dag_link, queue_rendered
from fraudops.notices.words import Text, say
from fraudops.portfolio import Portfolio
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

ALTERED = "records_altered"
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
