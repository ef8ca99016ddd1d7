"""The model's alerts: a list that is paged in the database, one of them, and the list as a file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fraudops.cases.transactions import ALERT
from fraudops.database import Alert, CaseFile, CaseItem, ModelVersion
from fraudops.portfolio.iso import money_text
from fraudops.reports.safe_csv import write_csv
from sqlalchemy import ColumnElement, String, and_, cast, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.asked import is_whole, known, searched

SHOWN = 50
MOST_EXPORTED = 10_000
"""Rows of a file; who needs more narrows the days down."""
DECISIONS = ("review", "block")
_VERSION_DIGITS = 9
_FILTERS = ("portfolio", "first", "last", "decision", "version", "case", "q")
_HEADER = (
    "alert",
    "portfolio",
    "partition",
    "transaction",
    "time",
    "amount",
    "currency",
    "decision",
    "route",
    "score",
    "version",
    "case",
    "reasons",
)


@dataclass(frozen=True)
class Asked:
    """What the address of the list asks for; what nobody knows counts as left out.

    Attributes
    ----------
    first, last
        Days of partitions, ISO; empty: from the first, to the last.
    case
        ``with``, ``without``; empty: either.
    q
        A transaction's id, or an alert's number.
    """

    portfolio: str = ""
    first: str = ""
    last: str = ""
    decision: str = ""
    version: str = ""
    case: str = ""
    q: str = ""
    after: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str], portfolios: Sequence[str]) -> Asked:
        """From the address."""

        def day(name: str) -> str:
            try:
                return date.fromisoformat(values.get(name, "")).isoformat()
            except ValueError:
                return ""

        version = values.get("version", "").strip().lower()
        return cls(
            portfolio=known(values, "portfolio", portfolios),
            first=day("first"),
            last=day("last"),
            decision=known(values, "decision", DECISIONS),
            version=version if _number_of(version) is not None else "",
            case=known(values, "case", ("with", "without")),
            q=searched(values, "q"),
            after=values.get("after", ""),
        )

    @property
    def query(self) -> str:
        """The filters as an address has them, without the page."""
        return urlencode({name: value for name in _FILTERS if (value := getattr(self, name))})

    def conditions(self) -> list[ColumnElement[bool]]:
        """All that an alert must meet."""
        found: list[ColumnElement[bool]] = []
        if self.portfolio:
            found.append(Alert.portfolio == self.portfolio)
        if self.first:
            found.append(Alert.partition_key >= self.first)
        if self.last:
            # Keys of parts of a day begin with the day.
            found.append(Alert.partition_key < (date.fromisoformat(self.last) + timedelta(days=1)).isoformat())
        if self.decision:
            found.append(Alert.decision == self.decision)
        if self.version:
            versions = select(ModelVersion.id).where(ModelVersion.number == _number_of(self.version))
            found.append(Alert.model_id.in_(versions))
        if self.case:
            gathered = exists().where(_is_item_of_alert(), CaseItem.case_id.is_not(None))
            found.append(gathered if self.case == "with" else ~gathered)
        if self.q:
            is_alert = [Alert.id == int(self.q)] if is_whole(self.q) else []
            found.append(or_(Alert.transaction_id == self.q, *is_alert))
        return found

    @property
    def place(self) -> tuple[datetime, int] | None:
        """Where the page begins; None: at the beginning, also where the address makes no sense."""
        value, _, number = self.after.rpartition("~")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (moment, int(number)) if moment.tzinfo is not None and is_whole(number) else None


@dataclass(frozen=True)
class Line:
    """One alert as the list shows it; ``case``: number of its case, in the same portfolio."""

    id: int
    portfolio: str
    partition: str
    transaction_id: str
    event_time: datetime
    amount_minor: int | None
    minor_digits: int
    currency: str
    decision: str
    route: str
    score: float
    version: str
    reasons: tuple[str, ...]
    case: int | None

    @property
    def amount(self) -> str:
        """To read; empty where transactions have none."""
        return "" if self.amount_minor is None else money_text(self.amount_minor, self.minor_digits, self.currency)

    @property
    def case_name(self) -> str:
        """``cards-17``; empty where it is in none."""
        return "" if self.case is None else f"{self.portfolio}-{self.case}"


@dataclass(frozen=True)
class Alerts:
    """A page of the list.

    Attributes
    ----------
    next
        Query of the next page; empty where there is none.
    """

    asked: Asked
    lines: tuple[Line, ...]
    total: int
    next: str
    versions: tuple[str, ...]
    has_alerts: bool


def alerts(archive: Archive, asked: Asked) -> Alerts:
    """The page that was asked for, the newest transaction first."""
    with archive.reading() as session:
        found = _lines(session, asked, SHOWN + 1, after=asked.place)
        total = session.scalar(select(func.count()).select_from(Alert).where(*asked.conditions())) or 0
        numbers = session.scalars(select(ModelVersion.number).distinct().order_by(ModelVersion.number.desc())).all()
        has_alerts = total > 0 or session.scalar(select(Alert.id).limit(1)) is not None
    shown = tuple(found[:SHOWN])
    return Alerts(
        asked=asked,
        lines=shown,
        total=total,
        next=_next(asked, shown[-1]) if len(found) > SHOWN else "",
        versions=tuple(f"v{number}" for number in numbers),
        has_alerts=has_alerts,
    )


def as_csv(archive: Archive, asked: Asked) -> bytes:
    """The newest :data:`MOST_EXPORTED` alerts that were asked for; no cell of it is taken for a formula."""
    with archive.reading() as session:
        lines = _lines(session, asked, MOST_EXPORTED)
    stream = io.StringIO(newline="")
    write_csv(stream, _HEADER, (_row(line) for line in lines))
    return stream.getvalue().encode()


@dataclass(frozen=True)
class Weighed:
    """A reason with what it added to the score, in log-odds; None where that is not known."""

    text: str
    contribution: float | None
    share: float
    """Of the weightiest one, in percent."""


@dataclass(frozen=True)
class Explained:
    """One alert with what explains its score."""

    line: Line
    reasons: tuple[Weighed, ...]
    rest: float | None
    """What everything that is not told added, and where the score began."""
    as_of: datetime
    candidate: str


def explained(archive: Archive, portfolio: str, number: int) -> Explained | None:
    """One alert of a portfolio; None where it has no such alert."""
    with archive.reading() as session:
        query = select(Alert).where(Alert.id == number, Alert.portfolio == portfolio).options(joinedload(Alert.model))
        alert = session.scalar(query)
        if alert is None:
            return None
        cases = _cases(session, [alert.id])
        line = _line(alert, alert.model.version, cases.get(alert.id))
        explanation: Mapping[str, Any] = alert.explanation or {}
        return Explained(
            line=line,
            reasons=tuple(_weighed(line.reasons, explanation)),
            rest=explanation["rest"] + explanation["remainder"] if explanation else None,
            as_of=alert.as_of,
            candidate=alert.model.candidate,
        )


# -- inside -------------------------------------------------------------------------------------------


def _lines(session: Session, asked: Asked, limit: int, *, after: tuple[datetime, int] | None = None) -> list[Line]:
    beyond: list[ColumnElement[bool]] = []
    if after is not None:
        moment, number = after
        beyond = [or_(Alert.event_time < moment, and_(Alert.event_time == moment, Alert.id < number))]
    # First which, then what: a sort carries no reasons.
    ids = session.scalars(
        select(Alert.id)
        .where(*asked.conditions(), *beyond)
        .order_by(Alert.event_time.desc(), Alert.id.desc())
        .limit(limit)
    ).all()
    cases = _cases(session, ids)
    versions: dict[int, str] = {
        model: f"v{number}" for model, number in session.execute(select(ModelVersion.id, ModelVersion.number))
    }
    found = session.scalars(select(Alert).where(Alert.id.in_(ids)).order_by(Alert.event_time.desc(), Alert.id.desc()))
    return [_line(alert, versions[alert.model_id], cases.get(alert.id)) for alert in found]


def _cases(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Alert → number of its case."""
    query = (
        select(CaseItem.reference, CaseFile.number)
        .join(CaseFile, CaseFile.id == CaseItem.case_id)
        .where(CaseItem.kind == ALERT, CaseItem.reference.in_([str(one) for one in ids]))
    )
    return {int(reference): number for reference, number in session.execute(query)}


