"""The figure of a measure from test window to test window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from fraudops.evaluation import drawing


@dataclass(frozen=True)
class Series:
    """One candidate's values.

    Attributes
    ----------
    starts
        First day of each window, as text.
    values
        One per window.
    intervals
        Low and high of each, or None.
    """

    name: str
    starts: tuple[str, ...]
    values: tuple[float, ...]
    intervals: tuple[tuple[float, float] | None, ...]


def over_windows(series: Sequence[Series], measure: str) -> bytes:
    """Values of several candidates side by side in each window, with their intervals.

    Parameters
    ----------
    measure
        What the axis is called.
    """
    figure, axes = drawing.plain_figure(bottom_legend=len(series))
    starts = sorted({start for one in series for start in one.starts})
    for number, one in enumerate(series):
        color = drawing.line(number)["color"]
        # Beside each other: intervals that cover one another cannot be read.
        aside = (number - (len(series) - 1) / 2) * 0.7 / max(len(series), 1)
        places = [starts.index(start) + aside for start in one.starts]
        for place, interval in zip(places, one.intervals, strict=True):
            if interval is not None:
                axes.vlines(place, *interval, color=color, linewidth=4, alpha=0.28)
        axes.scatter(places, one.values, s=34, color=color, label=one.name, zorder=4)
    axes.set_xticks(range(len(starts)), starts)
    axes.set_xlim(-0.6, len(starts) - 0.4)
    axes.set(xlabel="first day of the test window", ylabel=measure)
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    drawing.legend_below(figure, axes)
    return drawing.png(figure)
