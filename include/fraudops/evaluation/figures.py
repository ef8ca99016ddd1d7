"""Figures of an evaluation as PNG bytes: the same numbers give the same bytes.

Nothing here touches matplotlib's global state (``pyplot``, ``rcParams``), so that figures may be drawn in any
thread of any process. Titles and captions are the page's business; a figure carries what it needs to be read
alone: axes, units, counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    PercentFormatter,
)

from fraudops.evaluation import drawing
from fraudops.evaluation.importance import Importance
from fraudops.evaluation.metrics import Confusion, ReliabilityBin
from fraudops.evaluation.ranking import Ranking, average_precision, roc_auc


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores of one model on some transactions; the first curve of a figure is the one it is about."""

    name: str
    label: np.ndarray
    score: np.ndarray


@dataclass(frozen=True, eq=False)
class Point:
    """What a policy chose, to be marked on the first curve: a name such as ``review``, and which rows it flags."""

    name: str
    flagged: np.ndarray


@dataclass(frozen=True)
class Bar:
    """A number with its interval, for a comparison; ``chosen`` is set off."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    chosen: bool = False


def roc(curves: Sequence[Curve], points: Sequence[Point] = ()) -> bytes:
    """ROC curves with their areas; an inset shows the first hundredth, where alerts are affordable.

    Parameters
    ----------
    points
        Marked where they lie, in the inset if it reaches so far.
    """
    figure, axes = drawing.plain_figure(bottom_legend=len(curves))
    axes.add_patch(Rectangle((0.36, 0.02), 0.63, 0.7, transform=axes.transAxes, facecolor="white", zorder=3))
    inset = axes.inset_axes((0.46, 0.13, 0.5, 0.5), zorder=6)
    drawing.plain(inset)
    for place, curve in enumerate(curves):
        false, true = Ranking.of(curve.label, curve.score).rates()
        false, true = drawing.thin(false, true)
        label = f"{curve.name}   AUC {drawing.three(roc_auc(curve.label, curve.score))}"
        for panel in (axes, inset):
            panel.plot(false, true, label=label, **drawing.line(place))
    axes.plot([0, 1], [0, 1], color=drawing.SOFT, linewidth=0.9, linestyle=(0, (2, 3)), zorder=1)
    axes.set(xlim=(0, 1), ylim=(0, 1.005), xlabel="genuine transactions flagged", ylabel="frauds caught")
    inset.set(xlim=(0, 0.01), ylim=(0, 1.005))
    for names, x, y in _rates(curves, points):
        _mark(inset if x <= 0.01 else axes, names, x, y)
    inset.set_title("first 1% of false alarms", fontsize=8.5, color=drawing.SOFT, loc="left", pad=4)
    for axis in (axes.xaxis, axes.yaxis, inset.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    inset.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    inset.xaxis.set_major_locator(FixedLocator([0, 0.005, 0.01]))
    inset.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    inset.tick_params(labelsize=8)
    drawing.legend_below(figure, axes)
    return drawing.png(figure)


def precision_recall(curves: Sequence[Curve], points: Sequence[Point] = ()) -> bytes:
    """Precision–recall curves with their average precision; the points are marked."""
    figure, axes = drawing.plain_figure(bottom_legend=len(curves))
    for place, curve in enumerate(curves):
        precision, recall = Ranking.of(curve.label, curve.score).precision_recall()
        x, y = drawing.thin(np.concatenate([[0.0], recall]), np.concatenate([precision[:1], precision]))
        label = f"{curve.name}   average precision {drawing.three(average_precision(curve.label, curve.score))}"
        # Steps, as the average precision counts them: no interpolation between points.
        axes.plot(x, y, drawstyle="steps-pre", label=label, **drawing.line(place))
    if curves:
        rate = float(np.mean(curves[0].label)) if len(curves[0].label) else 0.0
        axes.axhline(rate, color=drawing.SOFT, linewidth=0.9, linestyle=(0, (2, 3)), zorder=1)
        axes.annotate(
            f"by chance {rate:.2%}",
            (0.01, rate),
            xytext=(0, 4),
            textcoords="offset points",
            fontsize=8,
            color=drawing.SOFT,
        )
        for names, at_recall, at_precision in _recall_and_precision(curves[0], points):
            _mark(axes, names, at_recall, at_precision)
    axes.set(xlim=(0, 1.005), ylim=(0, 1.03), xlabel="recall: frauds caught", ylabel="precision: alerts that are fraud")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    drawing.legend_below(figure, axes)
    return drawing.png(figure)


def precision_at(curve: Curve, *, k: int, days: float | None = None) -> bytes:
    """Precision and recall of the highest scores, by how many of them are looked at; the budget is marked."""
    figure, axes = drawing.plain_figure()
    ranking = Ranking.of(curve.label, curve.score)
    precision, recall = ranking.precision_recall()
    flagged = ranking.flagged
    x = np.unique(np.round(np.geomspace(1, max(len(flagged), 1), drawing.POINTS)).astype(int) - 1)
    axes.plot(flagged[x], precision[x], color=drawing.MAIN, linewidth=2, drawstyle="steps-post")
    axes.plot(flagged[x], recall[x], color=drawing.OTHERS[0], linewidth=2, drawstyle="steps-post")
    axes.axvline(k, color=drawing.SOFT, linewidth=1, linestyle=(0, (4, 3)))
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
        color=drawing.INK,
        bbox=drawing.HALO,
    )
    handles = [
        axes.plot([], [], color=drawing.MAIN, linewidth=2, label="precision: looked at and fraud")[0],
        axes.plot([], [], color=drawing.OTHERS[0], linewidth=2, label="recall: frauds found")[0],
    ]
    drawing.legend_below(figure, axes, handles)
    return drawing.png(figure)


def calibration(bins: Sequence[ReliabilityBin]) -> bytes:
    """Predicted against observed rates with their intervals, and how many transactions each point stands for.

    Both axes are log-odds, so that one in ten thousand and nine in ten are told apart. Where all or nothing was
    fraud the point is hollow, at the edge.
    """
    figure = Figure(figsize=(drawing.WIDE, drawing.HIGH + 0.5), layout=drawing.layout())
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3.6, 1]})
    for panel in (upper, lower):
        drawing.plain(panel)
    predicted, observed, low, high = (
        drawing.log_odds(np.array([getattr(found, name) for found in bins], dtype=float))
        for name in ("mean_score", "fraud_rate", "low", "high")
    )
    certain = np.array([found.positives in (0, found.n) for found in bins], dtype=bool)
    inside = np.concatenate([predicted, observed[~certain], [-2.0, 2.0]])
    edges = (float(inside.min()) - 0.8, float(inside.max()) + 0.8)
    upper.plot(edges, edges, color=drawing.SOFT, linewidth=0.9, linestyle=(0, (2, 3)))
    upper.vlines(predicted, low.clip(*edges), high.clip(*edges), color=drawing.MAIN, linewidth=1.6, alpha=0.45)
    height = observed.clip(edges[0] + 0.35, edges[1] - 0.35)
    for chosen, fill in ((~certain, drawing.MAIN), (certain, "white")):
        upper.scatter(
            predicted[chosen], height[chosen], s=40, facecolor=fill, edgecolor=drawing.MAIN, linewidth=1.5, zorder=3
        )
    upper.set(xlim=edges, ylim=edges, ylabel="observed: share that was fraud")
    for text, place in (("more fraud than predicted", (0.02, 0.97)), ("less fraud than predicted", (0.98, 0.03))):
        upper.annotate(
            text,
            place,
            xycoords="axes fraction",
            ha="left" if place[0] < 0.5 else "right",
            va="top" if place[1] > 0.5 else "bottom",
            fontsize=8.5,
            color=drawing.SOFT,
        )
    counts = np.array([found.n for found in bins], dtype=float)
    lower.vlines(predicted, 0.5, counts, color=drawing.GENUINE, linewidth=6)
    lower.set(yscale="log", ylim=(0.5, counts.max(initial=1.0) * 20))
    lower.set(xlabel="predicted probability of fraud", ylabel="transactions")
    lower.yaxis.set_major_locator(NullLocator())
    lower.yaxis.set_minor_locator(NullLocator())
    lower.grid(visible=False, axis="y")
    for x, found in zip(predicted, bins, strict=True):
        lower.annotate(
            drawing.short(found.n),
            (x, found.n),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=drawing.SOFT,
        )
    for axis in (upper.xaxis, upper.yaxis):
        drawing.odds_ticks(axis, *edges)
    return drawing.png(figure)


def confusion_matrix(found: Confusion, *, flagged: str = "alert", passed: str = "no alert") -> bytes:
    """What became of genuine and fraudulent transactions at a threshold, as counts and shares of each kind."""
    figure = Figure(figsize=(drawing.WIDE, 3.5), layout=drawing.layout())
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
        tint = drawing.blend(drawing.FRAUD if is_fraud else "#475569", 0.06 + 0.5 * share)
        axes.add_patch(drawing.tile(column, row, tint))
        axes.text(column + 0.5, row + 0.41, f"{count:,}", ha="center", va="center", fontsize=19, color=drawing.INK)
        axes.text(
            column + 0.5,
            row + 0.68,
            f"{word} · {share:.1%}" if 0.001 <= share <= 0.999 or share in (0.0, 1.0) else f"{word} · {share:.3%}",
            ha="center",
            va="center",
            fontsize=10,
            color=drawing.INK,
        )
    axes.set(xlim=(0, 2), ylim=(2, 0), xticks=[0.5, 1.5], yticks=[0.5, 1.5])
    axes.set_xticklabels([passed, flagged], fontsize=11, color=drawing.INK)
    axes.set_yticklabels([f"genuine\n{genuine:,}", f"fraud\n{frauds:,}"], fontsize=11, color=drawing.INK)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    # From a score of 0 on everything would be flagged: more than the score decided here.
    threshold = [f"threshold {drawing.probability(found.threshold)}"] if found.threshold > 0 else []
    shares = [f"precision {drawing.percent(found.precision)}", f"recall {drawing.percent(found.recall)}"]
    axes.set_xlabel(
        "   ·   ".join([*threshold, *shares]),
        fontsize=10,
        color=drawing.SOFT,
        labelpad=8,
    )
    return drawing.png(figure)


def score_distribution(curve: Curve, thresholds: Mapping[str, float | None] | None = None) -> bytes:
    """How many genuine and fraudulent transactions have which score; both axes stretch the rare."""
    figure, axes = drawing.plain_figure(bottom_legend=1)
    label, odds = np.asarray(curve.label, dtype=bool), drawing.log_odds(curve.score)
    edges = np.linspace(np.floor(odds.min(initial=-1.0)) - 0.25, max(np.ceil(odds.max(initial=1.0)), 3.0) + 0.25, 61)
    for kind, color, name in ((~label, drawing.GENUINE, "genuine"), (label, drawing.FRAUD, "fraud")):
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
    drawing.odds_ticks(axes.xaxis, float(edges[0]), float(edges[-1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else ""))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set(xlabel="score: probability of fraud", ylabel="transactions")
    marks = {name: value for name, value in (thresholds or {}).items() if value is not None}
    width = edges[-1] - edges[0]
    for number, (name, value) in enumerate(sorted(marks.items(), key=lambda item: item[1])):
        at = float(drawing.log_odds(np.array([value]))[0])
        axes.axvline(at, color=drawing.threshold_color(name), linewidth=1.2)
        crowded = at > edges[0] + 0.8 * width
        axes.annotate(
            f"{name} {drawing.probability(value)}",
            (at, 0.965 - 0.075 * number),
            xycoords=("data", "axes fraction"),
            xytext=(-5 if crowded else 5, 0),
            textcoords="offset points",
            ha="right" if crowded else "left",
            va="center",
            fontsize=8.5,
            color=drawing.threshold_color(name),
            bbox=drawing.HALO,
        )
    drawing.legend_below(figure, axes)
    return drawing.png(figure)


def importances(found: Sequence[Importance], *, most: int = 15) -> bytes:
    """The columns whose shuffling costs most average precision, the costliest on top."""
    shown = list(found[:most])
    figure = Figure(figsize=(drawing.WIDE, max(1.8, 0.9 + 0.27 * len(shown))), layout=drawing.layout())
    axes = figure.subplots()
    drawing.plain(axes)
    places = np.arange(len(shown))
    means = np.array([importance.mean for importance in shown])
    spread = np.array([importance.deviation for importance in shown])
    axes.barh(places, means, height=0.64, color=[drawing.MAIN if mean > 0 else drawing.GENUINE for mean in means])
    axes.hlines(places, means - spread, means + spread, color=drawing.INK, linewidth=1)
    axes.set_yticks(places, [drawing.cut(importance.column, 34) for importance in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.axvline(0, color=drawing.INK, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0, labelsize=9.5, labelcolor=drawing.INK)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("average precision lost when the column is shuffled")
    if len(found) > most:
        axes.annotate(
            f"{len(found) - most} more columns",
            (0.99, 0.03),
            xycoords="axes fraction",
            ha="right",
            fontsize=8.5,
            color=drawing.SOFT,
        )
    return drawing.png(figure)


def comparison(bars: Sequence[Bar], *, measure: str = "average precision") -> bytes:
    """Numbers of several candidates with their intervals, the chosen one set off."""
    figure = Figure(figsize=(drawing.WIDE, max(1.5, 0.95 + 0.5 * len(bars))), layout=drawing.layout())
    axes = figure.subplots()
    drawing.plain(axes)
    for place, bar in enumerate(bars):
        if bar.value is None:
            axes.annotate("not measurable", (0.5, place), xycoords=("axes fraction", "data"), color=drawing.SOFT)
            continue
        color = drawing.MAIN if bar.chosen else drawing.SOFT
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
            color=color if bar.chosen else drawing.INK,
        )
    axes.set_yticks(range(len(bars)), [drawing.cut(bar.name, 30) for bar in bars])
    for text, bar in zip(axes.get_yticklabels(), bars, strict=True):
        text.set_fontweight("bold" if bar.chosen else "normal")
    axes.set_ylim(len(bars) - 0.45, -0.75)
    axes.tick_params(axis="y", length=0, labelsize=10, labelcolor=drawing.INK)
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    with_intervals = any(bar.low is not None for bar in bars)
    axes.set_xlabel(f"{measure}, with its 95% interval" if with_intervals else measure)
    return drawing.png(figure)


# -- inside -------------------------------------------------------------------------------------------


def _rates(curves: Sequence[Curve], points: Sequence[Point]) -> list[tuple[list[str], float, float]]:
    """False- and true-positive rate of each point on the first curve."""
    if not curves:
        return []
    label = np.asarray(curves[0].label, dtype=bool)
    if label.all() or not label.any():
        return []
    return _together(points, lambda flagged: (float(flagged[~label].mean()), float(flagged[label].mean())))


def _recall_and_precision(curve: Curve, points: Sequence[Point]) -> list[tuple[list[str], float, float]]:
    label = np.asarray(curve.label, dtype=bool)
    if not label.any():
        return []
    shown = [point for point in points if point.flagged.any()]
    return _together(shown, lambda flagged: (float(flagged[label].mean()), float(label[flagged].mean())))


def _together(
    points: Sequence[Point], place: Callable[[np.ndarray], tuple[float, float]]
) -> list[tuple[list[str], float, float]]:
    """Points with their places; those at one place share their mark."""
    found: dict[tuple[float, float], list[str]] = {}
    for point in points:
        found.setdefault(place(point.flagged), []).append(point.name)
    return [(names, x, y) for (x, y), names in found.items()]


def _mark(axes: Axes, names: Sequence[str], x: float, y: float) -> None:
    color = drawing.threshold_color(names[-1])
    axes.scatter([x], [y], s=52, color=color, edgecolor="white", linewidth=1.4, zorder=8, clip_on=False)
    low, high = axes.get_xlim()
    left = x < low + 0.25 * (high - low)
    axes.annotate(
        " and ".join(names),
        (x, y),
        xytext=(10 if left else -10, -10),
        textcoords="offset points",
        ha="left" if left else "right",
        va="top",
        fontsize=9.5,
        fontweight="bold",
        color=color,
        bbox=drawing.HALO,
        zorder=9,
    )
