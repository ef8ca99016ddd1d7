"""What is told of a month's pack: its headline, and the pack itself as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy.orm import Session

from fraudops.notices.attachments import Attachment, fitting
from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, page_address, queue_rendered
from fraudops.notices.words import Joined, Text, say
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

MONTHLY_REPORT = "monthly_report"


def monthly_report(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    *,
    month: str,
    edition: str,
    as_of: datetime,
    headline: Sequence[tuple[str, str]],
    remarks: Sequence[str],
    files: Sequence[Attachment],
    folder: str,
) -> bool:
    """Send a month's pack to those who may know of review deadlines; the same edition again queues nothing.

    Parameters
    ----------
    headline, remarks
        What stands at the top of the pack, as it reads there.
    files
        The pack, the most important first; those that a mail has no room for are named with their place.
    folder
        Where they lie, below the store's root.
    """
    is_full = portfolio.notices.detail == "full"
    attached = fitting(files, portfolio.notices.attachments) if is_full else []
    left = [file.name for file in files if file not in attached]
    advice: list[Text] = []
    if attached:
        advice.append(say("Attached: {files}.", files=", ".join(file.name for file in attached)))
    if left:
        advice.append(say("Not attached, for their size: {files}.", files=", ".join(left)))
    advice.append(say("All of it lies in the store under {folder}.", folder=folder))
    page = page_address(ws, f"packs/{portfolio.name}/{quote(folder.rpartition('/')[2], safe='')}")
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=MONTHLY_REPORT,
        template="facts",
        dedupe_key=f"{MONTHLY_REPORT}/{month}/{edition}",
        # It counts review deadlines.
        recipients=portfolio.notices.need_to_know or portfolio.notices.compliance,
        as_of=as_of,
        severity="low",
        subject=say("{name}: monthly pack of {month}", name=portfolio.name, month=month),
        reference=say("{name}: monthly pack of {month}", name=portfolio.name, month=month),
        link=Link(say("Open the pack in Airflow"), page),
        content={
            "heading": say("Monthly pack of {month}", month=month),
            "sentence": say(
                "What was known of the month at {at}. What becomes known later is told by another edition, beside "
                "this one.",
                at=f"{as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            ),
            "facts": [
                *((say(one_line(name, 60)), one_line(value, 200)) for name, value in headline),
                *((say("Note"), one_line(remark, 400)) for remark in remarks),
            ],
            "advice": Joined(tuple(advice), " "),
        },
        attachments=attached,
    )
