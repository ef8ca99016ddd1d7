"""Cases and their deadlines, as counts: whom they are about, or whether one was escalated, is not for this paper.

The rooms that keep cases and deadlines give the counts; while an installation has none, the pack says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fraudops.monthly.month import Month
from fraudops.monthly.pack import Cell, Grid, Section


@dataclass(frozen=True)
class CaseCounts:
    """What became of a portfolio's cases in a month.

    Attributes
    ----------
    opened
        In the month.
    closed
        Finding → how many were closed with it in the month.
    open_at_end
        Cases that were open when the month ended.
    overdue_at_end
        Those of them whose review deadline had passed.
    """

    opened: int
    closed: Mapping[str, int] = field(default_factory=dict)
    open_at_end: int = 0
    overdue_at_end: int = 0


@dataclass(frozen=True)
class DeadlineCounts:
    """Review deadlines that fell due in a month. Never of which kind: that would say what must not be said.

    Attributes
    ----------
    open
        Not yet due at the month's end.
    """

    met: int
    missed: int
    open: int


def conduct(month: Month, cases: CaseCounts | None, deadlines: DeadlineCounts | None) -> Section:
    """The chapter on cases and review deadlines."""
    if cases is None and deadlines is None:
        return Section("cases", "Cases and review deadlines", ("No cases in this installation.",))
    grids = []
    if cases is not None:
        rows: list[tuple[Cell, ...]] = [
            ("opened", cases.opened),
            *((f"closed as {finding.replace('_', ' ')}", number) for finding, number in sorted(cases.closed.items())),
            ("open at the end", cases.open_at_end),
            ("… past their review deadline", cases.overdue_at_end),
        ]
        grids.append(Grid("cases", "Cases", ("Cases", "Number"), tuple(rows), f"Cases of {month.key}.", widths=(3, 1)))
    if deadlines is not None:
        counts: tuple[tuple[Cell, ...], ...] = (
            ("met", deadlines.met),
            ("missed", deadlines.missed),
            ("not yet due", deadlines.open),
        )
        source = f"Review deadlines that fell due in {month.key}. A missed one stays missed, whatever was done later."
        grids.append(Grid("deadlines", "Review deadlines", ("Deadlines", "Number"), counts, source, widths=(3, 1)))
    return Section("cases", "Cases and review deadlines", grids=tuple(grids))
