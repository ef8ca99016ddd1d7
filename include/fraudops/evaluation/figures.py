"""Figures of an evaluation as PNG bytes: the same numbers give the same bytes.

Nothing here touches matplotlib's global state (``pyplot``, ``rcParams``), so that figures may be drawn in any
thread of any process. Titles and captions are the page's business; a figure carries what it needs to be read
alone: axes, units, counts.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    PercentFormatter,
)

from fraudops.evaluation.importance import Importance
from fraudops.evaluation.metrics import Confusion, ReliabilityBin
from fraudops.evaluation.ranking import Ranking, average_precision, roc_auc

_DOTS_PER_INCH = 160
_WIDE, _HIGH = 6.4, 4.5
_INK, _SOFT, _LINE = "#1f2937", "#6b7280", "#e5e7eb"
_GENUINE, _FRAUD = "#94a3b8", "#dc2626"
_MAIN = "#2563eb"
_OTHERS = ("#d97706", "#0d9488", "#7c3aed", "#64748b", "#be185d", "#65a30d")
_REVIEW, _BLOCK = "#b45309", "#991b1b"
_POINTS = 1_500
"""Curves are drawn through at most about this many points."""
_ODDS_LIMIT = 16.0
"""Log-odds beyond which a score is drawn at the edge."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores of one model on some transactions; the first curve of a figure is the one it is about."""

    name: str
    label: np.ndarray
    score: np.ndarray


