"""What a person asked for in a form: read from the address of the page, limited, checked field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Literal

from fraudops.portfolio import Partitioning
from fraudops.portfolio.partitioning import WEEK

LONGEST = 500
"""Signs of one value that are read; no field needs more."""
MOST = 100
"""Values of one field."""

Kind = Literal["day", "month", "text", "lines", "choice", "many", "flag"]


@dataclass(frozen=True)
class Option:
    """Something to choose."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True)
class Field:
    """A field of a form, with what is in it."""

    name: str
    label: str
    kind: Kind
    value: str = ""
    values: tuple[str, ...] = ()
    """Of ``many``: what is chosen."""
    hint: str = ""
    options: tuple[Option, ...] = ()
    required: bool = False
    hour: str | None = None
    """Of a day where partitions are shorter: the hour at which it starts; ``options`` has those there are."""


@dataclass(frozen=True)
class Asked:
    """The values of a form; empty where the page was opened without any."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Asked:
        """From the pairs of an address."""
        found: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            said = found.get(name, ())
            if len(said) < MOST:
                found[name] = (*said, value.strip()[:LONGEST])
        return cls(found)

    def __bool__(self) -> bool:
        return bool(self.values)

    def text(self, name: str, default: str = "") -> str:
        """The first value; the default where the field was not sent at all."""
        return self.values[name][0] if name in self.values else default

    def many(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Every value; the default only where no form was sent: one without a tick sends nothing."""
        return self.values.get(name, () if self else default)

    def flag(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.text(name) in ("true", "on", "1")


@dataclass(frozen=True)
class Asking:
    """A partition that a form asks for; ``problem``: why it is none."""

    key: str | None = None
    problem: str | None = None


def partition(asked: Asked, partitioning: Partitioning, name: str, default: str = "") -> Asking:
    """The partition of a day (and an hour) of a form; a link may give its key."""
    text = asked.text(name, default)
    if not text:
        return Asking()
    try:
        partitioning.start(text)
    except ValueError:
        return _of_day(asked, partitioning, name, text)
    return Asking(text)


def day_field(asked: Asked, partitioning: Partitioning, name: str, label: str, key: str | None, hint: str) -> Field:
    """A day to pick; where partitions are shorter than a day, with the hour."""
    hours = [f"{hour:02d}" for hour in range(0, 24, partitioning.hours)] if partitioning.hours < 24 else []
    if partitioning.hours == WEEK:
        hint = f"{hint} Any day of the week.".strip()
    return Field(
        name,
        label,
        "day",
        value=key[:10] if key else asked.text(name)[:10],
        values=(key[11:13],) if key and hours else (),
        hint=hint,
        options=tuple(Option(hour, f"{hour}:00 UTC") for hour in hours),
        hour=f"{name}_hour" if hours else None,
        required=True,
    )


def _of_day(asked: Asked, partitioning: Partitioning, name: str, text: str) -> Asking:
    hour = asked.text(f"{name}_hour", "00") or "00"
    try:
        moment = datetime.combine(date.fromisoformat(text), time(int(hour[:2])), UTC)
    except ValueError:
        return Asking(problem=f"{text!r} is no day; write it such as {partitioning.example[:10]}.")
    return Asking(partitioning.key_of(moment))
