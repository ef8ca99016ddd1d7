"""What an approver reads before answering."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fraudops.database import Verdict
from fraudops.portfolio import Portfolio
from fraudops.registry.gate_lines import FAILED, GateLine, gate_lines
from fraudops.workspace import Workspace


def approval_text(ws: Workspace, portfolio: Portfolio, verdict: Verdict) -> dict[str, str]:
    """Subject (one line) and body (Markdown) of the request for approval."""
    challenger, champion = verdict.challenger, verdict.champion
    against = f"champion {champion.version}" if champion else "no champion yet"
    lines = [
        f"**{verdict.outcome}** — {_plain(verdict.reason)}",
        "",
        "| gate | measured | required | passed |",
        "|---|---|---|---|",
        *(row for gate in gate_lines(verdict.gates) for row in _rows(gate)),
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


def _rows(gate: GateLine) -> Iterator[str]:
    """A gate's row of the table, and one for each of several numbers that it rests on."""
    result = f"**{gate.result}**" if gate.result == FAILED else gate.result
    yield f"| {_plain(gate.name)} | {_plain(gate.measured)} | {_plain(gate.required)} | {result} |"
    for part in gate.parts:
        yield f"| · {_plain(part.name)} | {_plain(part.measured)} | | |"


def _plain(text: str) -> str:
    """Text without Markdown in it: values of columns come from data."""
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", " ".join(text.split()))
