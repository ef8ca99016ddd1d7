"""Monthly packs: which months have one, which wait and for what, and one edition with its files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fraudops.database import LedgerEntry
from fraudops.monthly.completeness import REPORTED, subject_of, undone_of
from fraudops.monthly.editions import AREA, CONTENT, PAGE, PAPER, SHEET
from fraudops.monthly.month import Month, folder_of, partitions_of
from fraudops.portfolio import Portfolio
from fraudops.rules import HITS
from fraudops.settings import Settings
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops_airflow.web.archive import Archive

SHOWN_MONTHS = 24
"""The newest months that are listed."""
FILES = {PAPER: "PDF", SHEET: "CSV", CONTENT: "JSON"}
"""What can be taken away, beside the page itself."""


@dataclass(frozen=True)
class Edition:
    """A pack as of a moment.

    Attributes
    ----------
    restated
        Whether it is another one than the month's first.
    number
        Of the ledger's entry.
    """

    folder: str
    month: Month
    as_of: datetime
    restated: bool
    made_at: datetime
    made_by: str
    number: int
    digests: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MonthLine:
    """A month of a portfolio.

    Attributes
    ----------
    counts
        What, and how many of the month's partitions have it.
    """

    month: Month
    state: Literal["complete", "waiting", "running"]
    expected: int
    counts: tuple[tuple[str, int], ...]
    editions: tuple[Edition, ...]


@dataclass(frozen=True)
class Packs:
    """The packs of a portfolio, the newest month first."""

    portfolio: Portfolio
    months: tuple[MonthLine, ...]


@dataclass(frozen=True)
class MonthPage:
    """One month: what it still waits for, the editions there are.

    Attributes
    ----------
    missing
        What, and the partitions that do not have it.
    closely
        Whether it was looked at as the pack itself does: partitions also wait that were done before something changed,
        and those do not that are history or cannot be monitored. That takes seconds.
    """

    portfolio: Portfolio
    line: MonthLine
    missing: tuple[tuple[str, tuple[str, ...]], ...]
    closely: bool


def packs(archive: Archive, portfolio: Portfolio, now: datetime) -> Packs:
    """The newest months, by what is published: names of partitions are read, not their rows."""
    with archive.reading() as session:
        editions = _editions(session, portfolio)
    datasets = _datasets(portfolio)
    keys = {words: archive.store.keys(dataset, portfolio.name) for words, dataset in datasets.items()}
    counts = {words: Counter(_month_of(portfolio, key) for key in found) for words, found in keys.items()}
    months = sorted({*counts["published"], *(edition.month for edition in editions)}, reverse=True)
    return Packs(portfolio, tuple(_line(portfolio, month, counts, editions, now) for month in months[:SHOWN_MONTHS]))


def month_page(archive: Archive, portfolio: Portfolio, month: Month, now: datetime, *, closely: bool) -> MonthPage:
    """A month, and what it waits for."""
    found = packs(archive, portfolio, now)
    expected = partitions_of(portfolio, month)
    blank = MonthLine(month, "waiting", len(expected), (), ())
    line = next((line for line in found.months if line.month == month), blank)
    missing = _undone(archive, portfolio, month) if closely else _absent(archive, portfolio, expected)
    return MonthPage(portfolio, line, tuple((words, keys) for words, keys in missing if keys), closely)


def edition(archive: Archive, portfolio: Portfolio, folder: str) -> tuple[Edition, tuple[Edition, ...]] | None:
    """An edition by its folder, and all editions of its month; None where there is none."""
    with archive.reading() as session:
        found = _editions(session, portfolio)
    one = next((item for item in found if item.folder == folder), None)
    if one is None or not archive.has(AREA, portfolio.name, folder, PAGE):
        return None
    return one, tuple(item for item in found if item.month == one.month)


# -- inside -------------------------------------------------------------------------------------------


def _datasets(portfolio: Portfolio) -> dict[str, str]:
    found = {"published": "transactions", "scored": "scores", "monitored": "monitoring"}
    return found | ({"looked through by the rules": HITS} if portfolio.compliance is not None else {})


def _absent(archive: Archive, portfolio: Portfolio, expected: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    """What of a month is not there, by the names of its partitions alone."""
    found = []
    for words, dataset in _datasets(portfolio).items():
        there = set(archive.store.keys(dataset, portfolio.name))
        found.append((f"not {words}", tuple(key for key in expected if key not in there)))
    return found


def _undone(archive: Archive, portfolio: Portfolio, month: Month) -> list[tuple[str, tuple[str, ...]]]:
    found = undone_of(archive.workspace, portfolio, month, Settings.from_environment().rules)
    return [
        ("not published", found.missing),
        ("not scored", found.unscored),
        ("not monitored", found.unmonitored),
        ("not looked through by the rules", found.unruled),
    ]


def _month_of(portfolio: Portfolio, key: str) -> Month:
    return Month.of(portfolio.partitioning.start(key))


def _line(
    portfolio: Portfolio,
    month: Month,
    counts: dict[str, Counter[Month]],
    editions: list[Edition],
    now: datetime,
) -> MonthLine:
    mine = tuple(item for item in editions if item.month == month)
    over = month.as_of(portfolio.partitioning) <= now
    return MonthLine(
        month=month,
        state="complete" if mine else "waiting" if over else "running",
        expected=len(partitions_of(portfolio, month)),
        counts=tuple((words, found[month]) for words, found in counts.items()),
        editions=mine,
    )


def _editions(session: Session, portfolio: Portfolio) -> list[Edition]:
    """The editions that are entered into the ledger, the newest month and moment first."""
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.portfolio == portfolio.name, LedgerEntry.action == REPORTED)
        .order_by(LedgerEntry.number)
    )
    found: dict[str, Edition] = {}
    prefix = subject_of(portfolio, "")
    for entry in session.scalars(query):
        folder = entry.subject.removeprefix(prefix)
        month = Month.parse(str(entry.details["month"]))
        found.setdefault(
            folder,
            Edition(
                folder=folder,
                month=month,
                as_of=datetime.fromisoformat(str(entry.details["as_of"])).astimezone(UTC),
                restated=folder != folder_of(month, month.as_of(portfolio.partitioning)),
                made_at=entry.at,
                made_by=entry.actor,
                number=entry.number,
                digests=tuple(sorted(dict(entry.details["files"]).items())),
            ),
        )
    return sorted(found.values(), key=lambda item: item.folder, reverse=True)
