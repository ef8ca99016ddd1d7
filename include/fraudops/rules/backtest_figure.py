"""The picture of a backtest: hits a day, by the numbers in force and by others."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fraudops.rules.backtest import Backtest


def draw(found: Backtest, title: str) -> Figure:
    """Bars by partition."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots()
    places = range(len(found.keys))
    if found.instead:
        told = ", ".join(f"{name} = {value}" for name, value in sorted(found.instead.items()))
        axes.bar([p - 0.2 for p in places], found.in_force.by_key(found.keys), 0.4, label="in force", color="#9aa5b1")
        axes.bar([p + 0.2 for p in places], found.tried.by_key(found.keys), 0.4, label=told, color="#1f6feb")
        axes.legend(frameon=False)
    else:
        axes.bar(list(places), found.in_force.by_key(found.keys), 0.7, color="#1f6feb")
    step = max(1, len(found.keys) // 12)
    axes.set_xticks(list(places)[::step], found.keys[::step], rotation=30, ha="right", fontsize=8)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("new hits")
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def save(found: Backtest, title: str, path: Path) -> None:
    """Write the picture; the same backtest gives the same bytes."""
    draw(found, title).savefig(path, dpi=110, metadata={"Software": None})
