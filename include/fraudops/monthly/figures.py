"""The pictures of a pack, drawn from its charts alone."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fraudops.evaluation import drawing
from fraudops.monthly.days import FRAUD, GENUINE, OPEN
from fraudops.monthly.pack import Chart

_MOST_TICKS = 8
_COLORS = {FRAUD: drawing.FRAUD, GENUINE: drawing.GENUINE, OPEN: drawing.LINE}


def draw(chart: Chart) -> bytes:
    """A PNG; its bytes depend on the chart alone."""
    figure = Figure(figsize=(drawing.WIDE, 2.7), layout=drawing.layout())
    axes = figure.subplots()
    drawing.plain(axes)
    places = np.arange(len(chart.keys))
    below = np.zeros(len(chart.keys))
    for number, (name, values) in enumerate(chart.series.items()):
        heights = np.array([value or 0.0 for value in values])
        color = _COLORS.get(name, drawing.MAIN if not number else drawing.OTHERS[(number - 1) % len(drawing.OTHERS)])
        axes.bar(places, heights, bottom=below, width=0.78, color=color, label=name)
        below = below + heights
    _label(axes, chart, places)
    if len(chart.series) > 1:
        figure.legend(loc="outside upper right", ncols=len(chart.series), frameon=False, fontsize=9)
    return drawing.png(figure)


def _label(axes: Axes, chart: Chart, places: np.ndarray) -> None:
    step = max(1, -(-len(places) // _MOST_TICKS))
    axes.set_xticks(places[::step], [chart.keys[place] for place in places[::step]], rotation=20, ha="right")
    axes.set(ylabel=chart.unit, xlim=(-0.6, max(len(places), 1) - 0.4))
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
