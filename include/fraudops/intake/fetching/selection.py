"""Which columns and rows of a database are read, as SQL."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlalchemy import Connection

from fraudops.errors import ContractError
from fraudops.intake.feeds import Feed
from fraudops.intake.fetching.database import quoted, relation, where_of
from fraudops.intake.fetching.kinds import (
    FRACTIONS,
    TIMES,
    WHOLE,
    Described,
    Selected,
    as_text,
    describe,
    selected,
)
from fraudops.portfolio import Column, Role, Source

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True)
class Condition:
    """A part of a ``WHERE``, with its parameters."""

    sql: str = "TRUE"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def and_(self, other: Condition) -> Condition:
        """Both."""
        return Condition(f"{self.sql} AND {other.sql}", {**self.parameters, **other.parameters})


@dataclass(frozen=True)
class Selection:
    """What a feed reads of its table or query."""

    source: Source
    columns: tuple[Selected, ...]
    time: Column
    """The time as this source writes it."""
    time_column: str
    """What the source calls it."""
    time_kind: str
    watermark_kind: str | None
    passed_over: tuple[str, ...]
    """Columns that nobody asked for: they are not read."""

    @property
    def schema(self) -> pa.Schema:
        """Columns of the file."""
        return pa.schema([pa.field(column.name, column.type) for column in self.columns])

    def statement(self, condition: Condition, *, first: str, beside: tuple[str, ...] = ()) -> str:
        """The ``SELECT``: rows in an order that depends on nothing but themselves.

        Parameters
        ----------
        first
            Column (of the source) that they are ordered by before all others.
        beside
            Expressions selected after the columns.
        """
        expressions = [*(column.expression for column in self.columns), *beside]
        # By the columns themselves: a bare name would mean what is selected under it, which may be its text.
        order = dict.fromkeys(f"source.{quoted(name)}" for name in (first, *(column.name for column in self.columns)))
        return (
            f"SELECT {', '.join(expressions)} FROM {relation(self.source)} "
            f"WHERE {condition.sql} ORDER BY {', '.join(order)}"
        )

    def at(self, start: datetime | None, end: datetime | None) -> Condition:
        """Rows from ``start`` on and before ``end``; at the edges perhaps a few more, never one less."""
        column, condition = quoted(self.time_column), Condition()
        if start is not None:
            condition = condition.and_(Condition(f"{column} >= %(start)s", {"start": self._lower(start)}))
        if end is not None:
            condition = condition.and_(Condition(f"{column} < %(end)s", {"end": self._upper(end)}))
        return condition

    def above(self, watermark: str | None) -> Condition:
        """Rows above a watermark (all, where there is none yet), without the overlap."""
        column = quoted(self.source.watermark or "")
        if watermark is None:
            return Condition(f"{column} IS NOT NULL")
        return Condition(f"{column} > {self.mark}", {"mark": watermark})

    def above_with_overlap(self, watermark: str | None) -> Condition:
        """Rows above a watermark, and those that the overlap asks for again."""
        overlap = self.source.overlap
        if watermark is None or overlap is None:
            return self.above(watermark)
        column = quoted(self.source.watermark or "")
        return Condition(f"{column} > {self.mark} - %(overlap)s", {"mark": watermark, "overlap": overlap})

    @property
    def mark_text(self) -> str:
        """Expression: the watermark's value as text, the same in every session."""
        return as_text(quoted(self.source.watermark or ""), self.watermark_kind or "")

    @property
    def mark(self) -> str:
        """Expression: the watermark that was reached, from the parameter ``mark``."""
        if self.watermark_kind == "timestamptz":
            return "(%(mark)s::timestamp AT TIME ZONE 'UTC')"
        return f"%(mark)s::{self.watermark_kind}"

    def _lower(self, moment: datetime) -> Any:
        return _wall_clock(moment, self) if self.time_kind in TIMES else _offset(moment, self.time, -1)

    def _upper(self, moment: datetime) -> Any:
        if self.time_kind not in TIMES:
            return _offset(moment, self.time, +1)
        wall = _wall_clock(moment, self)
        # A time that the clocks show twice counts as the first one: the second lies above it.
        return wall + _repeated(moment, self.time.timezone) if wall.tzinfo is None else wall


