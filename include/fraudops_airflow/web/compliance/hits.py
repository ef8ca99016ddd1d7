"""What the rules found: pages of hits out of the database, and one hit with what explains it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fraudops.database import CaseFile, CaseItem, RuleHit
from fraudops.portfolio import Portfolio
from fraudops.portfolio.iso import minor_digits, money_text
from fraudops.rules.definition import RuleDefinition
from fraudops.rules.numbers import worded
from fraudops.rules.raised import Place, Wanted, count_hits, explained_hits, page_of_hits, raised_hit
from fraudops.rules.reading import Found
from fraudops.rules.snoozing import Snoozes
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.definitions import known_rules

PER_PAGE = 40


@dataclass(frozen=True)
class HitLine:
    """One hit of a list.

    Attributes
    ----------
    found
        What its partition says of it; None where retention has removed that.
    definition
        Its rule; None where that is gone.
    case
        Number of the case that it belongs to.
    """

    raised: RuleHit
    found: Found | None
    definition: RuleDefinition | None
    case: int | None


@dataclass(frozen=True)
class HitsPage:
    """A page of hits; ``next``: where the following one begins."""

    lines: tuple[HitLine, ...]
    number: int
    next: Place | None


@dataclass(frozen=True)
class Explained:
    """One hit with the rule that found it."""

    portfolio: Portfolio
    line: HitLine

    @property
    def seen(self) -> list[tuple[str, str]]:
        """What was observed: name and value, to read."""
        return [self._words(name, value) for name, value in self.line.found.values.items()] if self.line.found else []

    def _words(self, name: str, value: Any) -> tuple[str, str]:
        if name.endswith("_minor") and self.portfolio.compliance is not None:
            currency = self.portfolio.compliance.currency
            return name.removesuffix("_minor").replace("_", " "), money_text(value, minor_digits(currency), currency)
        texts = {True: "yes", False: "no"} if isinstance(value, bool) else {}
        words = ", ".join(map(str, value)) if isinstance(value, list) else texts.get(value, str(value))
        return name.replace("_", " "), words

    @property
    def compared(self) -> list[tuple[str, str, str, str]]:
        """Numbers in force: name, value, since when, source."""
        return [
            (
                name.replace("_", " "),
                worded(number["value"], number["unit"]),
                f"since {number['from']}",
                number["source"],
            )
            for name, number in (self.line.found.numbers if self.line.found else {}).items()
        ]


def hits_page(archive: Archive, portfolio: Portfolio, wanted: Wanted, after: Place | None) -> HitsPage:
    """Hits from behind a place on, the newest partition first."""
    with archive.reading() as session:
        raised = page_of_hits(session, portfolio.name, wanted, after=after, most=PER_PAGE + 1)
        number = count_hits(session, portfolio.name, wanted)
        more = len(raised) > PER_PAGE
        lines = _lines(archive, session, portfolio, raised[:PER_PAGE])
    last = lines[-1].raised if more else None
    return HitsPage(tuple(lines), number, (last.partition_key, last.hit_id) if last else None)


def explained(archive: Archive, portfolio: Portfolio, number: str) -> Explained | None:
    """One hit; None where none was raised of this id. The partition that raised it is all that is read."""
    with archive.reading() as session:
        raised = raised_hit(session, portfolio.name, number)
        if raised is None:
            return None
        (line,) = _lines(archive, session, portfolio, [raised])
    return Explained(portfolio, line)


def _lines(archive: Archive, session: Session, portfolio: Portfolio, raised: Iterable[RuleHit]) -> list[HitLine]:
    raised = list(raised)
    found = explained_hits(archive.store, portfolio, raised, Snoozes.read(session, portfolio.name))
    cases = _cases(session, portfolio.name, [hit.hit_id for hit in raised])
    rules = known_rules()
    return [
        HitLine(
            raised=hit,
            found=found.get(hit.hit_id),
            definition=rules[hit.rule].definition if hit.rule in rules else None,
            case=cases.get(hit.hit_id),
        )
        for hit in raised
    ]


def _cases(session: Session, portfolio: str, hits: list[str]) -> dict[str, int]:
    """Hit → number of its case."""
    query = (
        select(CaseItem.reference, CaseFile.number)
        .join(CaseFile, CaseFile.id == CaseItem.case_id)
        .where(CaseItem.portfolio == portfolio, CaseItem.kind == "hit", CaseItem.reference.in_(hits))
    )
    return dict(session.execute(query).all())
