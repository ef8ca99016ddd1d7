"""Writes a pack: the data as JSON, and the page, which needs nothing from outside and prints on A4."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from fraudops.registry.gate_lines import gate_lines
from fraudops.reports.evidence.contents import SECTIONS, Measured, Pack
from fraudops.reports.figures import Figure
from fraudops.reports.rendering import NOTHING, number, percent, render

_METHODS = {
    "tree_shap": (
        "Exact: the booster's own TreeSHAP contributions, in log-odds before calibration. They start from the "
        "average of what the trees were trained on and add up to each row's margin; that is checked for every row "
        "that is explained."
    ),
    "linear": (
        "Exact: weight times distance from the row of typical values, in log-odds before calibration. "
        "They add up to each row's margin."
    ),
    "blend": (
        "Each member's contributions, weighted by how much it moved the blend's log-odds between its base and the "
        "row. Members that are forests are explained by exchange; what then belongs to no column is told as the "
        "remainder."
    ),
    "exchange": (
        "By exchange: how far the log-odds fall when a group of columns takes its typical values, and rise when a "
        "typical row takes the group's values, averaged. This estimator has no exact contributions on the log-odds; "
        "what belongs to no single group is told as the remainder."
    ),
}


def to_json(pack: Pack) -> bytes:
    """The data; equal packs give equal bytes."""
    text = json.dumps(pack.to_dict(), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def to_html(pack: Pack, figures: Sequence[Figure], *, json_sha256: str) -> bytes:
    """The page.

    Parameters
    ----------
    figures
        Those that the pack names, in its order.
    json_sha256
        Digest of the data that the page was made from: printed, so that paper and file can be told to belong
        together.
    """
    pictures = [(figure, base64.b64encode(figure.png).decode()) for figure in figures]
    page = render(
        "evidence.html",
        pack=pack,
        pictures=pictures,
        headings=SECTIONS,
        json_sha256=json_sha256,
        method=_METHODS[pack.explanation],
        show=lambda found, unit="share": measured(found, unit, pack.card.minor_digits or 0),
        span=lambda found, unit="share": interval(found, unit, pack.card.minor_digits or 0),
        plain=plain,
        gates=gate_lines(pack.verdict.gates) if pack.verdict else [],
    )
    return page.encode()


def measured(found: Measured | None, unit: str, digits: int) -> str:
    """A number in its unit."""
    return NOTHING if found is None or found.value is None else _written(found.value, unit, digits)


def interval(found: Measured | None, unit: str, digits: int) -> str:
    """Its interval, or nothing."""
    if found is None or found.low is None or found.high is None:
        return ""
    return f"[{_written(found.low, unit, digits)}, {_written(found.high, unit, digits)}]"


def plain(value: Any) -> str:
    """A value on one line: a mapping as its names and values, a list as its items.

    Examples
    --------
    >>> plain({"slope": 0.9909449, "method": "sigmoid", "corners": [1, 2]})
    'corners 1 and 2, method sigmoid, slope 0.990945'
    """
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return " and ".join(plain(item) for item in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return NOTHING if value is None else str(value)


def _written(value: float, unit: str, digits: int) -> str:
    if unit == "money":
        return f"{value / 10**digits:,.{digits}f}"
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "share":
        return percent(value, 1)
    return number(float(value), 4 if abs(value) < 0.1 else 3)
