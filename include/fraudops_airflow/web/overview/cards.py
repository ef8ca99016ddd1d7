"""What the overview says of each portfolio, put together; no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fraudops.database import Verdict
from fraudops.notices import outbox
from fraudops.notices.lateness import Late, late
from fraudops.portfolio import Portfolio
from fraudops.registry.integrity import AlteredFile, altered_files
from fraudops.registry.shadow import Progress, progress
from sqlalchemy.orm import Session

from fraudops_airflow.web.access import Person
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.attempts import Attempts, Trouble
from fraudops_airflow.web.overview.alerts import Volume, volume
from fraudops_airflow.web.overview.champion import Champion, Watch, champion, watch
from fraudops_airflow.web.overview.notices import NoticeLine, newest
from fraudops_airflow.web.overview.partitions import Partitions, partitions
from fraudops_airflow.web.overview.work import Work, open_cases, work
from fraudops_airflow.web.verdicts import VerdictLine, verdict_line, verdicts

FEW = 6
"""With more portfolios than this one alone is shown whole, and the others in a table."""
SHOWN_NOTICES = 4


@dataclass(frozen=True)
class Card:
    """One portfolio as a whole."""

    portfolio: Portfolio
    partitions: Partitions
    champion: Champion | None
    watch: Watch | None
    """What monitoring saw last; None where nobody has looked."""
    verdict: VerdictLine | None
    verdict_has_report: bool
    shadow: Progress | None
    """The challenger that scores beside the champion."""
    volume: Volume
    work: Work
    counts: outbox.Counts
    notices: tuple[NoticeLine, ...]
    alarms: tuple[AlteredFile, ...]
    """Model files that are not the ones registered."""
    late: Late | None
    """Notices that wait too long for delivery."""
    troubles: tuple[Trouble, ...]
    """What could not be read."""

    @property
    def is_empty(self) -> bool:
        """Nothing has been ingested."""
        return not self.partitions.published


@dataclass(frozen=True)
class Line:
    """One portfolio in the table of many."""

    portfolio: Portfolio
    newest: str | None
    unscored: int
    """Published partitions without a score: pending ones, and history."""
    champion: str | None
    status: str | None
    cases: int
    alarm: bool


@dataclass(frozen=True)
class Overview:
    """The page."""

    cards: tuple[Card, ...]
    lines: tuple[Line, ...]
    """All portfolios, where they are too many to be shown whole; else none."""
    now: datetime

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been ingested anywhere."""
        return all(card.is_empty for card in self.cards) and not any(line.newest for line in self.lines)


def overview(archive: Archive, person: Person, now: datetime, chosen: str | None = None) -> Overview:
    """The portfolios; those with data first.

    Parameters
    ----------
    chosen
        The only portfolio to be shown whole; None: all of them where they are few, else the first.
    """
    portfolios = sorted(archive.portfolios.values(), key=lambda portfolio: portfolio.name)
    with archive.reading() as session:
        lines = _lines(archive, session, portfolios) if len(portfolios) > FEW else []
        if chosen is None and lines:
            chosen = lines[0].portfolio.name
        shown = [portfolio for portfolio in portfolios if chosen in (None, portfolio.name)]
        cards = [_card(archive, session, portfolio, person, now) for portfolio in shown]
    return Overview(tuple(sorted(cards, key=lambda card: card.is_empty)), tuple(lines), now)


# -- inside ---------------------------------------------------------------------------------------------


def _card(archive: Archive, session: Session, portfolio: Portfolio, person: Person, now: datetime) -> Card:
    name, attempts = portfolio.name, Attempts()
    found = partitions(archive, portfolio, attempts, now)
    verdict = session.scalar(verdicts().where(Verdict.portfolio == name).order_by(Verdict.id.desc()).limit(1))
    return Card(
        portfolio=portfolio,
        partitions=found,
        champion=champion(session, name),
        watch=attempts.at("what monitoring saw", lambda: watch(archive, portfolio), None),
        verdict=verdict_line(verdict) if verdict else None,
        verdict_has_report=verdict is not None and archive.has("reports", name, verdict.challenger.run_id),
        shadow=attempts.at("the shadow", lambda: progress(archive.store, session, portfolio), None),
        volume=volume(session, portfolio, found.scored),
        work=work(session, portfolio, person, now),
        counts=outbox.counts(session, name),
        notices=tuple(newest(session, portfolio, person, most=SHOWN_NOTICES, now=now)),
        alarms=tuple(altered_files(session, name)),
        late=late(session, portfolio, now=now),
        troubles=tuple(attempts.troubles),
    )


def _lines(archive: Archive, session: Session, portfolios: Sequence[Portfolio]) -> list[Line]:
    """What is cheap to say of each; alarms first, then those with data."""
    cases = open_cases(session)
    lines = [_line(archive, session, portfolio, cases.get(portfolio.name, 0)) for portfolio in portfolios]
    return sorted(lines, key=lambda line: (not line.alarm, line.newest is None, line.portfolio.name))


def _line(archive: Archive, session: Session, portfolio: Portfolio, cases: int) -> Line:
    attempts, name = Attempts(), portfolio.name
    published, scored = archive.store.keys("transactions", name), archive.store.keys("scores", name)
    in_use = champion(session, name)
    status = attempts.at("status", lambda: _status(archive, portfolio), None)
    alarm = bool(attempts.troubles) or bool(altered_files(session, name)) or late(session, portfolio) is not None
    return Line(
        portfolio=portfolio,
        newest=published[-1] if published else None,
        unscored=len(set(published) - set(scored)),
        champion=in_use.version if in_use else None,
        status=status,
        cases=cases,
        alarm=alarm,
    )


def _status(archive: Archive, portfolio: Portfolio) -> str | None:
    # Imported here: the room brings the libraries that measure.
    from fraudops.monitoring.looks import states

    found = states(archive.workspace, portfolio)
    return found[-1].status if found else None
