"""The page of one case: everything that explains it, what the person may do with it, and by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from fraudops.cases import CaseView, Personal, read
from fraudops.cases.priority import rank, worths
from fraudops.cases.states import ESCALATED, IN_REVIEW, OPEN, is_closed, spoken
from fraudops.cases.view import AlertView, DispositionView, HitView
from fraudops.errors import ConflictError, ContractError
from fraudops.filings.reading import ClockView, find_clocks
from fraudops.portfolio import Portfolio
from fraudops.portfolio.iso import minor_digits, money_text
from fraudops.rules.numbers import worded

from fraudops_airflow.web.access import OFFICER, Person
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.cases.normal import Comparison, Picture, columns_of, comparisons, picture
from fraudops_airflow.web.cases.queue import workers
from fraudops_airflow.web.cases.sent import Sent
from fraudops_airflow.web.cases.timeline import Line, line_of
from fraudops_airflow.web.definitions import known_clocks, known_rules


@dataclass(frozen=True)
class May:
    """What the person may do with the case as it stands; the library says so again."""

    start: bool
    assign: bool
    escalate: bool
    close: bool
    decide: bool
    reopen: bool

    @classmethod
    def of(cls, view: CaseView, person: Person) -> May:
        """By the case's state and the person's roles."""
        case, is_officer = view.case, person.is_any(OFFICER)
        is_open, is_proposed = not is_closed(case.state), case.proposed_finding is not None
        is_own = is_proposed and str(case.proposed_by).casefold() == person.name.casefold()
        return cls(
            start=case.state == OPEN,
            assign=is_open,
            escalate=is_open and is_officer,
            # Who proposed may think better of it.
            close=case.state in (IN_REVIEW, ESCALATED) and (not is_proposed or is_own),
            decide=is_proposed and is_officer and not is_own,
            reopen=not is_open,
        )


@dataclass(frozen=True)
class Part:
    """What one alert or hit adds to the case's priority, in major units."""

    name: str
    what: str
    severity: str
    loss: float
    worth: float

    @property
    def total(self) -> float:
        """Both."""
        return self.loss + self.worth


@dataclass(frozen=True)
class Found:
    """The hits of one rule, the newest last."""

    rule: HitView
    hits: tuple[HitView, ...]


@dataclass(frozen=True)
class Said:
    """What closing the case said about some of its transactions."""

    finding: str
    by: str
    at: datetime
    handed_over: bool
    transactions: tuple[str, ...]


