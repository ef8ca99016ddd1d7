"""What an approver reads before answering."""

from __future__ import annotations

from typing import Any

from fraudops.database import Verdict
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace


def approval_text(ws: Workspace, portfolio: Portfolio, verdict: Verdict) -> dict[str, str]:
    """Subject (one line) and body (Markdown) of the request for approval."""
    challenger, champion = verdict.challenger, verdict.champion
    against = f"champion {champion.version}" if champion else "no champion yet"
    lines = [
        f"**{verdict.outcome}** — {verdict.reason}",
        "",
        "| gate | value | threshold | passed |",
        "|---|---|---|---|",
        *(
            f"| {gate['name']} | {_number(gate['value'])}{_interval(gate.get('interval'))} "
            f"| {_number(gate['threshold'])} | {'yes' if gate['passed'] else '**no**'} |"
            for gate in verdict.gates
        ),
        "",
        f"Model {challenger.version} ({challenger.candidate}), artifact `{challenger.artifact_sha256[:16]}…`, "
        f"trained as of {verdict.as_of:%Y-%m-%d %H:%M} UTC, run `{verdict.run_id}`.",
        "",
        f"[Report page with curves and lineage]({ws.ui_url}/fraud-ops/reports/{portfolio.name}/{verdict.run_id})",
        "",
        "No answer before the deadline means no. A reason is required and recorded with your name.",
    ]
    return {
        "subject": f"{portfolio.title}: make {challenger.version} ({challenger.candidate}) champion? ({against})",
        "body": "\n".join(lines),
    }


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value if value is not None else "—")


def _interval(interval: Any) -> str:
    return f" [{_number(float(interval[0]))}, {_number(float(interval[1]))}]" if interval else ""
