"""What a rolling evaluation found about a version's candidate, if one was made."""

from __future__ import annotations

import json
from typing import Any

from fraudops.portfolio import Portfolio
from fraudops.reports.evidence.contents import Rolling, RollingLine
from fraudops.workspace import Workspace

_PREFIX = "prequential_"
_RESULT = "evaluation.json"


def rolling(ws: Workspace, portfolio: Portfolio, candidate: str) -> Rolling | None:
    """The evaluation with the latest ``as_of`` in which the candidate was measured.

    It measures the candidate's specification, trained anew for each window, and not the version's own file.
    """
    found = [(name, content) for name, content in _evaluations(ws, portfolio) if candidate in content["summary"]]
    if not found:
        return None
    name, content = max(found, key=lambda item: (item[1]["as_of"], item[0]))
    lines = [
        RollingLine(measure, held["mean"], held["deviation"], held["low"], held["high"], held["windows"])
        for measure, held in content["summary"][candidate].items()
    ]
    return Rolling(name, content["as_of"], tuple(lines))


def _evaluations(ws: Workspace, portfolio: Portfolio) -> list[tuple[str, dict[str, Any]]]:
    folder = ws.store.path("reports", portfolio.name)
    if not folder.exists():
        return []
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.startswith(_PREFIX))
    there = [name for name in names if ws.store.path("reports", portfolio.name, name, _RESULT).exists()]
    return [(name, json.loads(ws.store.get("reports", portfolio.name, name, _RESULT))) for name in there]
