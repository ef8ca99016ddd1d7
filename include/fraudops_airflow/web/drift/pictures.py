"""Charts of monitoring: a number over time with what it is judged by, and a distribution then and now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from fraudops.monitoring.checks import CALIBRATION
from fraudops.monitoring.history import Distribution, Point
from fraudops.portfolio.monitoring import Monitoring

from fraudops_airflow.web.charts import Chart
from fraudops_airflow.web.drift.meanings import DISTRIBUTIONS, SHARES, levels, meaning

_LEGEND = {"legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}}
_ROOM = {"l": 56, "r": 16, "t": 64, "b": 44}
"""Margins: a legend takes two lines on a narrow screen."""
_LEVEL_COLOURS = {"watch": "@wait", "act": "@block"}


def over_time(
    place: str, rule: Monitoring, family: str, measured: Sequence[Point], estimated: Sequence[Point] = (), *, label: str
) -> Chart | None:
    """What a check showed after each partition; None where it has no number."""
    points = [point for point in measured if point.check.value is not None]
    if not points and not estimated:
        return None
    about = meaning(family)
    traces = [*_judged_by(rule, family, points)]
    for version, found in groupby(points, key=lambda point: point.version):
        traces += _with_interval(list(found), f"measured ({version})", "@accent", dash="solid")
    traces += _with_interval(list(estimated), "estimated without labels", "@soft", dash="dot")
    yaxis: dict[str, Any] = {"title": {"text": about.number}}
    if family in SHARES:
        yaxis |= {"tickformat": ".2~%", "rangemode": "tozero"}
    elif family in DISTRIBUTIONS:
        yaxis["rangemode"] = "tozero"
    layout = {"yaxis": yaxis, "xaxis": {"type": "date"}, "hovermode": "x unified", "margin": _ROOM, **_LEGEND}
    return Chart(place, label, traces, layout, height=320)


def then_and_now(place: str, found: Distribution, then: str, now: str, *, label: str) -> Chart | None:
    """Shares in each bin, in the reference and in the newest window; None where nothing lies in any."""
    bars = [(name, a, b) for name, a, b in found.bars if a or b]
    if not bars:
        return None
    names = [_short(name) for name, _, _ in bars]
    traces = [
        {"type": "bar", "name": then, "x": names, "y": [a for _, a, _ in bars], "marker": {"color": "@soft"}},
        {"type": "bar", "name": now, "x": names, "y": [b for _, _, b in bars], "marker": {"color": "@accent"}},
    ]
    layout = {
        "barmode": "group",
        "bargap": 0.25,
        "xaxis": {"type": "category", "tickangle": -35 if len(bars) > 4 else 0},
        "yaxis": {"tickformat": ".0%", "rangemode": "tozero"},
        "margin": _ROOM | {"t": 40},
        **_LEGEND,
    }
    return Chart(place, label, [trace | {"hovertemplate": "%{x}: %{y:.1%}"} for trace in traces], layout, height=250)


# -- inside ---------------------------------------------------------------------------------------------


def _with_interval(points: Sequence[Point], name: str, colour: str, *, dash: str) -> Iterable[dict[str, Any]]:
    """A line, and a band where the points have intervals."""
    if not points:
        return
    keys, checks = [point.key for point in points], [point.check for point in points]
    if all(check.low is not None and check.high is not None for check in checks):
        yield {
            "type": "scatter",
            "x": [*keys, *reversed(keys)],
            "y": [*(check.high for check in checks), *(check.low for check in reversed(checks))],
            "fill": "toself",
            "fillcolor": colour,
            "line": {"width": 0},
            "mode": "lines",
            "opacity": 0.18,
            "hoverinfo": "skip",
            "showlegend": False,
        }
    yield {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": keys,
        "y": [check.value for check in checks],
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {"color": colour, "size": 5},
    }


def _judged_by(rule: Monitoring, family: str, points: Sequence[Point]) -> Iterable[dict[str, Any]]:
    """What chance shows, or the level at the gate; and from where on it is watch or act."""
    if not points:
        return
    keys = [point.key for point in points]
    known = [(p.key, 1.0 if family == CALIBRATION else p.check.reference) for p in points]
    levelled = [(key, value) for key, value in known if value is not None]
    common = {"type": "scatter", "mode": "lines"}
    if levelled and family in DISTRIBUTIONS:
        yield _from_zero([key for key, _ in levelled], [value for _, value in levelled])
    elif levelled:
        name = "as promised" if family == CALIBRATION else "in the reference"
        line = {"color": "@text", "width": 1, "dash": "dash"}
        yield common | {"name": name, "x": keys, "y": [value for _, value in known], "line": line}
    named: set[str] = set()
    for level, line in levels(rule, family):
        yield common | {
            "name": f"{level} from here",
            "x": keys,
            "legendgroup": level,
            "showlegend": level not in named,
            "y": [line(point.check) for point in points],
            "line": {"color": _LEVEL_COLOURS[level], "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        }
        named.add(level)


def _from_zero(keys: Sequence[str], heights: Sequence[float]) -> dict[str, Any]:
    """A band from nothing up to what chance shows; a polygon, because Plotly draws no other fill half transparent."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "chance: up to here",
        "x": [*keys, *reversed(keys)],
        "y": [*heights, *(0.0 for _ in heights)],
        "fill": "toself",
        "fillcolor": "@soft",
        "line": {"width": 0},
        "opacity": 0.25,
        "hoverinfo": "skip",
    }


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
