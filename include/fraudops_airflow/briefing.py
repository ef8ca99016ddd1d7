"""What an approver reads before answering: the verdict, its gates, the pictures, who may answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from fraudops.portfolio import Portfolio, format_duration
from fraudops.registry.approval import Question
from fraudops.registry.gate_lines import FAILED, GateLine, gate_lines
from fraudops.workspace import Workspace

PICTURES = {
    "precision_recall.png": "Precision and recall on the test slice",
    "precision_at_k.png": "What the alert budget finds",
    "calibration.png": "Calibration",
}
"""File of the training report → what it shows; those that are there are put before the approver."""


def approval_text(ws: Workspace, portfolio: Portfolio, question: Question) -> tuple[str, str]:
    """Subject (one line) and body (Markdown) of the request for approval."""
    verdict = question.verdict
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
        f"trained as of {_minute(challenger.as_of)} in run `{challenger.run_id}`, compared as of "
        f"{_minute(verdict.as_of)}.",
        "",
        f"[Report page with curves and lineage]({ws.ui_url}/fraud-ops/reports/{portfolio.name}/"
        f"{quote(challenger.run_id, safe='')}) · [Evidence pack of {challenger.version}]"
        f"({ws.ui_url}/fraud-ops/evidence/{portfolio.name}/{challenger.version})",
        "",
        _who(question),
        "",
        f"No answer within {format_duration(portfolio.promotion.deadline)} of the run's start means no. A reason is "
        "required and recorded with your name; an answer without one does not count, and the question comes again.",
        "",
        *_pictures(ws, portfolio, challenger.run_id),
    ]
    subject = f"{portfolio.title}: make {challenger.version} ({challenger.candidate}) champion? ({against})"
    return subject, "\n".join(lines)


def _pictures(ws: Workspace, portfolio: Portfolio, run_id: str) -> list[str]:
    """The report's pictures: by a path and not an address, for only the page's own origin gets the session's cookie."""
    prefix = urlsplit(ws.ui_url).path.rstrip("/")
    folder = f"{prefix}/fraud-ops/documents/reports/{portfolio.name}/{quote(run_id, safe='')}"
    there = [file for file in PICTURES if ws.store.path("reports", portfolio.name, run_id, file).exists()]
    if not there:
        return []
    # A table puts them side by side, with the answer's buttons still in sight.
    rows = (
        [PICTURES[file] for file in there],
        ["---"] * len(there),
        [f"![{PICTURES[f]}]({folder}/{f})" for f in there],
    )
    return [f"| {' | '.join(row)} |" for row in rows]


def _who(question: Question) -> str:
    names = ", ".join(f"**{approver.name}**" for approver in question.approvers)
    sentence = f"May answer: {names}."
    if question.left_out:
        sentence += f" **{question.left_out}** asked for the training run and may not."
    return sentence


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _rows(gate: GateLine) -> Iterator[str]:
    """A gate's row of the table, and one for each of several numbers that it rests on."""
    result = f"**{gate.result}**" if gate.result == FAILED else gate.result
    yield f"| {_plain(gate.name)} | {_plain(gate.measured)} | {_plain(gate.required)} | {result} |"
    for part in gate.parts:
        yield f"| · {_plain(part.name)} | {_plain(part.measured)} | | |"


def _plain(text: str) -> str:
    """Text without Markdown in it: values of columns come from data."""
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", " ".join(text.split()))