def _line(alert: Alert, version: str, case: int | None) -> Line:
    return Line(
        id=alert.id,
        portfolio=alert.portfolio,
        partition=alert.partition_key,
        transaction_id=alert.transaction_id,
        event_time=alert.event_time,
        amount_minor=alert.amount_minor,
        minor_digits=alert.minor_digits,
        currency=alert.currency,
        decision=alert.decision,
        route=alert.route,
        score=alert.score,
        version=version,
        reasons=tuple(str(reason) for reason in alert.reasons),
        case=case,
    )


def _row(line: Line) -> tuple[Any, ...]:
    amount = "" if line.amount_minor is None else money_text(line.amount_minor, line.minor_digits, "").replace(",", "")
    return (
        line.id,
        line.portfolio,
        line.partition,
        line.transaction_id,
        line.event_time.astimezone(UTC).isoformat(),
        amount,
        line.currency,
        line.decision,
        line.route,
        line.score,
        line.version,
        line.case_name,
        "; ".join(line.reasons),
    )


def _weighed(reasons: Sequence[str], explanation: Mapping[str, Any]) -> list[Weighed]:
    """Each reason; first those that are none of the score."""
    found = explanation.get("reasons", ())
    largest = max((abs(reason["contribution"]) for reason in found), default=0.0) or 1.0
    told = {reason["text"] for reason in found}
    return [Weighed(reason, None, 0.0) for reason in reasons if reason not in told] + [
        Weighed(reason["text"], reason["contribution"], 100 * abs(reason["contribution"]) / largest) for reason in found
    ]


def _next(asked: Asked, last: Line) -> str:
    after = urlencode({"after": f"{last.event_time.isoformat()}~{last.id}"})
    return "&".join(part for part in (asked.query, after) if part)


def _is_item_of_alert() -> ColumnElement[bool]:
    return and_(
        CaseItem.portfolio == Alert.portfolio, CaseItem.kind == ALERT, CaseItem.reference == cast(Alert.id, String)
    )


def _number_of(version: str) -> int | None:
    return int(version[1:]) if version.startswith("v") and is_whole(version[1:], _VERSION_DIGITS) else None
