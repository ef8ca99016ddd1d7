"""PostgreSQL's types: how each is selected, and what it becomes in a file.

Times and texts come as text and are converted a column at a time: a date that Arrow or Python cannot hold
(``infinity``, 44 BC) costs its row and not the whole read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from fraudops.errors import ContractError
from fraudops.intake.fetching.database import quoted, relation, where_of
from fraudops.portfolio import Role, Source

WHOLE = frozenset({"int2", "int4", "int8"})
FRACTIONS = frozenset({"float4", "float8", "numeric"})
TIMES = frozenset({"timestamp", "timestamptz", "date"})
_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "uuid", "citext", "inet", "cidr", "macaddr"})
_ENUM = "enum"
_AS_NUMBERS = frozenset({Role.NUMBER, Role.AMOUNT, Role.TIME, Role.LABEL, Role.BOOLEAN})


@dataclass(frozen=True)
class Described:
    """The columns of a table or query."""

    kinds: dict[str, str]
    """Name → type, as ``pg_type`` calls it; ``enum`` for one that was made with a list of words."""
    repeated: frozenset[str]
    """Names that more than one column has."""


@dataclass(frozen=True)
class Selected:
    """A column that is read."""

    name: str
    expression: str
    type: pa.DataType

    def array(self, values: Sequence[Any]) -> pa.Array:
        """A batch's values; a time that cannot be held is null, as a missing one."""
        if not pa.types.is_temporal(self.type):
            return pa.array(values, self.type)
        texts = pa.array(values, pa.string())
        plain = pa.date32() if pa.types.is_date(self.type) else pa.timestamp("us")
        try:
            found = texts.cast(plain)
        except pa.ArrowInvalid:
            found = pa.array([_held(text, plain) for text in values], plain)
        return found.cast(pa.int64()).cast(self.type) if getattr(self.type, "tz", None) else found


def describe(connection: Connection, source: Source) -> Described:
    """Names and types of the columns, without reading a row."""
    cursor = connection.exec_driver_sql(f"SELECT * FROM {relation(source)} LIMIT 0", ()).cursor
    columns = [(column[0], column[1]) for column in cursor.description or ()]
    types = connection.exec_driver_sql(
        "SELECT oid, CASE typtype WHEN 'e' THEN 'enum' ELSE typname END AS kind FROM pg_type WHERE oid = ANY(%(oids)s)",
        {"oids": sorted({oid for _, oid in columns})},
    )
    kind_of = {row.oid: row.kind for row in types}
    names = [name for name, _ in columns]
    return Described(
        {name: kind_of.get(oid, "unknown") for name, oid in columns},
        frozenset(name for name in names if names.count(name) > 1),
    )


def selected(source: Source, name: str, kind: str, role: Role) -> Selected:
    """How a column is read.

    Raises
    ------
    ContractError
        It has a type that is no plain value: JSON, bytes, an array.
    """
    column = quoted(name)
    if kind in WHOLE:
        return Selected(name, column, pa.int64())
    if kind in FRACTIONS:
        # An account number kept as numeric must not lose its last digits to a float.
        if kind == "numeric" and role not in _AS_NUMBERS:
            return Selected(name, f"{column}::text", pa.string())
        return Selected(name, f"{column}::float8", pa.float64())
    if kind == "bool":
        return Selected(name, column, pa.bool_())
    if kind == "date":
        return Selected(name, f"{column}::text", pa.date32())
    if kind in TIMES:
        zoned = kind == "timestamptz"
        return Selected(name, as_text(column, kind), pa.timestamp("us", "UTC" if zoned else None))
    if kind in _TEXTS or kind == _ENUM:
        return Selected(name, f"{column}::text", pa.string())
    raise ContractError(
        f"column {name!r} has the type {kind}, which is no plain value",
        where=where_of(source),
        remedy="take what you need of it in a query, as text, number, time or truth"
        + (f", such as {name} ->> 'key' AS {name}_key" if kind in ("json", "jsonb") else ""),
    )


def as_text(column: str, kind: str) -> str:
    """An expression's text, the same whatever the session's settings."""
    return f"({column} AT TIME ZONE 'UTC')::text" if kind == "timestamptz" else f"{column}::text"


def _held(text: str | None, kind: pa.DataType) -> Any:
    try:
        return pa.scalar(text, pa.string()).cast(kind).as_py()
    except pa.ArrowInvalid:
        return None
