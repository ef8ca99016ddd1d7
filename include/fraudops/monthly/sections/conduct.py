"""Cases and their deadlines, as counts: whom they are about, or whether one was escalated, is not for this paper.

The rooms that keep cases and deadlines give the counts; while an installation has none, the pack says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from sqlalchemy.orm import Session

from fraudops.monthly.month import Month
from fraudops.monthly.pack import Cell, Grid, Section
from fraudops.portfolio import Portfolio


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
        At the month's end, due or not.
    """

    met: int
    missed: int
    open: int


def counts_of(session: Session, portfolio: Portfolio, month: Month) -> tuple[CaseCounts | None, DeadlineCounts | None]:
    """Counts of a month from the rooms that keep cases and deadlines; None for a room that is not there."""
    cases, deadlines = _statistics("cases"), _statistics("filings")
    return (
        None if cases is None else _of_cases(cases(session, portfolio.name, month.start, month.end)),
        None
        if deadlines is None
        else _of_deadlines(deadlines(session, portfolio, month.start.date(), month.end.date())),
    )


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
            ("open at the end", deadlines.open),
        )
        source = f"Review deadlines that fell due in {month.key}. A missed one stays missed, whatever was done later."
        grids.append(Grid("deadlines", "Review deadlines", ("Deadlines", "Number"), counts, source, widths=(3, 1)))
    return Section("cases", "Cases and review deadlines", grids=tuple(grids))


# -- inside -------------------------------------------------------------------------------------------


def _statistics(room: str) -> Callable[..., Any] | None:
    """A room's function of that name. Looked for, not imported: an installation may do without the room."""
    if find_spec(f"fraudops.{room}") is None:
        return None
    found: Callable[..., Any] = importlib.import_module(f"fraudops.{room}.statistics").statistics
    return found


def _of_cases(found: Any) -> CaseCounts:
    return CaseCounts(found.opened, dict(found.closed), found.open_at_end, found.late_at_end)


def _of_deadlines(found: Iterable[Any]) -> DeadlineCounts:
    """All kinds together."""
    kinds = list(found)
    return DeadlineCounts(*(sum(getattr(kind, name) for kind in kinds) for name in ("met", "missed", "open_at_end")))
