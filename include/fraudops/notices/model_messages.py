"""What is told about models beside verdicts and promotions: a yes that came too late, a file that was altered."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from fraudops.database.models import ModelVersion, Verdict
from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link, dag_link, queue_rendered
from fraudops.notices.words import say
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

MODEL_REFUSED, OVERTAKEN = "model_refused", "promotion_overtaken"
_TEMPLATE = "facts"


def overtaken(session: Session, ws: Workspace, portfolio: Portfolio, found: Verdict, *, by: str, reason: str) -> bool:
    """Tell the model owner that a challenger was not promoted, because another model became champion first.

    Parameters
    ----------
    by
        Whose approval came too late.
    reason
        What has changed, in a sentence.
    """
    challenger = found.challenger
    model = f"{challenger.version} ({one_line(challenger.candidate)})"
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=OVERTAKEN,
        template=_TEMPLATE,
        dedupe_key=f"{OVERTAKEN}/{found.run_id}",
        recipients=_model_owner(portfolio),
        as_of=found.as_of,
        severity="high",
        subject=say("{name}: {model} was not promoted, the champion has changed", name=portfolio.name, model=model),
        reference=say("{name}: {version} was not promoted", name=portfolio.name, version=challenger.version),
        link=dag_link(ws, portfolio.dag_id("train")),
        content={
            "heading": say("{model} was not promoted", model=model),
            "sentence": say("{reason}. Nothing was changed by this run.", reason=one_line(reason, 300)),
            "facts": [(say("Approved by"), one_line(by, 200)), (say("Run"), one_line(found.run_id))],
            "advice": say("Train again, so that a challenger is compared with the champion of now."),
        },
    )


def model_refused(
    session: Session, ws: Workspace, portfolio: Portfolio, model: ModelVersion, *, found: str, finding: int
) -> bool:
    """Raise the alarm over a model file that is not the one registered: to the model owner and to compliance.

    Parameters
    ----------
    found
        Digest of what lies there, or ``no file``.
    finding
        Number of the ledger entry with which the finding began: however many steps trip over it, there is one alarm.
    """
    name = f"{model.version} ({one_line(model.candidate)})"
    is_gone = found == "no file"
    state = say("The file of model {name} was altered", name=name)
    alarm = say("{portfolio}: ALARM, the file of model {name} was altered", portfolio=portfolio.name, name=name)
    if is_gone:
        state = say("The file of model {name} is gone", name=name)
        alarm = say("{portfolio}: ALARM, the file of model {name} is gone", portfolio=portfolio.name, name=name)
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=MODEL_REFUSED,
        template=_TEMPLATE,
        dedupe_key=f"{MODEL_REFUSED}/{finding}",
        recipients=tuple(dict.fromkeys((*_model_owner(portfolio), *portfolio.notices.compliance))),
        as_of=datetime.now(UTC),
        severity="critical",
        subject=alarm,
        reference=say("{name}: alarm, ledger entry {number}", name=portfolio.name, number=str(finding)),
        link=Link(say("Open Airflow"), ws.ui_url),
        content={
            "heading": state,
            "sentence": say("It was not loaded, and nothing is scored with it until it is put right."),
            "facts": [
                (say("File"), one_line(model.artifact, 300)),
                (say("Registered"), model.artifact_sha256),
                (say("Found"), say("no file") if is_gone else one_line(found, 80)),
                (say("Recorded"), say("ledger entry {number}", number=str(finding))),
            ],
            "advice": say(
                "Restore the file from the backup, or roll back to another version; find out who changed it."
            ),
        },
    )


# -- inside -------------------------------------------------------------------------------------------


def _model_owner(portfolio: Portfolio) -> tuple[str, ...]:
    return portfolio.notices.model_owner or portfolio.notices.compliance


def _dag(ws: Workspace, portfolio: Portfolio, workflow: str) -> str:
    return f"{ws.ui_url}/dags/{portfolio.dag_id(workflow)}"
