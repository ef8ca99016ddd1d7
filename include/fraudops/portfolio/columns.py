"""Columns: what each one is for, and how its values are written in a file."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from fraudops.portfolio.strict import Strict


class Role(StrEnum):
    """What a column is for."""

    ID = "id"
    """Names a transaction; unique within the portfolio."""
    TIME = "time"
    """When the transaction happened."""
    AMOUNT = "amount"
    """Its value."""
    ENTITY = "entity"
    """Names a customer, a terminal, a merchant, a device: behaviour is measured per entity."""
    CARD = "card"
    """A card number: replaced by a keyed token at ingest, never stored; an entity as well."""
    ACCOUNT = "account"
    """An account number (IBAN or any other): replaced by a keyed token at ingest, never stored; an entity as well."""
    PERSONAL = "personal"
    """A name, an address: kept in the protected area only, never seen by a model."""
    NUMBER = "number"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    LABEL = "label"
    """Fraud or genuine, where the file itself says so."""
    IGNORE = "ignore"
    """Read past: neither stored nor used."""


TOKENS = (Role.CARD, Role.ACCOUNT)
"""Roles whose values are stored as keyed tokens alone."""
ENTITIES = (Role.ENTITY, *TOKENS)
"""Roles that name something which behaves."""
JOINABLE = frozenset({Role.ID, Role.ENTITY, Role.CATEGORY, Role.PERSONAL})
"""Roles whose value may be several fields of the file, joined."""


class TimeParts(Strict):
    """The columns that a moment is put together from; each is named as our column or as the file's.

    A day is ``date``, or ``year`` with one of: ``month`` and ``day``; ``month``, ``week`` (of the month) and
    ``weekday``; ``week`` (ISO, of the year) and ``weekday``; ``month``; ``week``. What is not given is its first:
    the first day of the month, the first second of the hour.
    """

    date: str | None = None
    """A date (``2026-03-05``, or in the column's ``format``)."""
    year: str | None = None
    month: str | None = None
    """Number or English name, in full or its first three letters."""
    day: str | None = None
    week: str | None = None
    """Week of the month (1 to 5: days 1–7, 8–14, …) where ``month`` is given, else the ISO week of the year."""
    weekday: str | None = None
    """English name, in full or its first three letters, or 1 (Monday) to 7."""
    time: str | None = None
    """A time of the day: ``06:21`` or ``06:21:30``."""
    hour: str | None = None
    minute: str | None = None
    second: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Part → name of its column, for those that are given."""
        return self.given

    @model_validator(mode="after")
    def _makes_a_day(self) -> TimeParts:
        given = frozenset(self.columns) & {"date", "year", "month", "day", "week", "weekday"}
        if given not in _DAYS:
            ways = "; ".join(" + ".join(sorted(way, key=_ORDER.index)) for way in sorted(_DAYS, key=len))
            raise ValueError(f"{' + '.join(sorted(given)) or 'nothing'} does not name a day; give one of: {ways}")
        if self.time is not None and (self.hour or self.minute or self.second):
            raise ValueError("give time, or hour, minute and second, not both")
        if (self.minute is not None and self.hour is None) or (self.second is not None and self.minute is None):
            raise ValueError("minute needs hour, and second needs minute")
        return self


_ORDER = ["date", "year", "month", "week", "weekday", "day"]
_DAYS = frozenset(
    {
        frozenset({"date"}),
        frozenset({"year", "month", "day"}),
        frozenset({"year", "month", "week", "weekday"}),
        frozenset({"year", "week", "weekday"}),
        frozenset({"year", "month"}),
        frozenset({"year", "week"}),
    }
)

Unit = Literal["us", "ms", "s", "m", "h", "d", "w", "month"]


class Column(Strict):
    """One column, under the name it has inside fraudops."""

    role: Role
    description: str = ""
    required: bool = False
    """A row without a value is quarantined. Always true for id, time and amount."""
    minimum: float | None = None
    """Smallest value; a smaller one is quarantined (amount, number)."""
    maximum: float | None = None
    entity: str | None = None
    """Name of the entity, for roles ``entity``, ``card`` and ``account`` (default: the column's name without
    ``_id``)."""
    join: tuple[str, ...] = ()
    """The value is made of these columns, joined by ``|``; each is named as our column or as the file's."""
    unit: Unit = "s"
    """Unit of a time given as an offset; ``month`` counts calendar months."""
    origin: datetime | None = None
    """Moment zero of a time given as an offset; absent: the column holds timestamps."""
    timezone: str = "UTC"
    """Zone of timestamps that name none."""
    format: str | None = None
    """How a timestamp is written where it is not ISO 8601, in ``strptime`` codes such as ``%d/%m/%Y %H:%M``."""
    parts: TimeParts | None = None
    """The moment stands in several columns: year, month, day, week, weekday, time of day."""
    rows_per_day: int | None = Field(default=None, ge=1)
    """There is no time: this many rows of a file, in its order, stand for a day that begins at ``origin``."""
    positive: tuple[str, ...] = ("1", "true", "yes", "fraud")
    """Texts that mean fraud (label) or true (boolean), compared without case."""
    negative: tuple[str, ...] = ()
    """Texts that mean genuine (label) or false (boolean); any other one is then quarantined. Empty: for a label
    whatever is not positive, for a boolean the usual words."""

    @field_validator("positive", "negative", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        """YAML reads an unquoted ``1``, ``yes`` or ``no`` as a number or a truth; here they are texts."""
        if isinstance(value, list | tuple):
            return tuple(_as_text(item) for item in value)
        return value

    @field_validator("origin")
    @classmethod
    def _origin_is_aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("give the origin with its zone, such as 2013-09-01T00:00:00+00:00")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("there is no such time zone; write one such as UTC or Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _fits_its_role(self) -> Column:
        if self.join and self.role not in JOINABLE:
            raise ValueError(f"join is for roles {', '.join(sorted(JOINABLE))}, not for {self.role.value}")
        if len(self.join) == 1:
            raise ValueError("join needs two columns or more")
        if self.role is not Role.TIME:
            for name in ("origin", "format", "parts", "rows_per_day"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} is for role time, not for {self.role.value}")
        if self.rows_per_day is not None and (self.origin is None or self.parts or self.format):
            raise ValueError("rows_per_day needs an origin, and neither parts nor format")
        if self.parts is not None and self.origin is not None:
            raise ValueError("a time is made of parts or counted from an origin, not both")
        return self

    @property
    def is_made_of(self) -> tuple[str, ...]:
        """Names of the columns that its value is put together from; empty where it is a column of the file."""
        if self.parts is not None:
            return tuple(dict.fromkeys(self.parts.columns.values()))
        return self.join

    @property
    def is_in_file(self) -> bool:
        """Whether the file has a column for it."""
        return not self.is_made_of and self.rows_per_day is None


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def stored_name(name: str, column: Column) -> str:
    """Name of a column in the store: fixed for id, time, amount and label, ``*_token`` for a card or an account."""
    fixed = {Role.ID: "transaction_id", Role.TIME: "event_time", Role.AMOUNT: "amount", Role.LABEL: "label"}
    if column.role in fixed:
        return fixed[column.role]
    return f"{name.removesuffix('_number')}_token" if column.role in TOKENS else name


def entity_name(name: str, column: Column) -> str:
    """Name of the entity that a column names."""
    return column.entity or name.removesuffix("_id")
