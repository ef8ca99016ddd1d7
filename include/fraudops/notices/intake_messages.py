"""What is told about data that did not come as it should, beside failed validations and corrections."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import dag_link, queue_rendered
from fraudops.notices.words import say
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
        severity="high",
        subject=say("{name}: {file} could not be used, nothing of it was landed", name=portfolio.name, file=shown),
        reference=say("{name}: a file could not be used", name=portfolio.name),
        link=dag_link(ws, portfolio.dag_id("land")),
        content={
            "heading": say("{file} could not be used", file=shown),
            "sentence": say(
                "Nothing of the file was landed; other files were. It is not tried again until its bytes are others."
            ),
            "facts": [(say("Wrong"), one_line(what, 300)), ("SHA-256", sha256 or say("not readable"))],
            "advice": say(
                "What to do: {remedy}.", remedy=one_line(remedy, 300) if remedy else say("ask its sender for it again")
            ),
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
        severity="high",
        subject=say("{name} {key}: not scored in time", name=portfolio.name, key=key),
        reference=say("{name} {key}: not scored in time", name=portfolio.name, key=key),
        link=dag_link(ws, dag),
        content={
            "heading": say("{key} was not scored in time", key=key),
            "sentence": say("It has no alerts yet. This is told once; the partition is scored as soon as it can be."),
            "facts": [(say("Due"), f"{due:%Y-%m-%d %H:%M} UTC"), (say("Found"), one_line(what, 300))],
            "advice": say("What to do: {remedy}.", remedy=one_line(remedy, 300)),
        },
    )
