"""What a clock's YAML says: from which day it counts, how many days, and when people are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fraudops.errors import ConfigurationError
from fraudops.rules.definition import Identified, NumberDefinition, Provenance, Value, read_dated, value_of

Kind = Literal["sar", "sar_continuing", "ctr", "review"]
_NEEDED: dict[str, frozenset[str]] = {
    "sar": frozenset({"days", "days_without_suspect", "kept_for"}),
    "sar_continuing": frozenset({"review_after", "days", "kept_for"}),
    "ctr": frozenset({"days", "kept_for"}),
    "review": frozenset(),
}
WARN = "warn_days_before"


class ClockDefinition(Identified):
    """A clock as its YAML describes it; ``docs/filings.md`` explains each key."""

    title: str
    kind: Kind
    purpose: Annotated[str, Field(min_length=40)]
    """Plain language: from which day it counts, to which."""
    jurisdiction: Literal["US", "EU", "any"]
    source: Provenance
    weekends: Annotated[str, Field(min_length=10)]
    """What becomes of a last day that is no business day."""
    since: Annotated[date, Field(alias="from")]
    """First day on which the clock's numbers are known."""
    numbers: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], NumberDefinition]

    @model_validator(mode="after")
    def _has_its_numbers_on_every_day(self) -> ClockDefinition:
        needed = _NEEDED[self.kind] | {WARN}
        if set(self.numbers) != needed:
            raise ValueError(f"a clock of kind {self.kind} has exactly the numbers {', '.join(sorted(needed))}")
        for name, number in self.numbers.items():
            if number.unit != ("list" if name == WARN else "days"):
                raise ValueError(f"numbers.{name}: its unit is {'list' if name == WARN else 'days'}")
            if number.dated[0].since > self.since or number.last_day is not None:
                raise ValueError(f"numbers.{name}: it needs a value on every day from {self.since} on")
        for item in self.numbers[WARN].dated:
            _whole_days(value_of("list", item.value))
        return self

    def days(self, name: str, day: date) -> int:
        """A number of days as it was in force on a day (before the first: as it was then)."""
        return int(self._value(name, day))  # type: ignore[arg-type]

    def warn_days_before(self, day: date) -> tuple[int, ...]:
        """How many days before the last one people are told; ascending."""
        return _whole_days(self._value(WARN, day))

    def _value(self, name: str, day: date) -> Value:
        number = self.numbers[name]
        found = number.on(max(day, self.since))
        if found is None:  # The validator has made sure of every day.
            raise ConfigurationError(f"{name} has no value on {day}", where=self.id)
        return value_of(number.unit, found[0].value)


@dataclass(frozen=True)
class Clocks:
    """All clocks that there are."""

    definitions: tuple[ClockDefinition, ...]

    def of(self, kind: str, jurisdiction: str) -> ClockDefinition | None:
        """The clock of a kind where a law holds; None where that law has none."""
        for wanted in (jurisdiction, "any"):
            for item in self.definitions:
                if (item.kind, item.jurisdiction) == (kind, wanted):
                    return item
        return None


def read_clocks(folder: Path) -> Clocks:
    """Every clock of a folder.

    Raises
    ------
    ConfigurationError
        A YAML is wrong, or two are about the same.
    """
    found: dict[tuple[str, str], ClockDefinition] = {}
    for path in sorted(folder.glob("*.yaml")):
        item = read_dated(path, ClockDefinition, "docs/filings.md")
        if (item.kind, item.jurisdiction) in found:
            other = found[item.kind, item.jurisdiction].id
            raise ConfigurationError(f"{other} is such a clock already", where=path.name, remedy="take one of them out")
        found[item.kind, item.jurisdiction] = item
    return Clocks(tuple(found.values()))


def _whole_days(value: Value) -> tuple[int, ...]:
    texts = value if isinstance(value, tuple) else ()
    if not texts or not all(text.isdecimal() for text in texts):
        raise ValueError(f'{WARN} is a list of whole days, such as "10, 5, 1, 0"')
    return tuple(sorted(int(text) for text in texts))