@dataclass(frozen=True)
class Bar:
    """A number with its interval, for a comparison; ``chosen`` is set off."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    chosen: bool = False


def roc(curves: Sequence[Curve]) -> bytes:
    """ROC curves with their areas; an inset shows the first hundredth, where alerts are affordable."""
    figure, axes = _figure(bottom_legend=len(curves))
    axes.add_patch(Rectangle((0.36, 0.02), 0.63, 0.7, transform=axes.transAxes, facecolor="white", zorder=3))
    inset = axes.inset_axes((0.46, 0.13, 0.5, 0.5), zorder=6)
    _plain(inset)
    for place, curve in enumerate(curves):
        false, true = Ranking.of(curve.label, curve.score).rates()
        false, true = _thin(false, true)
        label = f"{curve.name}   AUC {_three(roc_auc(curve.label, curve.score))}"
        for panel in (axes, inset):
            panel.plot(false, true, label=label, **_line(place))
    axes.plot([0, 1], [0, 1], color=_SOFT, linewidth=0.9, linestyle=(0, (2, 3)), zorder=1)
    axes.set(xlim=(0, 1), ylim=(0, 1.005), xlabel="genuine transactions flagged", ylabel="frauds caught")
    inset.set(xlim=(0, 0.01), ylim=(0, 1.005))
    inset.set_title("first 1% of false alarms", fontsize=8.5, color=_SOFT, loc="left", pad=4)
    for axis in (axes.xaxis, axes.yaxis, inset.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    inset.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    inset.xaxis.set_major_locator(FixedLocator([0, 0.005, 0.01]))
    inset.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    inset.tick_params(labelsize=8)
    _legend_below(figure, axes)
    return _png(figure)


def precision_recall(curves: Sequence[Curve], thresholds: Mapping[str, float | None] | None = None) -> bytes:
    """Precision–recall curves with their average precision.

    Parameters
    ----------
    thresholds
        Name → score; marked on the first curve. None values are left out.
    """
    figure, axes = _figure(bottom_legend=len(curves))
    for place, curve in enumerate(curves):
        precision, recall = Ranking.of(curve.label, curve.score).precision_recall()
        x, y = _thin(np.concatenate([[0.0], recall]), np.concatenate([precision[:1], precision]))
        label = f"{curve.name}   average precision {_three(average_precision(curve.label, curve.score))}"
        # Steps, as the average precision counts them: no interpolation between points.
        axes.plot(x, y, drawstyle="steps-pre", label=label, **_line(place))
    if curves:
        rate = float(np.mean(curves[0].label)) if len(curves[0].label) else 0.0
        axes.axhline(rate, color=_SOFT, linewidth=0.9, linestyle=(0, (2, 3)), zorder=1)
        axes.annotate(
            f"by chance {rate:.2%}",
            (0.01, rate),
            xytext=(0, 4),
            textcoords="offset points",
            fontsize=8,
            color=_SOFT,
        )
        _mark_thresholds(axes, curves[0], _given(thresholds))
    axes.set(xlim=(0, 1.005), ylim=(0, 1.03), xlabel="recall: frauds caught", ylabel="precision: alerts that are fraud")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    _legend_below(figure, axes)
    return _png(figure)


def precision_at(curve: Curve, *, k: int, days: float | None = None) -> bytes:
    """Precision and recall of the highest scores, by how many of them are looked at; the budget is marked."""
    figure, axes = _figure()
    ranking = Ranking.of(curve.label, curve.score)
    precision, recall = ranking.precision_recall()
    flagged = ranking.flagged
    x = np.unique(np.round(np.geomspace(1, max(len(flagged), 1), _POINTS)).astype(int) - 1)
    axes.plot(flagged[x], precision[x], color=_MAIN, linewidth=2, drawstyle="steps-post")
    axes.plot(flagged[x], recall[x], color=_OTHERS[0], linewidth=2, drawstyle="steps-post")
    axes.axvline(k, color=_SOFT, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xscale("log")
    right = float(max(ranking.n, 10))
    axes.set(xlim=(1, right), ylim=(0, 1.03), xlabel="transactions looked at, highest score first", ylabel="share")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    at = max(int(np.searchsorted(flagged, k, side="right")) - 1, 0)
    over = f" in {days:.3g} days" if days else ""
    left_half = k < np.sqrt(right)
    axes.annotate(
        f"budget: {k:,}{over}\nprecision {precision[at]:.0%}, recall {recall[at]:.0%}",
        (k, 0.5),
        xytext=(8 if left_half else -8, 0),
        textcoords="offset points",
        ha="left" if left_half else "right",
        va="center",
        fontsize=9,
        color=_INK,
        bbox=_HALO,
    )
    handles = [
        axes.plot([], [], color=_MAIN, linewidth=2, label="precision: looked at and fraud")[0],
        axes.plot([], [], color=_OTHERS[0], linewidth=2, label="recall: frauds found")[0],
    ]
    _legend_below(figure, axes, handles)
    return _png(figure)


def calibration(bins: Sequence[ReliabilityBin]) -> bytes:
    """Predicted against observed rates with their intervals, and how many transactions each point stands for.

    Both axes are log-odds, so that one in ten thousand and nine in ten are told apart. Where all or nothing was
    fraud the point is hollow, at the edge.
    """
    figure = Figure(figsize=(_WIDE, _HIGH + 0.5), layout=_layout())
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3.6, 1]})
    for panel in (upper, lower):
        _plain(panel)
    predicted, observed, low, high = (
        _odds(np.array([getattr(found, name) for found in bins], dtype=float))
        for name in ("mean_score", "fraud_rate", "low", "high")
    )
    certain = np.array([found.positives in (0, found.n) for found in bins], dtype=bool)
    inside = np.concatenate([predicted, observed[~certain], [-2.0, 2.0]])
    edges = (float(inside.min()) - 0.8, float(inside.max()) + 0.8)
    upper.plot(edges, edges, color=_SOFT, linewidth=0.9, linestyle=(0, (2, 3)))
    upper.vlines(predicted, low.clip(*edges), high.clip(*edges), color=_MAIN, linewidth=1.6, alpha=0.45)
    height = observed.clip(edges[0] + 0.35, edges[1] - 0.35)
    for chosen, fill in ((~certain, _MAIN), (certain, "white")):
        upper.scatter(predicted[chosen], height[chosen], s=40, facecolor=fill, edgecolor=_MAIN, linewidth=1.5, zorder=3)
    upper.set(xlim=edges, ylim=edges, ylabel="observed: share that was fraud")
    for text, place in (("more fraud than predicted", (0.02, 0.97)), ("less fraud than predicted", (0.98, 0.03))):
        upper.annotate(
            text,
            place,
            xycoords="axes fraction",
            ha="left" if place[0] < 0.5 else "right",
            va="top" if place[1] > 0.5 else "bottom",
            fontsize=8.5,
            color=_SOFT,
        )
    counts = np.array([found.n for found in bins], dtype=float)
    lower.vlines(predicted, 0.5, counts, color=_GENUINE, linewidth=6)
    lower.set(yscale="log", ylim=(0.5, counts.max(initial=1.0) * 20))
    lower.set(xlabel="predicted probability of fraud", ylabel="transactions")
    lower.yaxis.set_major_locator(NullLocator())
    lower.yaxis.set_minor_locator(NullLocator())
    lower.grid(visible=False, axis="y")
    for x, found in zip(predicted, bins, strict=True):
        lower.annotate(
            _short(found.n),
            (x, found.n),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=_SOFT,
        )
    for axis in (upper.xaxis, upper.yaxis):
        _odds_ticks(axis, *edges)
    return _png(figure)


def confusion_matrix(found: Confusion, *, flagged: str = "alert", passed: str = "no alert") -> bytes:
    """What became of genuine and fraudulent transactions at a threshold, as counts and shares of each kind."""
    figure = Figure(figsize=(_WIDE, 3.5), layout=_layout())
    axes = figure.subplots()
    genuine, frauds = found.passed + found.false_alarms, found.caught + found.missed
    cells = (
        (0, 0, found.passed, genuine, "passed", False),
        (1, 0, found.false_alarms, genuine, "false alarms", False),
        (0, 1, found.missed, frauds, "missed", True),
        (1, 1, found.caught, frauds, "caught", True),
    )
    for column, row, count, whole, word, is_fraud in cells:
        share = count / whole if whole else 0.0
        tint = _blend(_FRAUD if is_fraud else "#475569", 0.06 + 0.5 * share)
        axes.add_patch(_tile(column, row, tint))
        axes.text(column + 0.5, row + 0.41, f"{count:,}", ha="center", va="center", fontsize=19, color=_INK)
        axes.text(
            column + 0.5,
            row + 0.68,
            f"{word} · {share:.1%}" if 0.001 <= share <= 0.999 or share in (0.0, 1.0) else f"{word} · {share:.3%}",
            ha="center",
            va="center",
            fontsize=10,
            color=_INK,
        )
    axes.set(xlim=(0, 2), ylim=(2, 0), xticks=[0.5, 1.5], yticks=[0.5, 1.5])
    axes.set_xticklabels([passed, flagged], fontsize=11, color=_INK)
    axes.set_yticklabels([f"genuine\n{genuine:,}", f"fraud\n{frauds:,}"], fontsize=11, color=_INK)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel(
        f"threshold {_probability(found.threshold)}   ·   precision {_percent(found.precision)}   ·   "
        f"recall {_percent(found.recall)}",
        fontsize=10,
        color=_SOFT,
        labelpad=8,
    )
    return _png(figure)


def score_distribution(curve: Curve, thresholds: Mapping[str, float | None] | None = None) -> bytes:
    """How many genuine and fraudulent transactions have which score; both axes stretch the rare."""
    figure, axes = _figure(bottom_legend=1)
    label, odds = np.asarray(curve.label, dtype=bool), _odds(curve.score)
    edges = np.linspace(np.floor(odds.min(initial=-1.0)) - 0.25, max(np.ceil(odds.max(initial=1.0)), 3.0) + 0.25, 61)
    for kind, color, name in ((~label, _GENUINE, "genuine"), (label, _FRAUD, "fraud")):
        counts, _ = np.histogram(odds[kind], edges)
        axes.stairs(
            np.maximum(counts, 0.5),
            edges,
            baseline=0.5,
            fill=True,
            color=color,
            alpha=0.55,
            label=f"{name} ({int(kind.sum()):,})",
        )
    axes.set_yscale("log")
    axes.set_ylim(0.5, axes.get_ylim()[1] * 2.4)
    axes.set_xlim(edges[0], edges[-1])
    _odds_ticks(axes.xaxis, float(edges[0]), float(edges[-1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else ""))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set(xlabel="score: probability of fraud", ylabel="transactions")
    marks = _given(thresholds)
    width = edges[-1] - edges[0]
    for number, (name, value) in enumerate(sorted(marks.items(), key=lambda item: item[1])):
        at = float(_odds(np.array([value]))[0])
        axes.axvline(at, color=_threshold_color(name), linewidth=1.2)
        crowded = at > edges[0] + 0.8 * width
        axes.annotate(
            f"{name} {_probability(value)}",
            (at, 0.965 - 0.075 * number),
            xycoords=("data", "axes fraction"),
            xytext=(-5 if crowded else 5, 0),
            textcoords="offset points",
            ha="right" if crowded else "left",
            va="center",
            fontsize=8.5,
            color=_threshold_color(name),
            bbox=_HALO,
        )
    _legend_below(figure, axes)
    return _png(figure)


def importances(found: Sequence[Importance], *, most: int = 15) -> bytes:
    """The columns whose shuffling costs most average precision, the costliest on top."""
    shown = list(found[:most])
    figure = Figure(figsize=(_WIDE, max(1.8, 0.9 + 0.27 * len(shown))), layout=_layout())
    axes = figure.subplots()
    _plain(axes)
    places = np.arange(len(shown))
    means = np.array([importance.mean for importance in shown])
    spread = np.array([importance.deviation for importance in shown])
    axes.barh(places, means, height=0.64, color=[_MAIN if mean > 0 else _GENUINE for mean in means])
    axes.hlines(places, means - spread, means + spread, color=_INK, linewidth=1)
    axes.set_yticks(places, [_cut(importance.column, 34) for importance in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.axvline(0, color=_INK, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0, labelsize=9.5, labelcolor=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("average precision lost when the column is shuffled")
    if len(found) > most:
        axes.annotate(
            f"{len(found) - most} more columns",
            (0.99, 0.03),
            xycoords="axes fraction",
            ha="right",
            fontsize=8.5,
            color=_SOFT,
        )
    return _png(figure)


def comparison(bars: Sequence[Bar], *, measure: str = "average precision") -> bytes:
    """Numbers of several candidates with their intervals, the chosen one set off."""
    figure = Figure(figsize=(_WIDE, max(1.5, 0.95 + 0.5 * len(bars))), layout=_layout())
    axes = figure.subplots()
    _plain(axes)
    for place, bar in enumerate(bars):
        if bar.value is None:
            axes.annotate("not measurable", (0.5, place), xycoords=("axes fraction", "data"), color=_SOFT)
            continue
        color = _MAIN if bar.chosen else _SOFT
        if bar.low is not None and bar.high is not None:
            axes.hlines(place, bar.low, bar.high, color=color, linewidth=5, alpha=0.28)
        axes.scatter([bar.value], [place], s=58, color=color, zorder=3)
        axes.annotate(
            f"{bar.value:.3f}",
            (bar.value, place),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=9.5,
            fontweight="bold" if bar.chosen else "normal",
            color=color if bar.chosen else _INK,
        )
    axes.set_yticks(range(len(bars)), [_cut(bar.name, 30) for bar in bars])
    for text, bar in zip(axes.get_yticklabels(), bars, strict=True):
        text.set_fontweight("bold" if bar.chosen else "normal")
    axes.set_ylim(len(bars) - 0.45, -0.75)
    axes.tick_params(axis="y", length=0, labelsize=10, labelcolor=_INK)
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    with_intervals = any(bar.low is not None for bar in bars)
    axes.set_xlabel(f"{measure}, with its 95% interval" if with_intervals else measure)
    return _png(figure)


# -- inside -------------------------------------------------------------------------------------------

_HALO: dict[str, Any] = {"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
_PROBABILITIES = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)


def _layout() -> ConstrainedLayoutEngine:
    """Room at the edges: a figure may lie on a page without a frame."""
    return ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)


def _figure(bottom_legend: int = 2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDE, _HIGH + 0.2 * max(bottom_legend - 1, 0)), layout=_layout())
    axes = figure.subplots()
    _plain(axes)
    return figure, axes


def _plain(axes: Axes) -> None:
    """Light grid, no box, soft labels."""
    axes.grid(color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#cbd5e1")
    axes.tick_params(colors=_SOFT, labelsize=9.5, length=3, which="both", color="#cbd5e1")
    axes.xaxis.label.set(color=_INK, fontsize=10.5)
    axes.yaxis.label.set(color=_INK, fontsize=10.5)


def _line(place: int) -> dict[str, Any]:
    if place == 0:
        return {"color": _MAIN, "linewidth": 2.2, "zorder": 5}
    return {"color": _OTHERS[(place - 1) % len(_OTHERS)], "linewidth": 1.3, "alpha": 0.9, "zorder": 4}


def _legend_below(figure: Figure, axes: Axes, handles: list[Any] | None = None) -> None:
    given = handles or axes.get_legend_handles_labels()[0]
    if not given:
        return
    longest = max(len(str(handle.get_label())) for handle in given)
    figure.legend(
        handles=given,
        loc="outside lower center",
        ncols=1 if longest > 34 else min(len(given), 2),
        frameon=False,
        fontsize=9.5,
        labelcolor=_INK,
        handlelength=1.6,
    )


def _mark_thresholds(axes: Axes, curve: Curve, thresholds: Mapping[str, float]) -> None:
    label, score = np.asarray(curve.label, dtype=bool), np.asarray(curve.score)
    points: dict[tuple[float, float], list[str]] = {}
    for name, value in thresholds.items():
        flagged = score >= value
        if flagged.any() and label.any():
            point = (float((flagged & label).sum() / label.sum()), float(label[flagged].mean()))
            points.setdefault(point, []).append(name)
    for (recall, precision), names in points.items():
        color = _threshold_color(names[-1])
        axes.scatter([recall], [precision], s=52, color=color, edgecolor="white", linewidth=1.4, zorder=8)
        axes.annotate(
            " and ".join(names),
            (recall, precision),
            xytext=(-10, -10),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=9.5,
            fontweight="bold",
            color=color,
            bbox=_HALO,
            zorder=9,
        )


def _given(thresholds: Mapping[str, float | None] | None) -> dict[str, float]:
    return {name: value for name, value in (thresholds or {}).items() if value is not None}


def _threshold_color(name: str) -> str:
    return _BLOCK if name == "block" else _REVIEW


def _thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A curve with fewer points: those where ``x`` moves on visibly, the first and the last."""
    if len(x) <= _POINTS:
        return x, y
    # Half of the points over the whole width, half over its first hundredth, which the inset magnifies.
    near = np.linspace(0, 0.01, _POINTS // 2)
    wanted = np.concatenate([near, np.linspace(0, 1, _POINTS // 2)])
    places = np.unique(np.clip(np.searchsorted(x, wanted, side="right") - 1, 0, len(x) - 1))
    steps = np.unique(np.concatenate([[0], places, [len(x) - 1]]))
    return x[steps], y[steps]


def _odds(score: np.ndarray) -> np.ndarray:
    inside = np.clip(np.asarray(score, dtype=np.float64), 1e-12, 1 - 1e-12)
    return np.clip(np.log(inside) - np.log1p(-inside), -_ODDS_LIMIT, _ODDS_LIMIT)


def _odds_ticks(axis: Any, low: float, high: float) -> None:
    """Probabilities along an axis of log-odds."""
    places = [float(odds) for odds in _odds(np.array(_PROBABILITIES)) if low <= odds <= high]
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FuncFormatter(lambda odds, _: _probability(1 / (1 + float(np.exp(-odds))))))


def _probability(value: float) -> str:
    """A percentage with as many digits as tell it from nothing and from certainty: ``0.001%``, ``99.99%``."""
    percent = 100 * value
    near = min(percent, 100 - percent)
    if near <= 0:
        return f"{percent:.0f}%"
    digits = max(0, 1 - int(np.floor(np.log10(near) + 1e-9)))
    return f"{percent:.{min(digits, 7)}f}".rstrip("0").rstrip(".") + "%" if digits else f"{percent:.0f}%"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _short(count: int) -> str:
    """Such as ``57k``."""
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1_000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _blend(color: str, share: float) -> tuple[float, float, float]:
    """A color on white."""
    rgb = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (1 - share + share * part for part in rgb)
    return red, green, blue


def _tile(column: int, row: int, color: tuple[float, float, float]) -> Any:
    return FancyBboxPatch(
        (column + 0.05, row + 0.07),
        0.9,
        0.86,
        boxstyle="round,pad=0,rounding_size=0.04",
        facecolor=color,
        edgecolor="none",
        mutation_aspect=1.6,
    )


def _png(figure: Figure) -> bytes:
    FigureCanvasAgg(figure)
    sink = io.BytesIO()
    # Without the name and version of the software, which would make the bytes depend on it.
    figure.savefig(sink, format="png", dpi=_DOTS_PER_INCH, facecolor="white", metadata={"Software": None})
    return sink.getvalue()
