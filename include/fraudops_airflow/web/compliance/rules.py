"""Rules in force by date: their numbers, what changes next, which do not run and why, what they found by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from fraudops.portfolio import Compliance, Portfolio
from fraudops.rules import HITS
from fraudops.rules.definition import RuleDefinition
from fraudops.rules.numbers import Number, in_force_on, worded
from fraudops.rules.raised import hits_by_day
from fraudops.rules.registry import in_force

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.definitions import known_rules

SHOWN_PARTITIONS = 30
"""Partitions whose new hits are counted beside each rule."""


@dataclass(frozen=True)
class Change:
    """A number, or a rule, that will be another one from a day on."""

    on: date
    words: str
    source: str


@dataclass(frozen=True)
class Line:
    """One rule: its numbers on the day, what changes next, its new hits by partition."""

    definition: RuleDefinition
    numbers: tuple[Number, ...]
    next: tuple[Change, ...]
    counts: tuple[int, ...]

    @property
    def found(self) -> int:
        """New hits in all partitions that are shown."""
        return sum(self.counts)


@dataclass(frozen=True)
class Silent:
    """A rule that does not run on the day, and why."""

    definition: RuleDefinition
    why: str
    is_off: bool


@dataclass(frozen=True)
class Ruled:
    """One portfolio.

    Attributes
    ----------
    day
        Whose numbers are shown; None where the rules have not run yet and no day was asked for.
    keys
        The newest partitions that the rules ran over.
    all
        How many rules are in force, shown or not.
    """

    portfolio: Portfolio
    compliance: Compliance
    day: date | None
    keys: tuple[str, ...]
    lines: tuple[Line, ...]
    silent: tuple[Silent, ...]
    all: int

    @property
    def totals(self) -> tuple[int, ...]:
        """New hits of the shown rules, by partition."""
        return tuple(sum(line.counts[place] for line in self.lines) for place in range(len(self.keys)))


def ruled(archive: Archive, portfolio: Portfolio, day: date | None, *, severity: str = "", text: str = "") -> Ruled:
    """Everything of one portfolio, as of a day (default: that of the newest partition).

    Parameters
    ----------
    severity, text
        Only rules of this severity; only those in whose title, id, purpose or source the text stands.
    """
    compliance = section_of(portfolio)
    keys = archive.store.keys(HITS, portfolio.name)
    shown = tuple(keys[-SHOWN_PARTITIONS:])
    day = day or newest_day(portfolio, keys)
    if day is None:
        return Ruled(portfolio, compliance, None, (), (), (), 0)
    rules = known_rules()
    running = in_force(rules.values(), day, jurisdiction=compliance.jurisdiction, off=compliance.rules.off)
    chosen = [rule for rule in running if _fits(rule.definition, severity, text)]
    with archive.reading() as session:
        counts = hits_by_day(session, portfolio.name, shown)
    lines = (
        Line(
            rule.definition,
            tuple(in_force_on(rule.definition, day)),
            tuple(changes(rule.definition, day)),
            tuple(counts.get((rule.id, key), 0) for key in shown),
        )
        for rule in chosen
    )
    silent = (
        Silent(rule.definition, why_silent(rule.definition, compliance, day), rule.id in compliance.rules.off)
        for rule in rules.values()
        if rule not in running and _fits(rule.definition, severity, text)
    )
    return Ruled(portfolio, compliance, day, shown, tuple(lines), tuple(silent), len(running))


def section_of(portfolio: Portfolio) -> Compliance:
    """The section ``compliance`` of a portfolio that has one.

    Raises
    ------
    LookupError
        It has none.
    """
    if portfolio.compliance is None:
        raise LookupError(portfolio.name)
    return portfolio.compliance


def newest_day(portfolio: Portfolio, keys: list[str]) -> date | None:
    """Day of the newest partition that the rules ran over."""
    return portfolio.partitioning.start(keys[-1]).date() if keys else None


def changes(definition: RuleDefinition, day: date) -> Iterator[Change]:
    """What is known to change after a day, the next first."""
    found = [
        Change(item.since, f"{name} {worded(item.value, number.currency or number.unit)}", item.source)
        for name, number in definition.numbers.items()
        for item in number.dated
        if item.since > day
    ]
    if definition.to is not None and definition.to >= day:
        found.append(Change(definition.to, "last day in force", definition.source.text))
    yield from sorted(found, key=lambda change: (change.on, change.words))


def why_silent(definition: RuleDefinition, compliance: Compliance, day: date) -> str:
    """Why a rule does not run on a day."""
    if definition.id in compliance.rules.off:
        reason = compliance.rules.reasons.get(definition.id, "").strip()
        return f"switched off: {reason or 'no reason is given (compliance.rules.reasons)'}"
    if definition.jurisdiction not in (compliance.jurisdiction, "any"):
        return f"law of {definition.jurisdiction}; this portfolio's is {compliance.jurisdiction}"
    if definition.since > day:
        return f"in force from {definition.since}"
    return f"was in force until {definition.to}"


def when(since: date, last: date | None, day: date) -> Literal["past", "now", "to come"]:
    """Where a stretch of days lies, seen from a day."""
    if since > day:
        return "to come"
    return "now" if last is None or last >= day else "past"


def _fits(definition: RuleDefinition, severity: str, text: str) -> bool:
    said = f"{definition.id} {definition.title} {definition.purpose} {definition.source.text}".casefold()
    return (not severity or definition.severity == severity) and text.casefold().strip() in said
