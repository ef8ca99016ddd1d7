"""Notices as the pages list them: what they tell of, when, and whether they were received.

Nobody sees a body here. The subject of a notice that names a transaction, a hit or a deadline is for those who work
cases; addresses, and what a mail server said (it quotes addresses), for those who answer for something.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from fraudops.database import Notice
from fraudops.portfolio import Portfolio
from fraudops.portfolio.notices import KINDS
from sqlalchemy import select
from sqlalchemy.orm import Session, load_only, selectinload

from fraudops_airflow.web.access import OFFICER, WORKERS, Person

STATES = ("waiting", "sending", "sent", "uncertain", "rejected")
PAGE = 50
_OF_ALERTS = ("immediate", "digest", "historic", "rule_hits", "historic_hits")
_OF_DEADLINES = "clock_warning"
_UNDELIVERED = ("waiting", "sending")
_TONES = {"sent": "good", "waiting": "wait", "sending": "wait", "uncertain": "bad", "rejected": "bad"}


@dataclass(frozen=True)
class Attempt:
    """One try at a delivery; ``detail`` is empty for who may not read what the server said."""

    started_at: datetime
    outcome: str
    accepted: int
    refused: int
    detail: str


@dataclass(frozen=True)
class NoticeLine:
    """A notice in a list.

    Attributes
    ----------
    about
        What its kind tells of.
    subject
        None where the person may not read it.
    recipients
        How many; ``addresses`` is None where the person may not read them.
    late
        Whether it waits longer than the portfolio's ``notices.warn_after``.
    """

    number: int
    portfolio: str
    kind: str
    about: str
    subject: str | None
    state: str
    late: bool
    attempts: int
    queued_at: datetime
    recipients: int
    addresses: tuple[str, ...] | None
    tries: tuple[Attempt, ...] = ()

    @property
    def tone(self) -> str:
        """Class of the state's tag."""
        return "bad" if self.late else _TONES.get(self.state, "")


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None: all."""

    portfolio: str | None = None
    kind: str | None = None
    state: str | None = None
    before: int | None = None
    """Number of the notice above which the list goes on."""


@dataclass(frozen=True)
class NoticePage:
    """Some notices, the newest first; ``older``: where the next page begins, None where there is none."""

    lines: tuple[NoticeLine, ...]
    older: int | None


def newest(session: Session, portfolio: Portfolio, person: Person, *, most: int, now: datetime) -> list[NoticeLine]:
    """The last notices of a portfolio, without their deliveries."""
    query = (
        select(Notice)
        .where(Notice.portfolio == portfolio.name)
        .order_by(Notice.id.desc())
        .limit(most)
        .options(_light())
    )
    return [_line(notice, portfolio, person, now) for notice in session.scalars(query)]


def notice_page(
    session: Session, portfolios: dict[str, Portfolio], person: Person, filters: Filters, now: datetime
) -> NoticePage:
    """One page of notices with their deliveries."""
    query = select(Notice).order_by(Notice.id.desc()).limit(PAGE + 1)
    if filters.portfolio:
        query = query.where(Notice.portfolio == filters.portfolio)
    if filters.kind:
        query = query.where(Notice.kind == filters.kind)
    if filters.state:
        query = query.where(Notice.state == filters.state)
    if filters.before is not None:
        query = query.where(Notice.id < filters.before)
    found = session.scalars(query.options(_light(), selectinload(Notice.deliveries))).all()
    shown = found[:PAGE]
    lines = (_line(notice, portfolios.get(notice.portfolio), person, now, tries=True) for notice in shown)
    return NoticePage(tuple(lines), shown[-1].id if len(found) > PAGE else None)


def kinds() -> dict[str, str]:
    """Kind → what it tells of, in the order of the documentation."""
    return dict(KINDS)


# -- inside ---------------------------------------------------------------------------------------------


def _light() -> Iterable:
    """Without the texts, which are long and not shown."""
    return load_only(
        Notice.portfolio,
        Notice.kind,
        Notice.subject,
        Notice.state,
        Notice.attempts,
        Notice.queued_at,
        Notice.recipients,
    )


def _line(
    notice: Notice, portfolio: Portfolio | None, person: Person, now: datetime, *, tries: bool = False
) -> NoticeLine:
    is_known = bool(person.roles)
    return NoticeLine(
        number=notice.id,
        portfolio=notice.portfolio,
        kind=notice.kind,
        about=KINDS.get(notice.kind, ""),
        subject=notice.subject if _may_read(notice.kind, person) else None,
        state=notice.state,
        late=_is_late(notice, portfolio, now),
        attempts=notice.attempts,
        queued_at=notice.queued_at,
        recipients=len(notice.recipients),
        addresses=tuple(str(address) for address in notice.recipients) if is_known else None,
        tries=tuple(
            Attempt(
                started_at=one.started_at,
                outcome=one.outcome,
                accepted=len(one.accepted),
                refused=len(one.refused),
                detail=one.detail if is_known else "",
            )
            for one in notice.deliveries
        )
        if tries
        else (),
    )


def _may_read(kind: str, person: Person) -> bool:
    if kind == _OF_DEADLINES:
        return person.is_any(OFFICER)
    return person.is_any(*WORKERS) if kind in _OF_ALERTS else True


def _is_late(notice: Notice, portfolio: Portfolio | None, now: datetime) -> bool:
    if portfolio is None or notice.state not in _UNDELIVERED:
        return False
    return notice.queued_at.astimezone(UTC) + portfolio.notices.warn_after <= now