def select(connection: Connection, feed: Feed) -> Selection:
    """What of a table or query is read for a feed.

    Raises
    ------
    ContractError
        A column is missing or of a type that cannot be read; the time or the watermark is of none that can be
        compared.
    """
    source, found = feed.source, describe(connection, feed.source)
    time_name = feed.of_role(Role.TIME)[0]
    columns = []
    for field_, wanted in feed.fields.items():
        if wanted in found.kinds and wanted not in found.repeated:
            role = feed.columns[field_].role if field_ in feed.columns else Role.CATEGORY
            columns.append(selected(source, wanted, found.kinds[wanted], role))
        elif wanted in found.repeated or not feed.may_be_missing(field_):
            raise _unusable(source, wanted, found)
    read = {column.name for column in columns}
    time_column = source.calls(time_name)
    return Selection(
        source=source,
        columns=tuple({column.name: column for column in columns}.values()),
        time=feed.columns[time_name],
        time_column=time_column,
        time_kind=_kind_of_time(source, time_column, found.kinds[time_column], feed.columns[time_name]),
        watermark_kind=_kind_of_watermark(source, found),
        passed_over=tuple(name for name in found.kinds if name not in read | feed.ignored | {source.watermark}),
    )


def _kind_of_time(source: Source, name: str, kind: str, column: Column) -> str:
    numeric = kind in WHOLE | FRACTIONS
    if numeric == (column.origin is not None) and (numeric or kind in TIMES):
        return kind
    if numeric:
        what, remedy = f"column {name!r} is a number", "give its origin and unit in the portfolio's YAML"
    elif kind in TIMES:
        what, remedy = f"column {name!r} is a {kind}, not an offset", "take origin and unit out of the YAML"
    else:
        what = f"column {name!r} is a {kind}, which is no time"
        remedy = f"make it one in a query, such as to_timestamp({name}, 'YYYY-MM-DD HH24:MI:SS') AS {name}"
    raise ContractError(what, where=where_of(source), remedy=remedy)


def _kind_of_watermark(source: Source, found: Described) -> str | None:
    name = source.watermark
    if name is None:
        return None
    if name not in found.kinds or name in found.repeated:
        raise _unusable(source, name, found)
    kind = found.kinds[name]
    if kind not in WHOLE | TIMES | {"numeric"}:
        raise ContractError(
            f"watermark {name!r} is a {kind}, which does not order rows by their age",
            where=where_of(source),
            remedy="name a sequence, or the time at which a row was written",
        )
    if source.overlap is not None and (kind in TIMES) != isinstance(source.overlap, timedelta):
        raise ContractError(
            f"watermark {name!r} is a {kind}, and the overlap is {source.overlap}",
            where=where_of(source),
            remedy="give the overlap of a time as a duration such as 15m, that of a sequence as a number",
        )
    return kind


def _unusable(source: Source, wanted: str, found: Described) -> ContractError:
    if wanted in found.repeated:
        return ContractError(
            f"more than one column is called {wanted!r}",
            where=where_of(source),
            remedy="name each differently in the query (AS)",
        )
    close = difflib.get_close_matches(wanted.lower(), [name.lower() for name in found.kinds], n=1)
    like = next((name for name in found.kinds if close and name.lower() == close[0]), None)
    remedy = f"did you mean {like!r}? Say so" if like else "map another one"
    return ContractError(
        f"there is no column {wanted!r}; there are {', '.join(repr(name) for name in list(found.kinds)[:20])}",
        where=where_of(source),
        remedy=f"{remedy} under transactions columns in the portfolio's YAML",
    )


def _wall_clock(moment: datetime, selection: Selection) -> datetime:
    """A moment as the column writes it."""
    if selection.time_kind == "timestamptz":
        return moment
    return moment.astimezone(ZoneInfo(selection.time.timezone)).replace(tzinfo=None, fold=0)


def _repeated(moment: datetime, zone: str) -> timedelta:
    """How much time the clocks show again where the moment is in the second round; else nothing."""
    local = moment.astimezone(ZoneInfo(zone))
    if not local.fold:
        return timedelta(0)
    return (local.replace(fold=0).utcoffset() or timedelta(0)) - (local.utcoffset() or timedelta(0))


def _offset(moment: datetime, time: Column, direction: int) -> float | int:
    """A moment as an offset, moved outwards by what rounding may hide."""
    origin = time.origin or datetime(1970, 1, 1, tzinfo=UTC)
    if time.unit == "month":
        return (moment.year - origin.year) * 12 + moment.month - origin.month + 2 * direction
    return ((moment - origin) / timedelta(seconds=1) + direction * 2e-6) / _SECONDS[time.unit]
