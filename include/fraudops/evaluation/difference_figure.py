"""The figure of alerts that would be others: per day, what stays, what is new above it, what is gone below zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from fraudops.evaluation import drawing

_MOST_TICKS = 8


def alerts_by_day(keys: Sequence[str], *, new: Sequence[int], gone: Sequence[int], same: Sequence[int]) -> bytes:
    """Bars of counts for each partition; returns the PNG's bytes.

    Parameters
    ----------
    keys
        Partitions in the order of time. Length n, as the counts.
    """
    figure, axes = drawing.plain_figure(bottom_legend=2)
    places = np.arange(len(keys))
    axes.bar(places, same, width=0.8, color=drawing.GENUINE, label="alerted then and now")
    axes.bar(places, new, bottom=same, width=0.8, color=drawing.MAIN, label="new: alerted now alone")
    axes.bar(places, -np.asarray(gone), width=0.8, color=drawing.REVIEW, label="gone: alerted then alone")
    axes.axhline(0, color=drawing.INK, linewidth=0.8)
    step = max(1, -(-len(keys) // _MOST_TICKS))
    axes.set_xticks(places[::step], [keys[place] for place in places[::step]], rotation=25, ha="right")
    axes.set(xlabel="partition", ylabel="alerts")
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    drawing.legend_below(figure, axes)
    return drawing.png(figure)
