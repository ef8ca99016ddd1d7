"""The page of a prequential evaluation: how good candidates are from window to window, and how much that varies.

The numbers of each window lie beside the page as JSON. It holds no wall-clock time: the same rows give the same bytes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fraudops.errors import ContractError
from fraudops.evaluation.window_figure import Series, over_windows
from fraudops.portfolio import Portfolio, format_duration
from fraudops.reports.figures import Figure
from fraudops.reports.rendering import render
from fraudops.store import canonical_json
from fraudops.training.prequential import MEASURES, Measured, WindowResult, evaluate_candidates, spreads
from fraudops.training.windows import Window
from fraudops.workspace import Workspace

PAGE = "index.html"
_PICTURES = {
    "average precision": "average_precision.png",
    "card precision": "card_precision.png",
    "savings": "savings.png",
    "alerts a day": "alerts.png",
}


def evaluate_and_put(
    ws: Workspace, portfolio: Portfolio, asked: Mapping[str, str], *, candidates: Sequence[str] = (), jobs: int = 1
) -> str | None:
    """Evaluate candidates in one window of a plan and write what was measured.

    Parameters
    ----------
    asked
        One of :meth:`~fraudops.training.evaluation_runs.EvaluationPlan.to_list`.

    Returns
    -------
    str or None
        The file's name; None where no candidate's library works on this machine.
    """
    window = Window(datetime.fromisoformat(asked["start"]), datetime.fromisoformat(asked["end"]))
    as_of = datetime.fromisoformat(asked["as_of"])
    results = evaluate_candidates(ws, portfolio, window, as_of=as_of, candidates=candidates, jobs=jobs)
    return put_window(ws, portfolio, asked["evaluation"], results) if results else None


def put_window(ws: Workspace, portfolio: Portfolio, name: str, results: Sequence[WindowResult]) -> str:
    """Write what was measured in one window, and say how the file is called.

    Parameters
    ----------
    name
        The evaluation's, see :func:`~fraudops.training.windows.evaluation_name`.
    """
    file = f"window_{results[0].window.start:%Y-%m-%d}.json"
    content = canonical_json([result.to_dict() for result in results]) + b"\n"
    ws.store.put(content, "reports", portfolio.name, name, file)
    return file


def write_prequential_report(
    ws: Workspace, portfolio: Portfolio, name: str, files: Sequence[str], *, as_of: datetime
) -> str:
    """Write ``evaluation.json``, the figures and the page of the windows that were measured; the page last.

    Parameters
    ----------
    files
        Results of :func:`put_window`.

    Returns
    -------
    str
        Path of the page in the store, below its root.

    Raises
    ------
    ContractError
        There is no window.
    """
    if not files:
        raise ContractError("no window was evaluated", where=f"{portfolio.name} {name}", remedy="evaluate one at least")
    results = read_windows(ws, portfolio, name, files)
    summary = spreads(results)
    figures = _draw(results)
    for figure in figures:
        ws.store.put(figure.png, "reports", portfolio.name, name, figure.file)
    content = {
        "portfolio": portfolio.name,
        "as_of": as_of.isoformat(),
        "summary": {
            candidate: {measure: found.to_dict() for measure, found in measures.items()}
            for candidate, measures in summary.items()
        },
        "windows": results,
    }
    ws.store.put(canonical_json(content) + b"\n", "reports", portfolio.name, name, "evaluation.json")
    page = render(
        "prequential.html",
        portfolio=portfolio,
        plan=portfolio.training.prequential,
        as_of=as_of,
        delay=format_duration(portfolio.labels.delay),
        remember=format_duration(portfolio.training.prequential.remember),
        summary=summary,
        measures=[measure for measure in MEASURES if any(measure in found for found in summary.values())],
        results=results,
        figures=[(figure, base64.b64encode(figure.png).decode()) for figure in figures],
    )
    written = ws.store.put(page.encode(), "reports", portfolio.name, name, PAGE)
    return written.relative_to(ws.store.root).as_posix()


def read_windows(ws: Workspace, portfolio: Portfolio, name: str, files: Sequence[str]) -> list[dict[str, Any]]:
    """What was measured, in the order of the windows and of the candidates."""
    return [
        result for file in sorted(files) for result in json.loads(ws.store.get("reports", portfolio.name, name, file))
    ]


def _draw(results: Sequence[Measured]) -> list[Figure]:
    return [
        Figure(file, measure.capitalize(), _CAPTIONS[measure], over_windows(lines, measure))
        for measure, file in _PICTURES.items()
        if (lines := _lines(results, measure))
    ]


_CAPTIONS = {
    "average precision": "Each window's own, with its 95 % interval.",
    "card precision": "Compromised cards among the most suspicious of each day, mean over the window's days.",
    "savings": "Of the cheaper of allowing all and blocking all, by the costs that the policy states.",
    "alerts a day": "What the review threshold raised that was set before the window began.",
}


def _lines(results: Sequence[Measured], measure: str) -> list[Series]:
    names = list(dict.fromkeys(result["candidate"] for result in results))
    found = []
    for name in names:
        own = [result for result in results if result["candidate"] == name]
        points = [(result["start"][:10], MEASURES[measure](result), _interval(result, measure)) for result in own]
        there = [(start, value, low_high) for start, value, low_high in points if value is not None]
        if there:
            found.append(Series(name, *(tuple(column) for column in zip(*there, strict=True))))
    return found


def _interval(result: Measured, measure: str) -> tuple[float, float] | None:
    if measure == "average precision":
        found = result["metrics"]["average_precision_interval"]
    elif measure == "savings":
        found = (result["metrics"].get("money") or {}).get("savings_interval")
    else:
        found = result["cards"]["interval"] if measure == "card precision" and result["cards"] else None
    return tuple(found) if found else None
