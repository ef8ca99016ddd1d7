"""The queue of cases: which are wanted, in which order, page by page in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from fraudops.cases.states import CLOSED
from fraudops.cases.summaries import CaseSummary, summaries_of
from fraudops.cases.transactions import ALERT
from fraudops.database import Alert, CaseFile, CaseItem
from fraudops.errors import ContractError

Order = Literal["priority", "deadline", "newest"]
Place = tuple[float | str, int]
"""Where a page ends: the last case's value in the order, and its id."""
_NEVER = date.max
_MOST_DIGITS = 9
"""Numbers of cases have no more."""


@dataclass(frozen=True)
class Wanted:
    """Which cases; what is left out holds of every one.

    Attributes
    ----------
    states, severities
        Any of these.
    assignee, unassigned
        Of one person; of nobody.
    subject
        About one customer, account …, as it is stored.
    proposed
        Only what waits for a second pair of eyes.
    late_on
        Only open ones whose review deadline lies before this day.
    text
        What somebody types into a search box: a case's name (``cards-17``) or number, how a subject begins, the id of a
        transaction that raised an alert.
    """

    portfolio: str | None = None
    states: Sequence[str] = ()
    severities: Sequence[str] = ()
    assignee: str | None = None
    unassigned: bool = False
    subject: str | None = None
    proposed: bool = False
    late_on: date | None = None
    text: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """All that a case must meet."""
        found: list[ColumnElement[bool]] = [
            column == value
            for column, value in (
                (CaseFile.portfolio, self.portfolio),
                (CaseFile.assignee, self.assignee),
                (CaseFile.subject, self.subject),
            )
            if value is not None
        ]
        found += [CaseFile.state.in_(self.states)] if self.states else []
        found += [CaseFile.severity.in_(self.severities)] if self.severities else []
        found += [CaseFile.assignee.is_(None)] if self.unassigned else []
        found += [CaseFile.proposed_finding.is_not(None)] if self.proposed else []
        found += [_is_late(self.late_on)] if self.late_on is not None else []
        found += [_means(self.text.strip())] if self.text.strip() else []
        return found


def find(
    session: Session, wanted: Wanted, *, order: Order = "priority", after: Place | None = None, limit: int = 50
) -> list[CaseSummary]:
    """A page of cases.

    Parameters
    ----------
    order
        The highest priority first; the nearest review deadline; what happened last.
    after
        :func:`place_of` the last case of the page before.
    """
    sorting = _SORTINGS[order]
    beyond = [sorting.beyond(after)] if after is not None else []
    query = select(CaseFile).where(*wanted.conditions(), *beyond).order_by(*sorting.columns()).limit(limit)
    return summaries_of(session, session.scalars(query).all())


def place_of(case: CaseSummary, order: Order = "priority") -> Place:
    """What :func:`find` goes on after."""
    return _SORTINGS[order].value(case), case.id


def count(session: Session, wanted: Wanted) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(CaseFile).where(*wanted.conditions())) or 0


@dataclass(frozen=True)
class Tally:
    """What there is to do in a portfolio, or in all."""

    open: int
    mine: int
    unassigned: int
    late: int
    proposed: int


def tally(session: Session, person: str, day: date, portfolio: str | None = None) -> Tally:
    """How many cases are open; of these somebody's, nobody's, late on a day, waiting for a second pair of eyes."""
    counts = [
        func.count(),
        func.count().filter(CaseFile.assignee == person),
        func.count().filter(CaseFile.assignee.is_(None)),
        func.count().filter(_is_late(day)),
        func.count().filter(CaseFile.proposed_finding.is_not(None)),
    ]
    conditions = [CaseFile.portfolio == portfolio] if portfolio is not None else []
    query: Any = select(*counts).select_from(CaseFile).where(CaseFile.closed_at.is_(None), *conditions)
    return Tally(*session.execute(query).one())


# -- inside -------------------------------------------------------------------------------------------


def _is_late(day: date) -> ColumnElement[bool]:
    return and_(CaseFile.closed_at.is_(None), CaseFile.due_on < day)


def _means(text: str) -> ColumnElement[bool]:
    """What a text that somebody typed may stand for."""
    # The alerts first, which an index has, whatever the database believes of the tables' sizes.
    raised = (
        select(Alert.portfolio, cast(Alert.id, String).label("reference"))
        .where(Alert.transaction_id == text)
        .cte("raised")
        .prefix_with("materialized")
    )
    alerts = select(CaseItem.case_id).join(
        raised,
        (CaseItem.portfolio == raised.c.portfolio)
        & (CaseItem.kind == ALERT)
        & (CaseItem.reference == raised.c.reference),
    )
    found = [CaseFile.subject.startswith(text, autoescape=True), CaseFile.id.in_(alerts)]
    portfolio, _, number = text.rpartition("-")
    if number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS:
        named = CaseFile.number == int(number)
        found.append(and_(named, CaseFile.portfolio == portfolio) if portfolio else named)
    return or_(*found)


@dataclass(frozen=True)
class _Sorting:
    """An order: the column, whether the largest comes first, and how a place of it is written."""

    column: Callable[[], Any]
    value: Callable[[CaseSummary], float | str]
    read: Callable[[Any], Any]
    largest_first: bool

    def columns(self) -> tuple[Any, Any]:
        column = self.column()
        return (column.desc(), CaseFile.id.desc()) if self.largest_first else (column, CaseFile.id)

    def beyond(self, after: Place) -> ColumnElement[bool]:
        try:
            value = self.read(after[0])
        except (ValueError, TypeError):
            raise ContractError("there is no such page", remedy="begin with the first one") from None
        column, number = self.column(), after[1]
        if self.largest_first:
            return or_(column < value, and_(column == value, CaseFile.id < number))
        return or_(column > value, and_(column == value, CaseFile.id > number))


_SORTINGS: Mapping[str, _Sorting] = {
    # Among equals the oldest comes first: it has waited longest.
    "priority": _Sorting(lambda: -CaseFile.priority, lambda case: -case.priority, float, largest_first=False),
    "deadline": _Sorting(
        lambda: func.coalesce(CaseFile.due_on, _NEVER),
        lambda case: (case.due_on or _NEVER).isoformat(),
        date.fromisoformat,
        largest_first=False,
    ),
    "newest": _Sorting(
        lambda: CaseFile.opened_as_of,
        lambda case: case.opened_as_of.isoformat(),
        datetime.fromisoformat,
        largest_first=True,
    ),
}
ORDERS: tuple[Order, ...] = ("priority", "deadline", "newest")
OPEN_STATES = ("open", "in_review", "escalated")
CLOSED_STATES = tuple(CLOSED.values())
