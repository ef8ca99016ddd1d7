"""What is told about data that did not come as it should, beside failed validations and corrections."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, queue_rendered
from fraudops.portfolio import Portfolio
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

FILE_REFUSED, LATE = "file_refused", "late"
_TEMPLATE = "facts"


def file_refused(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    *,
    name: str,
    sha256: str,
    what: str,
    remedy: str | None,
    now: datetime,
) -> bool:
    """Tell the data owner that a file could not be used as a whole; the same bytes again queue nothing.

    Parameters
    ----------
    name
        What the file is called, card numbers masked.
    sha256
        Of its bytes.
    what, remedy
        What is wrong with it, and what its sender can do.
    """
    shown = one_line(name, 120)
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=FILE_REFUSED,
        template=_TEMPLATE,
        dedupe_key=f"{FILE_REFUSED}/{sha256_of(f'{name}/{sha256}'.encode())[:16]}",
        recipients=portfolio.notices.data_owner,
        as_of=now,
        subject=f"{portfolio.name}: {shown} could not be used, nothing of it was landed",
        reference=f"{portfolio.name}: a file could not be used",
        link=Link(f"Open {portfolio.dag_id('land')} in Airflow", f"{ws.ui_url}/dags/{portfolio.dag_id('land')}"),
        content={
            "heading": f"{shown} could not be used",
            "sentence": "Nothing of the file was landed; other files were. It is not tried again until its bytes are "
            "others.",
            "facts": [("Wrong", one_line(what, 300)), ("SHA-256", sha256 or "not readable")],
            "advice": f"What to do: {one_line(remedy or 'ask its sender for it again', 300)}.",
        },
    )


def late_partition(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    *,
    key: str,
    due: datetime,
    cause: str,
    what: str,
    remedy: str,
    now: datetime,
) -> bool:
    """Tell whoever can help, and compliance, that a partition was not scored in time; once per partition.

    Parameters
    ----------
    due
        By when it should have been scored.
    cause
        ``champion``: the model owner can help; else the data owner.
    what, remedy
        What keeps it, and what to do.
    """
    notices = portfolio.notices
    helpers = (notices.model_owner or notices.compliance) if cause == "champion" else notices.data_owner
    dag = portfolio.dag_id("train" if cause == "champion" else "ingest")
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=LATE,
        template=_TEMPLATE,
        dedupe_key=f"{LATE}/{key}",
        recipients=tuple(dict.fromkeys((*helpers, *notices.compliance))),
        as_of=now,
        subject=f"{portfolio.name} {key}: not scored in time",
        reference=f"{portfolio.name} {key}: not scored in time",
        link=Link(f"Open {dag} in Airflow", f"{ws.ui_url}/dags/{dag}"),
        content={
            "heading": f"{key} was not scored in time",
            "sentence": "It has no alerts yet. This is told once; the partition is scored as soon as it can be.",
            "facts": [("Due", f"{due:%Y-%m-%d %H:%M} UTC"), ("Found", one_line(what, 300))],
            "advice": f"What to do: {one_line(remedy, 300)}.",
        },
    )
