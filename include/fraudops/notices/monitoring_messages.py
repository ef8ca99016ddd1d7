"""What is told when monitoring's status of a portfolio changes: once per change, not once a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import dag_link, queue_rendered
from fraudops.notices.words import Text, say
from fraudops.portfolio import Portfolio
from fraudops.portfolio.notices import Severity
from fraudops.workspace import Workspace

MONITORING = "monitoring"
_SEVERITIES: dict[str, Severity] = {"ok": "low", "watch": "medium", "act": "high"}
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
    done: Text = say("Nothing was started.")
    if started:
        done = say(
            "{dag} is started as {run}; its verdict follows by mail, and a person decides.",
            dag=portfolio.dag_id("train"),
            run=started,
        )
    elif status == "act" and not portfolio.monitoring.retrain:
        done = say("Nothing was started: monitoring.retrain is off.")
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=MONITORING,
        template="facts",
        dedupe_key=f"{MONITORING}/{version}/{since}/{status}",
        recipients=tuple(dict.fromkeys((*(notices.model_owner or notices.compliance), *notices.data_owner))),
        as_of=as_of,
        severity=_SEVERITIES.get(status, "medium"),
        subject=say(
            "{name}: monitoring says {status} ({version}, since {since})",
            name=portfolio.name,
            status=status,
            version=version,
            since=since,
        ),
        reference=say("{name}: monitoring says {status}", name=portfolio.name, status=status),
        link=dag_link(ws, portfolio.dag_id("monitor")),
        content={
            "heading": say("{status}: {meaning}", status=status, meaning=say(_HEADINGS[status])),
            "sentence": say(
                "Champion {version}. The status was {before} before, and is {status} since {since}.",
                version=version,
                before=before,
                status=status,
                since=since,
            ),
            "facts": [(say("Finding {n}", n=n), one_line(reason, 300)) for n, reason in enumerate(reasons, 1)]
            or [(say("Findings"), say("none of the checks shows a difference that matters any more"))],
            "advice": say("{done} Numbers and pictures are under Fraud Ops → Monitoring.", done=done),
        },
    )
