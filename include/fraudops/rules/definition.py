"""What a rule's YAML says: what it is for, where it comes from, what to do, and its numbers by date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from fraudops.errors import ConfigurationError
from fraudops.portfolio.document import FAST
from fraudops.portfolio.strict import Strict

Unit = Literal["money", "count", "days", "hours", "minutes", "share", "factor", "score", "list"]
Severity = Literal["info", "low", "medium", "high", "critical"]
Value = int | Decimal | tuple[str, ...]
"""Whole for counts and times, Decimal for money, shares, factors and scores, texts for lists."""

_WHOLE = frozenset({"count", "days", "hours", "minutes"})
_DAY = timedelta(days=1)


class Provenance(Strict):
    """Where a rule or a number comes from."""

    text: Annotated[str, Field(min_length=3)]
    """The law with its article, or "policy of the bank"."""
    url: str | None = None


class Dated(Strict):
    """A number's value from one date on."""

    since: Annotated[date, Field(alias="from")]
    """First day on which it holds."""
    to: date | None = None
    """Last day on which it holds; absent: until the next value, or for ever."""
    value: Any
    source: Annotated[str, Field(min_length=3)]
    """What made it so."""


class NumberDefinition(Strict):
    """One of a rule's numbers: what it means, and what it was when."""

    description: str
    unit: Unit
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """Of an amount of money; other currencies are compared by the day's rate."""
    dated: tuple[Dated, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_coherent(self) -> NumberDefinition:
        if (self.unit == "money") != (self.currency is not None):
            raise ValueError("an amount of money needs its currency, and nothing else has one")
        for earlier, later in pairwise(self.dated):
            if later.since <= earlier.since:
                raise ValueError(f"the values must come in the order of time: {later.since} after {earlier.since}")
            if earlier.to is not None and earlier.to != later.since - _DAY:
                raise ValueError(
                    f"one value ends on {earlier.to}, the next begins on {later.since}: a day must have exactly one"
                )
        for item in self.dated:
            if item.to is not None and item.to < item.since:
                raise ValueError(f"a value ends ({item.to}) before it begins ({item.since})")
            value_of(self.unit, item.value)
        return self

    @property
    def last_day(self) -> date | None:
        """Last day that has a value; None: for ever."""
        return self.dated[-1].to

    def on(self, day: date) -> tuple[Dated, date | None] | None:
        """What holds on a day, and the last day on which it does; None where nothing does."""
        found = None
        for place, item in enumerate(self.dated):
            following = self.dated[place + 1].since - _DAY if place + 1 < len(self.dated) else None
            last = item.to or following
            if item.since <= day and (last is None or day <= last):
                found = item, last
        return found


class Identified(Strict):
    """What has a YAML of its own, of the same name."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,60}$")]


D = TypeVar("D", bound=Identified)


class RuleDefinition(Identified):
    """A rule as its YAML describes it; ``docs/rules.md`` explains each key."""

    title: str
    purpose: Annotated[str, Field(min_length=40)]
    """Plain language: what it looks for, and why."""
    jurisdiction: Literal["US", "EU", "any"]
    severity: Severity
    action: Annotated[str, Field(min_length=10)]
    """What somebody who gets a hit should do."""
    source: Provenance
    since: Annotated[date, Field(alias="from")]
    """First day on which the rule is in force."""
    to: date | None = None
    """Last one; absent: it still is."""
    one_hit: Annotated[str, Field(min_length=10)]
    """What makes it one hit, however many partitions it spans."""
    numbers: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], NumberDefinition] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_its_numbers_on_every_day(self) -> RuleDefinition:
        for name, number in self.numbers.items():
            if number.dated[0].since > self.since:
                raise ValueError(f"numbers.{name}: it has no value from {self.since} to {number.dated[0].since - _DAY}")
            if number.last_day is not None and (self.to is None or number.last_day < self.to):
                raise ValueError(f"numbers.{name}: it has no value after {number.last_day}, but the rule is in force")
        return self

    def in_force(self, day: date) -> bool:
        """Whether the rule holds on a day."""
        return self.since <= day and (self.to is None or day <= self.to)


def value_of(unit: str, value: Any) -> Value:
    """A number as it is calculated with.

    Raises
    ------
    ValueError
        The text is none of this unit.
    """
    if unit == "list":
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise ValueError(f"{value!r} is not a list of texts")
        return tuple(sorted({item.strip() for item in items if item.strip()}))
    if isinstance(value, bool | float):
        raise ValueError(f"{value!r}: write numbers that are not whole in quotation marks, so that they are exact")
    try:
        number = Decimal(str(value).replace("_", ""))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite() or number < 0:
        raise ValueError(f"{value!r} is not a number that is 0 or more")
    if unit == "share" and number > 1:
        raise ValueError(f"a share lies between 0 and 1, got {value!r}")
    if unit not in _WHOLE:
        return number
    if number != number.to_integral_value():
        raise ValueError(f"{value!r} is not a whole number of {unit}")
    return int(number)


def read_definition(path: Path) -> RuleDefinition:
    """Read one rule.

    Raises
    ------
    ConfigurationError
        With every key that is wrong.
    """
    return read_dated(path, RuleDefinition, "docs/rules.md")


def read_dated(path: Path, form: type[D], page: str) -> D:
    """Read a YAML with numbers by date: a rule, or whatever else is named like its file.

    Parameters
    ----------
    page
        The documentation that explains its keys.

    Raises
    ------
    ConfigurationError
        With every key that is wrong.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=FAST)
        found = form.model_validate(content)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"not YAML: {error}", where=path.name) from None
    except ValidationError as error:
        raise ConfigurationError("; ".join(_sentences(error)), where=path.name, remedy=page) from None
    if found.id != path.stem:
        raise ConfigurationError(f"the id is {found.id!r}", where=path.name, remedy="give it the name of its file")
    return found


def _sentences(error: ValidationError) -> Iterator[str]:
    for item in error.errors(include_url=False):
        place = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        yield f"{place}: {item['msg'].removeprefix('Value error, ')}"
