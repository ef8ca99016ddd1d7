"""What is told of champions: what a comparison found, and who is champion from when on, by whose decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy.orm import Session

from fraudops.database.models import ModelVersion, Verdict
from fraudops.notices.outbox import one_line
from fraudops.notices.rendering import Link as _Link
from fraudops.notices.rendering import dag_link, page_address
from fraudops.notices.rendering import queue_rendered as _queue
from fraudops.notices.words import Text, say
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace


def verdict(session: Session, ws: Workspace, portfolio: Portfolio, found: Verdict) -> bool:
    """Tell the model owner what the comparison of a challenger with the champion found."""
    challenger, champion = found.challenger, found.champion
    workflow = "promote" if found.outcome == "PROMOTE" else "train"
    return _queue(
        session,
        ws,
        portfolio,
        kind="verdict",
        dedupe_key=f"verdict/{found.run_id}",
        recipients=_model_owner(portfolio),
        as_of=found.as_of,
        subject=say(
            "{name}: {outcome} for {model}", name=portfolio.name, outcome=found.outcome, model=_model(challenger)
        ),
        reference=say(
            "{name}: verdict no. {number} for {version}",
            name=portfolio.name,
            number=str(found.id),
            version=challenger.version,
        ),
        link=_Link(
            say("Decide in Airflow")
            if workflow == "promote" and portfolio.promotion.needs_approval
            else say("Open Airflow"),
            _dag(ws, portfolio, workflow),
        ),
        content={
            "outcome": one_line(found.outcome),
            "reason": one_line(found.reason, 1_000),
            "challenger": _model(challenger),
            "champion": _model(champion) if champion else None,
            "gates": [_gate_lines(gate) for gate in found.gates],
            "needs_decision": workflow == "promote" and portfolio.promotion.needs_approval,
            "report": page_address(ws, f"reports/{portfolio.name}/{quote(challenger.run_id, safe='')}"),
            "run_id": one_line(found.run_id),
            "computed": _time(found.as_of),
            "trained_until": _time(challenger.trained_until),
        },
    )


class Promoted(Protocol):
    """What a notice tells about a change of champion (a ``PromotionSummary`` of the registry)."""

    @property
    def kind(self) -> str:
        """``promotion`` or ``rollback``."""

    @property
    def version(self) -> str:
        """The new champion, such as ``v4``."""

    @property
    def candidate(self) -> str:
        """Its specification."""

    @property
    def artifact_sha256(self) -> str:
        """Digest of its file."""

    @property
    def previous(self) -> str | None:
        """Version that was champion until then."""

    @property
    def effective_from(self) -> str:
        """First moment at which it is in force, ISO 8601."""

    @property
    def approved_by(self) -> str:
        """Who decided."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def promoted_at(self) -> str:
        """When it was recorded, ISO 8601."""

    @property
    def ledger_number(self) -> int:
        """Its ledger entry: one per change, so it tells notices apart."""


def promotion(session: Session, ws: Workspace, portfolio: Portfolio, summary: Promoted) -> bool:
    """Tell the model owner that there is another champion, by whose decision and why."""
    model = f"{summary.version} ({one_line(summary.candidate)})"
    done = say("{model} is the new champion", model=model)
    if summary.kind == "rollback":
        done = say("{model} is champion again (rollback)", model=model)
    effective_from = datetime.fromisoformat(summary.effective_from)
    return _queue(
        session,
        ws,
        portfolio,
        kind="promotion",
        dedupe_key=f"promotion/{summary.ledger_number}",
        recipients=_model_owner(portfolio),
        as_of=effective_from,
        subject=say("{name}: {what}", name=portfolio.name, what=done),
        reference=say("{name}: champion {version}", name=portfolio.name, version=summary.version),
        link=dag_link(ws, portfolio.dag_id("promote")),
        content={
            "done": done,
            "previous": summary.previous,
            "approved_by": one_line(summary.approved_by, 200),
            "reason": one_line(summary.reason, 500),
            "effective_from": _time(effective_from),
            "artifact": summary.artifact_sha256,
            "recorded": say(
                "{at}, ledger entry {number}",
                at=_time(datetime.fromisoformat(summary.promoted_at)),
                number=str(summary.ledger_number),
            ),
        },
    )


# -- inside -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _GateLines:
    name: str
    measured: str
    required: Text
    result: str
    """``passed``, ``failed``, or ``noted`` where no verdict depends on it."""
    explanation: str


def _gate_lines(gate: dict[str, Any]) -> _GateLines:
    interval = gate.get("interval")
    bounds = f" ({_number(interval[0])} to {_number(interval[1])})" if interval else ""
    # A gate of a former version is told by its numbers.
    return _GateLines(
        name=one_line(str(gate["name"]).replace("_", " "), 80),
        measured=one_line(gate.get("measured") or f"{_number(gate.get('value'))}{bounds}", 200),
        required=_required(gate),
        result="passed" if gate["passed"] else "failed" if gate.get("decides", True) else "noted",
        explanation=one_line(str(gate.get("explanation") or ""), 300),
    )


def _required(gate: dict[str, Any]) -> Text:
    text = gate.get("required")
    if not text:
        return say("threshold {value}", value=_number(gate.get("threshold")))
    shown = one_line(text, 190)
    return say("required: {what}", what=shown) if gate.get("decides", True) else shown


def _model(model: ModelVersion) -> str:
    return f"{model.version} ({one_line(model.candidate)})"


def _model_owner(portfolio: Portfolio) -> tuple[str, ...]:
    return portfolio.notices.model_owner or portfolio.notices.compliance


def _dag(ws: Workspace, portfolio: Portfolio, workflow: str) -> str:
    return f"{ws.ui_url}/dags/{portfolio.dag_id(workflow)}"


def _number(value: Any) -> str:
    """A gate's value: floats shortened, a missing one as a dash."""
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:.4g}"
    try:
        return f"{float(value):.4g}" if isinstance(value, str) else str(value)
    except ValueError:
        return one_line(str(value), 60)


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
