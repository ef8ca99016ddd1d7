"""The queue: what a person asked for, and a page of cases that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from fraudops.cases import CaseSummary, Wanted, find
from fraudops.cases.queue import CLOSED_STATES, OPEN_STATES, ORDERS, Order, Place, Tally, count, place_of, tally
from fraudops.cases.states import STATES
from fraudops.database import CaseFile
from fraudops.portfolio import SEVERITIES
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops_airflow.web.access import INVESTIGATOR, OFFICER, Person
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.asked import CASE_DIGITS, is_whole, known, searched

SHOWN = 50
ME, NOBODY = "me", "nobody"
_STATES: Mapping[str, tuple[str, ...]] = {"": OPEN_STATES, "closed": CLOSED_STATES, "any": ()}
_FILTERS = ("portfolio", "state", "severity", "whose", "late", "proposed", "subject", "q", "sort")


@dataclass(frozen=True)
class Asked:
    """What the address of the queue asks for; what nobody knows counts as left out.

    Attributes
    ----------
    state
        One state, ``closed``, ``any``; empty: what is open.
    whose
        A person, ``me``, ``nobody``; empty: anybody's.
    after
        Where the page before ended, as :func:`written` has it.
    """

    portfolio: str = ""
    state: str = ""
    severity: str = ""
    whose: str = ""
    late: bool = False
    proposed: bool = False
    subject: str = ""
    q: str = ""
    sort: Order = "priority"
    after: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str], portfolios: Sequence[str]) -> Asked:
        """From the address."""

        return cls(
            portfolio=known(values, "portfolio", portfolios),
            state=known(values, "state", (*STATES, *_STATES)),
            severity=known(values, "severity", SEVERITIES),
            whose=searched(values, "whose"),
            late=values.get("late", "") == "1",
            proposed=values.get("proposed", "") == "1",
            subject=searched(values, "subject"),
            q=searched(values, "q"),
            sort=next((order for order in ORDERS if order == values.get("sort")), "priority"),
            after=values.get("after", ""),
        )

    @property
    def query(self) -> str:
        """The filters as an address has them, without the page."""
        found = {name: getattr(self, name) for name in _FILTERS}
        plain = {name: "1" if value is True else value for name, value in found.items() if value}
        if plain.get("sort") == "priority":
            del plain["sort"]
        return urlencode(plain)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the order was asked for."""
        return replace(self, sort="priority", after="") != Asked()

    @property
    def place(self) -> Place | None:
        """Where the page begins; None: at the beginning, also where the address makes no sense."""
        value, _, number = self.after.rpartition("~")
        if not (value and is_whole(number)):
            return None
        try:
            return (float(value) if self.sort == "priority" else value), int(number)
        except ValueError:
            return None

    def wanted(self, person: Person, today: date) -> Wanted:
        """As the library asks the database."""
        return Wanted(
            portfolio=self.portfolio or None,
            states=_STATES.get(self.state, (self.state,)),
            severities=(self.severity,) if self.severity else (),
            assignee=person.name if self.whose == ME else (self.whose or None) if self.whose != NOBODY else None,
            unassigned=self.whose == NOBODY,
            subject=self.subject or None,
            proposed=self.proposed,
            late_on=today if self.late else None,
            text=self.q,
        )


@dataclass(frozen=True)
class Shortcut:
    """A view of the queue that people want often, with how many cases it has."""

    label: str
    asked: Asked
    count: int


@dataclass(frozen=True)
class Queue:
    """A page of the queue.

    Attributes
    ----------
    total
        Cases that answer what was asked.
    next
        Query of the next page; empty where there is none.
    people
        Who may have a case.
    """

    asked: Asked
    cases: tuple[CaseSummary, ...]
    total: int
    next: str
    shortcuts: tuple[Shortcut, ...]
    people: tuple[str, ...]
    titles: Mapping[str, str]
    today: date
    has_cases: bool


def queue(archive: Archive, person: Person, asked: Asked, today: date) -> Queue:
    """The page that was asked for."""
    wanted = asked.wanted(person, today)
    with archive.reading() as session:
        found = find(session, wanted, order=asked.sort, after=asked.place, limit=SHOWN + 1)
        total = count(session, wanted)
        tallied = tally(session, person.name, today, asked.portfolio or None)
        has_cases = total > 0 or session.scalar(select(CaseFile.id).limit(1)) is not None
    shown = tuple(found[:SHOWN])
    return Queue(
        asked=asked,
        cases=shown,
        total=total,
        next=_next(asked, shown) if len(found) > SHOWN else "",
        shortcuts=tuple(_shortcuts(asked, tallied)),
        people=workers(person),
        titles={name: portfolio.title for name, portfolio in archive.portfolios.items()},
        today=today,
        has_cases=has_cases,
    )


def workers(person: Person) -> tuple[str, ...]:
    """Who may work cases, in the order of the file."""
    roles = person.everybody
    return tuple(dict.fromkeys((*roles.holders(INVESTIGATOR), *roles.holders(OFFICER))))


def named(session: Session, text: str, portfolios: Sequence[str]) -> tuple[str, int] | None:
    """The case that a text names in full, such as ``cards-17``, where there is one."""
    portfolio, _, number = text.rpartition("-")
    if portfolio not in portfolios or not is_whole(number, CASE_DIGITS):
        return None
    known = select(CaseFile.id).where(CaseFile.portfolio == portfolio, CaseFile.number == int(number))
    return (portfolio, int(number)) if session.scalar(known) is not None else None


# -- inside -------------------------------------------------------------------------------------------


def _next(asked: Asked, shown: Sequence[CaseSummary]) -> str:
    value, number = place_of(shown[-1], asked.sort)
    # Python writes a float so that the same one is read again.
    return "&".join(part for part in (asked.query, urlencode({"after": f"{value!s}~{number}"})) if part)


def _shortcuts(asked: Asked, tallied: Tally) -> list[Shortcut]:
    plain = Asked(portfolio=asked.portfolio, sort=asked.sort)
    return [
        Shortcut("Open", plain, tallied.open),
        Shortcut("Mine", replace(plain, whose=ME), tallied.mine),
        Shortcut("Nobody's", replace(plain, whose=NOBODY), tallied.unassigned),
        Shortcut("Late", replace(plain, late=True), tallied.late),
        Shortcut("To be decided", replace(plain, proposed=True), tallied.proposed),
    ]
