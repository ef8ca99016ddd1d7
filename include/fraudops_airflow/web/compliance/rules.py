"""What the compliance pages show: rules in force by date, hits by day and rule, one hit with what explains it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from fraudops.portfolio import Portfolio
from fraudops.portfolio.iso import minor_digits, money_text
from fraudops.rules import HITS
from fraudops.rules.definition import RuleDefinition
from fraudops.rules.numbers import Number, in_force_on, worded
from fraudops.rules.reading import Found, stored_hits
from fraudops.rules.registry import Rule, in_force, read_rules
from fraudops.rules.snoozing import Snoozes
from fraudops.settings import Settings

from fraudops_airflow.web.archive import Archive

SHOWN_PARTITIONS = 10
SHOWN_HITS = 100


@dataclass(frozen=True)
class Line:
    """One rule: its numbers on the day, its new hits by partition."""

    definition: RuleDefinition
    numbers: tuple[Number, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Ruled:
    """One portfolio.

    Attributes
    ----------
    day
        Whose numbers are shown; None where the rules have not run yet and no day was asked for.
    keys
        The newest partitions that the rules ran over.
    hits
        New in these, the newest first.
    more
        How many are not shown.
    """

    portfolio: Portfolio
    day: date | None
    keys: tuple[str, ...]
    lines: tuple[Line, ...]
    hits: tuple[Found, ...]
    more: int


@dataclass(frozen=True)
class Explained:
    """One hit with the rule that found it; None where the rule is gone."""

    portfolio: Portfolio
    hit: Found
    definition: RuleDefinition | None

    @property
    def seen(self) -> list[tuple[str, str]]:
        """What was observed: name and value, to read."""
        return [self._words(name, value) for name, value in self.hit.values.items()]

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
            for name, number in self.hit.numbers.items()
        ]


def ruled(archive: Archive, portfolio: Portfolio, day: date | None) -> Ruled:
    """Everything of one portfolio, as of a day (default: that of the newest partition)."""
    keys = archive.store.keys(HITS, portfolio.name)
    shown = keys[-SHOWN_PARTITIONS:]
    # A hit that goes on was new before: some partitions more tell.
    hits = [hit for hit in _hits(archive, portfolio, keys[-3 * SHOWN_PARTITIONS :]) if hit.first in shown]
    if day is None and keys:
        day = portfolio.partitioning.start(keys[-1]).date()
    counts = Counter((hit.rule, hit.first) for hit in hits)
    lines = [
        Line(
            rule.definition,
            tuple(in_force_on(rule.definition, day)),
            tuple(counts[rule.id, key] for key in shown),
        )
        for rule in _in_force(portfolio, day)
        if day is not None
    ]
    newest = tuple(reversed(hits))
    return Ruled(portfolio, day, tuple(shown), tuple(lines), newest[:SHOWN_HITS], max(0, len(newest) - SHOWN_HITS))


def explained(archive: Archive, portfolio: Portfolio, number: str) -> Explained | None:
    """One hit; None where there is none."""
    found = next(
        (hit for hit in _hits(archive, portfolio, archive.store.keys(HITS, portfolio.name)) if hit.id == number), None
    )
    if found is None:
        return None
    rule = read_rules(Settings.from_environment().rules).get(found.rule)
    return Explained(portfolio, found, rule.definition if rule else None)


def _hits(archive: Archive, portfolio: Portfolio, keys: list[str]) -> list[Found]:
    with archive.reading() as session:
        snoozes = Snoozes.read(session, portfolio.name)
    return stored_hits(archive.store, portfolio, keys, snoozes)


def _in_force(portfolio: Portfolio, day: date | None) -> list[Rule]:
    if day is None or portfolio.compliance is None:
        return []
    rules = read_rules(Settings.from_environment().rules).values()
    section = portfolio.compliance
    return in_force(rules, day, jurisdiction=section.jurisdiction, off=section.rules.off)
