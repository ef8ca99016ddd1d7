"""The curves of one version, or of two side by side, as charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fraudops_airflow.web.charts import Chart
from fraudops_airflow.web.models.curves import Curve, CurveFile, Operating

_LOOKS = (
    {"color": "@soft", "dash": "dash", "symbol": "diamond"},
    {"color": "@accent", "dash": "solid", "symbol": "circle"},
)
"""Of the first and the second version: told apart by dashes and marks, not by colour alone."""
_SHARE = ".0%"
_FIRST_TENTH = 0.1
_FLOOR = 1e-5


@dataclass(frozen=True)
class Drawn:
    """A chart with its heading."""

    title: str
    chart: Chart
    hint: str = ""


def draw(curves: Sequence[Curve], file: CurveFile, marks: Sequence[Operating] = ()) -> list[Drawn]:
    """ROC, precision and recall, cost, calibration.

    Parameters
    ----------
    curves
        One or two.
    marks
        What a chosen threshold does with each; marked on the curves.
    """
    found = [_precision_recall(curves, marks), _roc(curves, marks)]
    if all(curve.cost_minor for curve in curves):
        found.append(_cost(curves, file, marks))
    return [*found, _calibration(curves)]


def _look(place: int, many: int) -> dict[str, str]:
    return _LOOKS[place if many > 1 else 1]


def _line(curve: Curve, place: int, many: int, x: list[float], y: list[float], **more: Any) -> dict[str, Any]:
    look = _look(place, many)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": curve.name,
        "x": x,
        "y": y,
        "line": {"color": look["color"], "dash": look["dash"], "width": 2} | more.pop("line", {}),
        **more,
    }


def _mark(curve: Curve, place: int, many: int, x: float | None, y: float | None) -> dict[str, Any]:
    """Where the slider stands; the script moves it."""
    look = _look(place, many)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{curve.version} at the threshold",
        "x": [x],
        "y": [y],
        "marker": {
            "color": look["color"],
            "symbol": look["symbol"],
            "size": 12,
            "line": {"color": "@card", "width": 2},
        },
        "showlegend": False,
        "meta": {"mark": place},
    }


def _roc(curves: Sequence[Curve], marks: Sequence[Operating]) -> Drawn:
    many, traces = len(curves), []
    for place, curve in enumerate(curves):
        genuine = max(curve.rows.n - curve.rows.positives, 1)
        false = [0.0, *((f - c) / genuine for f, c in zip(curve.flagged, curve.caught, strict=True))]
        true = [0.0, *(c / max(curve.rows.positives, 1) for c in curve.caught)]
        custom = [None, *curve.threshold]
        hover = "score ≥ %{customdata:.4g}<br>%{y:.1%} of the fraud, %{x:.2%} of genuine transactions"
        traces.append(_line(curve, place, many, false, true, customdata=custom, hovertemplate=hover))
    for place, (curve, mark) in enumerate(zip(curves, marks, strict=False)):
        genuine = max(curve.rows.n - curve.rows.positives, 1)
        traces.append(_mark(curve, place, many, (mark.flagged - mark.caught) / genuine, mark.recall))
    areas = "; ".join(f"{curve.name}: area {_three(curve.roc_auc)}" for curve in curves)
    return Drawn(
        "ROC",
        Chart(
            "roc",
            f"ROC curves, frauds caught by share of genuine transactions flagged. {areas}.",
            traces,
            {
                "xaxis": {
                    "title": {"text": "genuine transactions flagged"},
                    "range": [0, _FIRST_TENTH],
                    "tickformat": _SHARE,
                },
                "yaxis": {"title": {"text": "frauds caught"}, "range": [0, 1.02], "tickformat": _SHARE},
            },
        ),
        f"{areas}. The first tenth of false alarms is shown; a double click shows all.",
    )


def _precision_recall(curves: Sequence[Curve], marks: Sequence[Operating]) -> Drawn:
    many, traces = len(curves), []
    for place, curve in enumerate(curves):
        recall = [c / max(curve.rows.positives, 1) for c in curve.caught]
        precision = [c / f for c, f in zip(curve.caught, curve.flagged, strict=True)]
        hover = "score ≥ %{customdata:.4g}<br>precision %{y:.1%}, recall %{x:.1%}"
        step = {"shape": "vh"}
        traces.append(
            _line(
                curve, place, many, recall, precision, customdata=list(curve.threshold), hovertemplate=hover, line=step
            )
        )
    for place, (curve, mark) in enumerate(zip(curves, marks, strict=False)):
        traces.append(_mark(curve, place, many, mark.recall, mark.precision))
    averages = "; ".join(f"{curve.name}: average precision {_three(curve.average_precision)}" for curve in curves)
    return Drawn(
        "Precision and recall",
        Chart(
            "precision-recall",
            f"Precision by recall. {averages}.",
            traces,
            {
                "xaxis": {"title": {"text": "recall: frauds caught"}, "range": [0, 1.01], "tickformat": _SHARE},
                "yaxis": {
                    "title": {"text": "precision: alerts that are fraud"},
                    "range": [0, 1.03],
                    "tickformat": _SHARE,
                },
            },
        ),
        f"{averages}.",
    )


def _cost(curves: Sequence[Curve], file: CurveFile, marks: Sequence[Operating]) -> Drawn:
    many, unit, traces = len(curves), 10**file.minor_digits, []
    for place, curve in enumerate(curves):
        days = curve.rows.days or 1.0
        alerts = [flagged / days for flagged in curve.flagged]
        cost = [item / unit for item in curve.cost_minor or ()]
        hover = "score ≥ %{customdata:.4g}<br>%{x:,.1f} alerts a day cost %{y:,.0f}"
        traces.append(_line(curve, place, many, alerts, cost, customdata=list(curve.threshold), hovertemplate=hover))
    for place, (curve, mark) in enumerate(zip(curves, marks, strict=False)):
        traces.append(_mark(curve, place, many, mark.alerts_a_day or None, (mark.cost_minor or 0) / unit))
    rows = curves[-1].rows
    without = (rows.without_minor or 0) / unit
    least = "; ".join(f"{curve.name}: least {min(curve.cost_minor or (0,)) / unit:,.0f}" for curve in curves)
    money = f" in {file.currency}" if file.currency else ""
    return Drawn(
        "Cost",
        Chart(
            "cost",
            f"Cost{money} of missed frauds, reviews and blocked genuine payments by alerts a day. {least}; "
            f"without a model {without:,.0f}.",
            traces,
            {
                "xaxis": {"title": {"text": "alerts a day"}, "type": "log", "tickformat": "~g", "nticks": 8},
                "yaxis": {
                    "title": {"text": f"cost{money}"},
                    "range": [0, 1.4 * max(without, 1.0)],
                    "tickformat": ",.0f",
                },
                "shapes": [_level(without), _upright(rows.budget_a_day)],
            },
        ),
        f"{least}; dotted: {without:,.0f} without a model, and the budget of {rows.budget_a_day:,.0f} alerts a day.",
    )


def _level(y: float) -> dict[str, Any]:
    line = {"color": "@soft", "width": 1, "dash": "dot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}


def _upright(x: float) -> dict[str, Any]:
    line = {"color": "@soft", "width": 1, "dash": "dot"}
    return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": line}


def _calibration(curves: Sequence[Curve]) -> Drawn:
    many, traces = len(curves), []
    for place, curve in enumerate(curves):
        look, bins = _look(place, many), curve.calibration
        observed = [max(item["fraud_rate"], _FLOOR) for item in bins]
        hover = (
            "promised %{x:.3%}, observed %{customdata[0]:.3%}<br>%{customdata[1]:,} of %{customdata[2]:,} were fraud"
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": curve.name,
                "x": [max(item["mean_score"], _FLOOR) for item in bins],
                "y": observed,
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [item["high"] - at for item, at in zip(bins, observed, strict=True)],
                    "arrayminus": [
                        max(at - max(item["low"], _FLOOR), 0.0) for item, at in zip(bins, observed, strict=True)
                    ],
                    "color": look["color"],
                    "thickness": 1,
                    "width": 3,
                },
                "line": {"color": look["color"], "dash": look["dash"], "width": 1},
                "marker": {"color": look["color"], "symbol": look["symbol"], "size": 8},
                "customdata": [[item["fraud_rate"], item["positives"], item["n"]] for item in bins],
                "hovertemplate": hover,
            }
        )
    lowest = min((min(trace["x"], default=_FLOOR) for trace in traces), default=_FLOOR)
    diagonal = {"color": "@soft", "width": 1, "dash": "dot"}
    axis = {"type": "log", "tickformat": ".2~%", "dtick": 1}
    expected = "; ".join(f"{curve.name}: {_expected(curve)}" for curve in curves)
    return Drawn(
        "Calibration",
        Chart(
            "calibration",
            f"Observed by promised probability of fraud. {expected}.",
            traces,
            {
                "xaxis": axis | {"title": {"text": "promised probability"}},
                "yaxis": axis | {"title": {"text": "share that was fraud"}},
                "shapes": [{"type": "line", "x0": lowest, "y0": lowest, "x1": 1, "y1": 1, "line": diagonal}],
            },
        ),
        f"{expected}. On the dotted line scores keep what they promise; bars are 95 % intervals.",
    )


def _expected(curve: Curve) -> str:
    promised = sum(item["mean_score"] * item["n"] for item in curve.calibration)
    return f"{promised:,.0f} frauds expected, {curve.rows.positives:,} happened"


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
