"""The configuration as it is read: portfolios with their defaults filled in, what is wrong with those that cannot be
read, rules, clocks and roles, and when each of them changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from fraudops.database import LedgerEntry
from fraudops.errors import ConfigurationError
from fraudops.filings.definition import ClockDefinition
from fraudops.keeping.configuration import CHANGED
from fraudops.portfolio import Portfolio
from fraudops.portfolio.loading import examine
from fraudops.portfolio.problems import Problem
from fraudops.roles import read_roles
from fraudops.rules.numbers import worded
from fraudops.settings import Settings
from fraudops.store.digests import canonical_json, sha256_of
from sqlalchemy import select

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.definitions import known_clocks

SHOWN_CHANGES = 25
_ADDRESS = re.compile(r"[^\s@,;\[\]'\"]+@[^\s@,;\[\]'\"]+")


@dataclass(frozen=True)
class FileLine:
    """A portfolio's file.

    Attributes
    ----------
    problems
        What is wrong with it, in the order of its lines; its DAGs are not made then.
    """

    name: str
    portfolio: Portfolio | None
    digest: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class ChangeLine:
    """That a configuration was seen to have changed."""

    number: int
    at: datetime
    portfolio: str
    what: str
    changed: tuple[str, ...]
    before: str | None
    after: str


@dataclass(frozen=True)
class ClockLine:
    """A clock with its numbers of a day: name, value, source."""

    definition: ClockDefinition
    numbers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class RuleFile:
    """A rule's file, by its digest."""

    name: str
    digest: str


@dataclass(frozen=True)
class Configuration:
    """Everything of an installation; ``people`` is None for those who are not shown it."""

    files: tuple[FileLine, ...]
    rules: tuple[RuleFile, ...]
    clocks: tuple[ClockLine, ...]
    people: tuple[tuple[str, str], ...] | None
    changes: tuple[ChangeLine, ...]


@dataclass(frozen=True)
class PortfolioPage:
    """One portfolio's configuration.

    Attributes
    ----------
    text
        YAML with every default filled in.
    own
        Top keys of which the file itself says something.
    """

    file: FileLine
    text: str
    own: tuple[str, ...]
    changes: tuple[ChangeLine, ...]


def configuration(archive: Archive, today: date, *, everything: bool) -> Configuration:
    """The installation's files.

    Parameters
    ----------
    everything
        Who has which role is shown as well.
    """
    settings = Settings.from_environment()
    people = read_roles(settings.roles).users if everything else None
    return Configuration(
        files=tuple(_file(path) for path in sorted(settings.portfolios.glob("*.yaml"))),
        rules=tuple(
            RuleFile(path.stem, sha256_of(path.read_bytes())) for path in sorted(settings.rules.glob("*.yaml"))
        ),
        clocks=tuple(_clock(item, today) for item in known_clocks().definitions),
        people=None
        if people is None
        else tuple((name, ", ".join(one.roles).replace("_", " ")) for name, one in sorted(people.items())),
        changes=tuple(_changes(archive, None)),
    )


def portfolio_page(archive: Archive, name: str, *, everything: bool) -> PortfolioPage | None:
    """One portfolio as it is read; None where there is no such file.

    Parameters
    ----------
    everything
        With mail addresses.
    """
    path = next((one for one in Settings.from_environment().portfolios.glob("*.yaml") if one.stem == name), None)
    if path is None:
        return None
    file = _file(path)
    changes = tuple(_changes(archive, name))
    if file.portfolio is None:
        return PortfolioPage(file, "", (), changes)
    content = file.portfolio.model_dump(mode="json", by_alias=True)
    shown = content if everything else _without_addresses(content)
    text = yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=110)
    own = tuple(file.portfolio.model_dump(mode="json", exclude_defaults=True))
    return PortfolioPage(file, text, own, changes)


# -- inside -------------------------------------------------------------------------------------------


def _rule(path: Path) -> RuleFile:
    return RuleFile(path.stem, sha256_of(path.read_bytes()))


def _file(path: Path) -> FileLine:
    digest = sha256_of(path.read_bytes())
    try:
        found = examine(path)
    except ConfigurationError as error:
        return FileLine(path.stem, None, digest, (Problem((), error.what, remedy=error.remedy),))
    problems = tuple(sorted(found.problems, key=lambda problem: problem.line or 0))
    if found.portfolio is not None:
        digest = _digest(found.portfolio)
    return FileLine(path.stem, found.portfolio, digest, problems)


def _digest(portfolio: Portfolio) -> str:
    """The digest that the ledger has of the same content."""
    content = portfolio.model_dump(mode="json", exclude_defaults=True)
    return sha256_of(canonical_json({name: sha256_of(canonical_json(value)) for name, value in content.items()}))


def _clock(definition: ClockDefinition, today: date) -> ClockLine:
    found = []
    for name, number in definition.numbers.items():
        value = number.on(max(today, definition.since))
        if value is not None:
            found.append((name.replace("_", " "), worded(value[0].value, number.unit), value[0].source))
    return ClockLine(definition, tuple(found))


def _changes(archive: Archive, portfolio: str | None) -> list[ChangeLine]:
    query = select(LedgerEntry).where(LedgerEntry.action == CHANGED)
    if portfolio is not None:
        query = query.where(LedgerEntry.portfolio == portfolio)
    with archive.reading() as session:
        found = session.scalars(query.order_by(LedgerEntry.number.desc()).limit(SHOWN_CHANGES))
        return [
            ChangeLine(
                number=entry.number,
                at=entry.at,
                portfolio=entry.portfolio,
                what=entry.subject.rpartition("/")[2],
                changed=tuple(entry.details["changed"]),
                before=entry.details["before"],
                after=str(entry.details["after"]),
            )
            for entry in found
        ]


def _without_addresses(content: Any) -> Any:
    """The same with mail addresses blacked out but for their domains."""
    hidden: Mapping[type, Callable[[Any], Any]] = {
        dict: lambda value: {_hidden(str(name)): _without_addresses(item) for name, item in value.items()},
        list: lambda value: [_without_addresses(item) for item in value],
        str: _hidden,
    }
    return hidden.get(type(content), lambda value: value)(content)


def _hidden(text: str) -> str:
    return _ADDRESS.sub(lambda found: "…@" + found[0].rpartition("@")[2], text)
