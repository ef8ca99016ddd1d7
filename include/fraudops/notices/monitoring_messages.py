"""What is told when monitoring's status of a portfolio changes: once per change, not once a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, queue_rendered
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

MONITORING = "monitoring"
_HEADINGS = {
    "ok": "the model and what it sees are as usual again",
    "watch": "something has changed; have a look",
    "act": "something has changed so much that the model should be trained again",
}


def status_changed(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    *,
    version: str,
    status: str,
    before: str,
    since: str,
    as_of: datetime,
    reasons: Sequence[str],
    started: str | None,
) -> bool:
    """Tell model owner and data owner what drifted, since when, and what was done.

    Parameters
    ----------
    version
        Of the champion.
    status, before
        Of the portfolio now, and what people were told last.
    since
        First partition of the status.
    reasons
        Sentences.
    started
        Run of ``train`` that is started; None: none is.
    """
    notices = portfolio.notices
    done = "Nothing was started."
    if started:
        done = (
            f"{portfolio.dag_id('train')} is started as {started}; its verdict follows by mail, and a person decides."
        )
    elif status == "act" and not portfolio.monitoring.retrain:
        done = "Nothing was started: monitoring.retrain is off."
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=MONITORING,
        template="facts",
        dedupe_key=f"{MONITORING}/{version}/{since}/{status}",
        recipients=tuple(dict.fromkeys((*(notices.model_owner or notices.compliance), *notices.data_owner))),
        as_of=as_of,
        subject=f"{portfolio.name}: monitoring says {status} ({version}, since {since})",
        reference=f"{portfolio.name}: monitoring says {status}",
        link=Link(f"Open {portfolio.dag_id('monitor')} in Airflow", f"{ws.ui_url}/dags/{portfolio.dag_id('monitor')}"),
        content={
            "heading": f"{status}: {_HEADINGS[status]}",
            "sentence": f"Champion {version}. The status was {before} before, and is {status} since {since}.",
            "facts": [(f"Finding {n}", one_line(reason, 300)) for n, reason in enumerate(reasons, 1)]
            or [("Findings", "none of the checks shows a difference that matters any more")],
            "advice": f"{done} Numbers and pictures are under Fraud Ops → Monitoring.",
        },
    )