@dataclass(frozen=True)
class CasePage:
    """One case.

    Attributes
    ----------
    clocks
        For compliance officers; None for everybody else.
    personal
        What was asked for by pressing a button.
    problem, step, typed
        What could not be done, by which form, and what it held.
    MOST_ROWS
        Of a table; the export has all.
    MOST_EXCEPTED
        Transactions that the form for closing offers one by one.
    """

    MOST_ROWS: ClassVar[int] = 100
    MOST_EXCEPTED: ClassVar[int] = 60

    portfolio: Portfolio
    view: CaseView
    may: May
    today: date
    people: tuple[str, ...]
    timeline: tuple[Line, ...]
    alerts: tuple[AlertView, ...]
    rules: tuple[Found, ...]
    picture: Picture | None
    comparisons: tuple[Comparison, ...]
    columns: tuple[str, ...]
    parts: tuple[Part, ...]
    said: tuple[Said, ...]
    clocks: tuple[ClockView, ...] | None
    personal: Personal | None = None
    problem: ContractError | None = None
    step: str = ""
    typed: Sent = field(default_factory=Sent)

    def text(self, step: str, name: str) -> str:
        """What somebody typed into a form that was refused; empty in every other one."""
        return self.typed.text(name) if step == self.step else ""

    @property
    def is_conflict(self) -> bool:
        """Whether it could not be done because somebody was faster."""
        return isinstance(self.problem, ConflictError)

    @property
    def state(self) -> str:
        """In words."""
        return spoken(self.view.case.state)

    def amount(self, row: Mapping[str, Any]) -> str:
        """A transaction's amount, to read."""
        minor = row.get("amount_minor")
        if minor is None:
            return ""
        column = self.portfolio.currency
        currency = (
            str(row.get(self.portfolio.stored_name(column)) or "") if column in self.portfolio.columns else column
        )
        return money_text(minor, self.portfolio.minor_digits, currency or "")

    def seen(self, hit: HitView) -> list[tuple[str, str]]:
        """What a hit saw: names and values, to read."""
        return [self._words(name, value) for name, value in hit.values.items()]

    def compared(self, hit: HitView) -> list[tuple[str, str, str, str]]:
        """The numbers in force on a hit's day: name, value, since when, source."""
        return [
            (
                name.replace("_", " "),
                worded(number["value"], number["unit"]),
                str(number.get("from", "")),
                str(number.get("source", "")),
            )
            for name, number in hit.numbers.items()
        ]

    def money(self, amount: Decimal | None, currency: str) -> str:
        """An alert's amount, to read."""
        return "" if amount is None else f"{amount:,} {currency}".rstrip()

    def _words(self, name: str, value: Any) -> tuple[str, str]:
        if name.endswith("_minor") and self.portfolio.compliance is not None and isinstance(value, int):
            currency = self.portfolio.compliance.currency
            return name.removesuffix("_minor").replace("_", " "), money_text(value, minor_digits(currency), currency)
        if isinstance(value, bool):
            return name.replace("_", " "), "yes" if value else "no"
        return name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def case_page(
    archive: Archive,
    portfolio: Portfolio,
    number: int,
    person: Person,
    *,
    personal: Personal | None = None,
    problem: ContractError | None = None,
    step: str = "",
    typed: Sent | None = None,
) -> CasePage:
    """The page as the person may see it.

    Raises
    ------
    ContractError
        There is no such case.
    """
    now = datetime.now(UTC)
    with archive.reading() as session:
        view = read(archive.workspace, session, portfolio, number, rules=known_rules())
    is_officer = person.is_any(OFFICER)
    if not is_officer:
        view = view.without_escalations()
    return CasePage(
        portfolio=portfolio,
        view=view,
        may=May.of(view, person),
        today=now.date(),
        people=workers(person),
        timeline=tuple(line_of(event) for event in reversed(view.timeline)),
        alerts=tuple(sorted(view.alerts, key=lambda alert: (-rank(alert.severity), -alert.loss, alert.id))),
        rules=tuple(_by_rule(view.hits)),
        picture=picture(portfolio, view),
        comparisons=tuple(comparisons(portfolio, view)),
        columns=tuple(columns_of(portfolio, view)),
        parts=tuple(_parts(portfolio, view)),
        said=tuple(_said(view.dispositions)),
        clocks=_clocks(archive, portfolio, number, now) if is_officer else None,
        personal=personal,
        problem=problem,
        step=step,
        typed=typed or Sent(),
    )


# -- inside -------------------------------------------------------------------------------------------


def _clocks(archive: Archive, portfolio: Portfolio, number: int, now: datetime) -> tuple[ClockView, ...]:
    return tuple(find_clocks(archive.workspace, portfolio, known_clocks(), now, settled=True, case=number))


def _by_rule(hits: Sequence[HitView]) -> list[Found]:
    worst_first = sorted(hits, key=lambda hit: -rank(hit.severity))
    return [
        Found(next(hit for hit in worst_first if hit.rule == rule), tuple(hit for hit in hits if hit.rule == rule))
        for rule in dict.fromkeys(hit.rule for hit in worst_first)
    ]


def _parts(portfolio: Portfolio, view: CaseView) -> list[Part]:
    items: list[AlertView | HitView] = [*view.alerts, *view.hits]
    worth = worths(portfolio.cases, [item.severity for item in items])
    found = []
    for item, part in zip(items, worth, strict=True):
        if isinstance(item, AlertView):
            amount = "" if item.amount is None else f" × {item.amount:,} {item.currency}".rstrip()
            found.append(Part(f"alert {item.id}", f"score {item.score:.3f}{amount}", item.severity, item.loss, part))
        else:
            found.append(Part(f"hit {item.id[:8]}", item.title or item.rule, item.severity, 0.0, part))
    return sorted(found, key=lambda one: -one.total)


def _said(dispositions: Sequence[DispositionView]) -> list[Said]:
    groups: dict[tuple[str, str, datetime, bool], list[str]] = {}
    for one in dispositions:
        groups.setdefault((one.finding, one.by, one.reported_at, one.handed_over), []).append(one.transaction_id)
    return [Said(*key, tuple(ids)) for key, ids in groups.items()]
