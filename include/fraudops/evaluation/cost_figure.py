"""The figure of what decisions cost, by how many are reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, NullFormatter, NullLocator

from fraudops.evaluation import drawing
from fraudops.evaluation.money import CostCurve


@dataclass(frozen=True)
class Chosen:
    """What a policy did on the transactions of the curve.

    Attributes
    ----------
    flagged
        How many it reviewed or blocked.
    cost, without
        Minor units: of its decisions, and of the cheaper of allowing all and blocking all.
    budget
        How many it pays for.
    days
        That the transactions span.
    """

    flagged: int
    cost: float
    without: float
    budget: int
    days: float


def cost_curve(curve: CostCurve, chosen: Chosen, *, minor_digits: int = 2, currency: str = "") -> bytes:
    """What each review threshold would have cost, by the alerts that it gives; what was chosen is marked.

    It lies beside the curve where more than the score decides.
    """
    figure, axes = drawing.plain_figure()
    unit, days = 10**minor_digits, max(chosen.days, 1e-9)
    alerts, cost = curve.flagged / days, curve.cost / unit
    # Thinned where it is drawn: along a logarithmic axis.
    _, last = np.unique(np.round(np.log10(curve.flagged), 3), return_index=True)
    axes.plot(alerts[last], cost[last], color=drawing.MAIN, linewidth=2)
    axes.set_xscale("log")
    _without(axes, chosen.without / unit)
    axes.axvline(chosen.budget / days, color=drawing.SOFT, linewidth=1, linestyle=(0, (4, 3)))
    best = int(np.argmin(cost))
    hollow: dict[str, Any] = {"s": 46, "facecolor": "white", "edgecolor": drawing.MAIN, "linewidth": 1.5, "zorder": 7}
    solid: dict[str, Any] = {"s": 52, "color": drawing.REVIEW, "edgecolor": "white", "zorder": 8}
    axes.scatter([alerts[best]], [cost[best]], label=f"cheapest in hindsight: {cost[best]:,.0f}", **hollow)
    axes.scatter([chosen.flagged / days], [chosen.cost / unit], label=f"chosen: {chosen.cost / unit:,.0f}", **solid)
    top = 1.45 * max(chosen.without, chosen.cost, 1.0) / unit
    axes.set(xlim=(alerts[0] / 1.5, 1.1 * max(alerts[-1], 2 * alerts[0])), ylim=(0, top))
    axes.set(xlabel="alerts a day; dashed: the budget", ylabel=f"cost{f' in {currency}' if currency else ''}")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    _scores_above(axes, curve, alerts)
    drawing.legend_below(figure, axes)
    return drawing.png(figure)


def _without(axes: Axes, cost: float) -> None:
    """A line at what doing without a model would cost."""
    axes.axhline(cost, color=drawing.SOFT, linewidth=0.9, linestyle=(0, (2, 3)))
    axes.annotate(
        f"without a model {cost:,.0f}",
        (0.99, cost),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        fontsize=8.5,
        color=drawing.SOFT,
        bbox=drawing.HALO,
    )


def _scores_above(axes: Axes, curve: CostCurve, alerts: np.ndarray) -> None:
    """The review thresholds that give the alerts, along the upper edge."""
    places = np.unique(np.searchsorted(alerts, np.geomspace(alerts[0], alerts[-1], 6)).clip(0, len(alerts) - 1))
    upper = axes.secondary_xaxis("top")
    upper.set_xlabel("review threshold: score", fontsize=9.5, color=drawing.SOFT)
    upper.xaxis.set_major_locator(FixedLocator(alerts[places].tolist()))
    upper.xaxis.set_major_formatter(FixedFormatter([drawing.probability(score) for score in curve.scores[places]]))
    upper.xaxis.set_minor_locator(NullLocator())
    upper.tick_params(colors=drawing.SOFT, labelsize=8, length=3)
    upper.spines["top"].set_visible(False)
