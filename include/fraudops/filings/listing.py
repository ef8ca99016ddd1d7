"""Clocks in lists: a page at a time, how many there are of each state and day, what people were told, which drafts
there are. Confidential, like everything of this room: who asks shows them to compliance officers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, selectinload

from fraudops.database import ClockWarning, Filing, FilingDraft, FilingEvent
from fraudops.filings.deadlines import local_day
from fraudops.filings.definition import Clocks
from fraudops.filings.reading import ClockView, clock_views
from fraudops.filings.record import OPEN
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

Shown = Literal["open", "overdue", "settled", "missed", "all"]
SHOWN: tuple[Shown, ...] = ("open", "overdue", "settled", "missed", "all")
Place = tuple[date, int]
"""Where a clock stands in the list: its last day, and its number."""

_SOON = timedelta(days=7)
_AT_ONCE = 100


@dataclass(frozen=True)
class Wanted:
    """Which clocks of a portfolio.

    Attributes
    ----------
    shown
        ``open``: somebody has to do something; ``overdue``: their last day has passed; ``settled``: filed or not
        required; ``missed``: a last day passed without a filing, whatever came later.
    kind
        ``sar``, ``sar_continuing``, ``ctr``; None: all.
    first, last
        Last days, both included.
    """

    shown: Shown = "open"
    kind: str | None = None
    first: date | None = None
    last: date | None = None

    @property
    def newest_first(self) -> bool:
        """What still has to be done comes in the order in which it is due, what is over backwards."""
        return self.shown in ("settled", "missed", "all")


@dataclass(frozen=True)
class Tally:
    """How many clocks there are on a day.

    Attributes
    ----------
    soon
        Due within seven days, today included.
    later
        Due after that.
    drafted
        Those of the three with a draft.
    """

    overdue: int
    soon: int
    later: int
    drafted: int
    filed: int
    not_required: int

    @property
    def open(self) -> int:
        """For how many somebody has to do something."""
        return self.overdue + self.soon + self.later


@dataclass(frozen=True)
class KeptDraft:
    """A version of a draft that is kept."""

    version: int
    as_of: datetime
    by: str
    created_at: datetime
    sha256: str


def page_of_clocks(
    ws: Workspace,
    portfolio: Portfolio,
    clocks: Clocks,
    as_of: datetime,
    wanted: Wanted,
    *,
    after: Place | None = None,
    most: int = 50,
) -> list[ClockView]:
    """Clocks from behind a place on.

    Parameters
    ----------
    as_of
        Which day it is.
    after
        The last one of the page before; None: the first page.
    most
        How many at most.
    """
    found: list[ClockView] = []
    with ws.transaction() as session:
        for batch in _batches(session, _narrowed(portfolio, wanted, as_of), wanted, after, most):
            views = clock_views(session, ws, portfolio, clocks, as_of, batch)
            found += [view for view in views if wanted.shown != "missed" or view.missed_on is not None]
            if len(found) >= most:
                break
    return found[:most]


def tally(session: Session, portfolio: Portfolio, as_of: datetime) -> Tally:
    """How many clocks a portfolio has on a day, by what has become of them."""
    today = local_day(as_of, portfolio.zone)
    is_open = Filing.state.in_(OPEN)
    columns = (
        and_(is_open, Filing.due_on < today),
        and_(is_open, Filing.due_on >= today, Filing.due_on <= today + _SOON),
        and_(is_open, Filing.due_on > today + _SOON),
        Filing.state == "drafted",
        Filing.state == "filed",
        Filing.state == "not_required",
    )
    query = select(*(func.count().filter(column) for column in columns)).where(Filing.portfolio == portfolio.name)
    names = ("overdue", "soon", "later", "drafted", "filed", "not_required")
    return Tally(**dict(zip(names, session.execute(query).one(), strict=True)))


def due_by_day(session: Session, portfolio: str, first: date, last: date) -> Mapping[date, tuple[int, int]]:
    """Last day → how many clocks are open, and how many have ended; days without any are missing."""
    is_open = func.count().filter(Filing.state.in_(OPEN))
    query = (
        select(Filing.due_on, is_open, func.count() - is_open)
        .where(Filing.portfolio == portfolio, Filing.due_on >= first, Filing.due_on <= last)
        .group_by(Filing.due_on)
    )
    return {day: (still, ended) for day, still, ended in session.execute(query)}


def warned(session: Session, portfolio: str, numbers: Sequence[int]) -> Mapping[int, list[tuple[date, str]]]:
    """What people were told of some clocks: number → days on which they were, and at which stage; the newest last."""
    names = {f"filing/{number}": number for number in numbers}
    query = (
        select(ClockWarning.clock, ClockWarning.on, ClockWarning.stage)
        .where(ClockWarning.portfolio == portfolio, ClockWarning.clock.in_(names))
        .order_by(ClockWarning.on)
    )
    found: dict[int, list[tuple[date, str]]] = {}
    for clock, on, stage in session.execute(query):
        found.setdefault(names[clock], []).append((on, stage))
    return found


def drafts_of(session: Session, number: int) -> list[KeptDraft]:
    """The versions of a clock's drafts, the newest first; what they say is not read."""
    query = select(FilingDraft).where(FilingDraft.filing_id == number).order_by(FilingDraft.version.desc())
    return [
        KeptDraft(item.version, item.as_of, item.by, item.created_at, item.sha256) for item in session.scalars(query)
    ]


# -- inside -------------------------------------------------------------------------------------------


def _narrowed(portfolio: Portfolio, wanted: Wanted, as_of: datetime) -> Select[Filing]:
    today = local_day(as_of, portfolio.zone)
    query = select(Filing).where(Filing.portfolio == portfolio.name, _is(wanted.shown, today))
    if wanted.kind is not None:
        query = query.where(Filing.kind == wanted.kind)
    if wanted.first is not None:
        query = query.where(Filing.due_on >= wanted.first)
    if wanted.last is not None:
        query = query.where(Filing.due_on <= wanted.last)
    return query.options(selectinload(Filing.events))


def _is(shown: Shown, today: date) -> ColumnElement[bool]:
    is_open = Filing.state.in_(OPEN)
    over = and_(is_open, Filing.due_on < today)
    if shown == "missed":
        # More than were: a last day that was moved may have passed before; the history tells.
        moved = exists().where(FilingEvent.filing_id == Filing.id, FilingEvent.details.has_key("before"))
        return or_(over, and_(~is_open, Filing.filed_on > Filing.due_on), moved)
    found: dict[str, ColumnElement[bool]] = {"open": is_open, "overdue": over, "settled": ~is_open}
    return found.get(shown, Filing.id.is_not(None))


def _batches(
    session: Session, query: Select[Filing], wanted: Wanted, after: Place | None, most: int
) -> Iterator[Sequence[Filing]]:
    """The clocks in their order, as many at a time as a page needs."""
    columns: tuple[Any, Any] = (Filing.due_on, Filing.id)
    size = max(most, _AT_ONCE) if wanted.shown == "missed" else most
    while True:
        page = query
        if after is not None:
            place = tuple_(*columns)
            page = page.where(place < tuple_(*after) if wanted.newest_first else place > tuple_(*after))
        order = [column.desc() for column in columns] if wanted.newest_first else list(columns)
        found = session.scalars(page.order_by(*order).limit(size)).all()
        if found:
            yield found
        if len(found) < size:
            return
        after = found[-1].due_on, found[-1].id
