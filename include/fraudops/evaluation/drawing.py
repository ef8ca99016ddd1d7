"""How figures are drawn: colors, axes, words for numbers, and the bytes in the end."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import FixedLocator, FuncFormatter

DOTS_PER_INCH = 160
WIDE, HIGH = 6.4, 4.5
INK, SOFT, LINE = "#1f2937", "#6b7280", "#e5e7eb"
GENUINE, FRAUD = "#94a3b8", "#dc2626"
MAIN = "#2563eb"
OTHERS = ("#d97706", "#0d9488", "#7c3aed", "#64748b", "#be185d", "#65a30d")
REVIEW, BLOCK = "#b45309", "#991b1b"
POINTS = 1_500
"""Curves are drawn through at most about this many points."""
ODDS_LIMIT = 16.0
"""Log-odds beyond which a score is drawn at the edge."""


HALO: dict[str, Any] = {"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
PROBABILITIES = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)


def layout() -> ConstrainedLayoutEngine:
    """Room at the edges: a figure may lie on a page without a frame."""
    return ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)


def plain_figure(bottom_legend: int = 2) -> tuple[Figure, Axes]:
    """An empty figure with room for so many lines of legend below."""
    figure = Figure(figsize=(WIDE, HIGH + 0.2 * max(bottom_legend - 1, 0)), layout=layout())
    axes = figure.subplots()
    plain(axes)
    return figure, axes


def plain(axes: Axes) -> None:
    """Light grid, no box, soft labels."""
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#cbd5e1")
    axes.tick_params(colors=SOFT, labelsize=9.5, length=3, which="both", color="#cbd5e1")
    axes.xaxis.label.set(color=INK, fontsize=10.5)
    axes.yaxis.label.set(color=INK, fontsize=10.5)


def line(place: int) -> dict[str, Any]:
    """How the curve at this place is drawn: the first is the one the figure is about."""
    if place == 0:
        return {"color": MAIN, "linewidth": 2.2, "zorder": 5}
    return {"color": OTHERS[(place - 1) % len(OTHERS)], "linewidth": 1.3, "alpha": 0.9, "zorder": 4}


def legend_below(figure: Figure, axes: Axes, handles: list[Any] | None = None) -> None:
    """What the lines are, under the axes."""
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
        labelcolor=INK,
        handlelength=1.6,
    )


def threshold_color(name: str) -> str:
    """Color of what is reviewed, or blocked."""
    return BLOCK if name == "block" else REVIEW


def thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A curve with fewer points: those where ``x`` moves on visibly, the first and the last."""
    if len(x) <= POINTS:
        return x, y
    # Half of the points over the whole width, half over its first hundredth, which the inset magnifies.
    near = np.linspace(0, 0.01, POINTS // 2)
    wanted = np.concatenate([near, np.linspace(0, 1, POINTS // 2)])
    places = np.unique(np.clip(np.searchsorted(x, wanted, side="right") - 1, 0, len(x) - 1))
    steps = np.unique(np.concatenate([[0], places, [len(x) - 1]]))
    return x[steps], y[steps]


def log_odds(score: np.ndarray) -> np.ndarray:
    """Log-odds of probabilities, within the limits that are drawn."""
    inside = np.clip(np.asarray(score, dtype=np.float64), 1e-12, 1 - 1e-12)
    return np.clip(np.log(inside) - np.log1p(-inside), -ODDS_LIMIT, ODDS_LIMIT)


def odds_ticks(axis: Any, low: float, high: float) -> None:
    """Probabilities along an axis of log-odds."""
    places = [float(at) for at in log_odds(np.array(PROBABILITIES)) if low <= at <= high]
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FuncFormatter(lambda at, _: probability(1 / (1 + float(np.exp(-at))))))


def probability(value: float) -> str:
    """A percentage with as many digits as tell it from nothing and from certainty: ``0.001%``, ``99.99%``."""
    hundred = 100 * value
    near = min(hundred, 100 - hundred)
    if near <= 0:
        return f"{hundred:.0f}%"
    digits = max(0, 1 - int(np.floor(np.log10(near) + 1e-9)))
    return f"{hundred:.{min(digits, 7)}f}".rstrip("0").rstrip(".") + "%" if digits else f"{hundred:.0f}%"


def percent(value: float | None) -> str:
    """With one decimal; a dash for what could not be measured."""
    return "–" if value is None else f"{value:.1%}"


def three(value: float | None) -> str:
    """With three decimals; a dash for what could not be measured."""
    return "–" if value is None else f"{value:.3f}"


def short(count: int) -> str:
    """Such as ``57k``."""
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1_000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def cut(text: str, length: int) -> str:
    """At most so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def blend(color: str, share: float) -> tuple[float, float, float]:
    """A color on white."""
    rgb = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (1 - share + share * part for part in rgb)
    return red, green, blue


def tile(column: int, row: int, color: tuple[float, float, float]) -> Any:
    """A cell of a matrix."""
    return FancyBboxPatch(
        (column + 0.05, row + 0.07),
        0.9,
        0.86,
        boxstyle="round,pad=0,rounding_size=0.04",
        facecolor=color,
        edgecolor="none",
        mutation_aspect=1.6,
    )


def png(figure: Figure) -> bytes:
    """The figure's bytes, which depend on the numbers alone."""
    FigureCanvasAgg(figure)
    sink = io.BytesIO()
    # Without the name and version of the software, which would make the bytes depend on it.
    figure.savefig(sink, format="png", dpi=DOTS_PER_INCH, facecolor="white", metadata={"Software": None})
    return sink.getvalue()
