"""What is told of a month's pack: its headline, and the pack itself as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from fraudops.notices.attachments import Attachment, fitting
from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, queue_rendered
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
    """Send compliance a month's pack; the same edition again queues nothing.

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
    where = f"In the store under {folder}"
    advice = f"Attached: {', '.join(file.name for file in attached)}. " if attached else ""
    advice += f"Not attached, for their size: {', '.join(left)}. {where}." if left else f"{where} too."
    dag = portfolio.dag_id("report")
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=MONTHLY_REPORT,
        template="facts",
        dedupe_key=f"{MONTHLY_REPORT}/{month}/{edition}",
        recipients=portfolio.notices.compliance,
        as_of=as_of,
        subject=f"{portfolio.name}: monthly pack of {month}",
        reference=f"{portfolio.name}: monthly pack of {month}",
        link=Link(f"Open {dag} in Airflow", f"{ws.ui_url}/dags/{dag}"),
        content={
            "heading": f"Monthly pack of {month}",
            "sentence": " ".join(one_line(remark, 400) for remark in remarks),
            "facts": [(one_line(name, 60), one_line(value, 200)) for name, value in headline],
            "advice": advice,
        },
        attachments=attached,
    )
