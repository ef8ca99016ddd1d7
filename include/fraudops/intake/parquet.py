"""Reads Parquet files batch by batch: the types may be others than last month, the meaning may not.

Amounts may come as text, ids as numbers, times in any unit and zone, texts as numbers of a dictionary. A column of
which no row could be used (a date for an amount, a list for an id) is refused at once, with its name and type.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fraudops.errors import ContractError
from fraudops.intake.batches import Batch, filled
from fraudops.intake.feeds import Feed
from fraudops.intake.header import places_of
from fraudops.intake.opening import UNDECODABLE
from fraudops.intake.values import decoded
from fraudops.portfolio import Column, Role

_ROWS = 131_072
_BYTES = 64 << 20
"""Of a batch, about."""


def column_names(path: Path) -> list[str]:
    """Names of a file's columns."""
    return list(pq.read_schema(str(path)).names)


def read_parquet(path: Path, feed: Feed, notes: list[str]) -> Iterator[Batch]:
    """The rows of a file in their order; a line is the number of a row.

    Raises
    ------
    ContractError
        A column is missing, or holds what no row can be made of.
    """
    with pq.ParquetFile(str(path), pre_buffer=False) as file:
        schema = file.schema_arrow
        places = places_of(path, list(schema.names), feed, notes)
        for name in places:
            _require_type(path, schema.field(feed.fields[name]), feed.columns.get(name))
        wanted = list(dict.fromkeys(feed.fields[name] for name in places))
        line = 1
        for batch in file.iter_batches(batch_size=_rows_at_a_time(file.metadata), columns=wanted):
            plain = {name: _plain(batch.column(name)) for name in wanted}
            columns = {name: plain[feed.fields[name]] for name in places}
            lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
            line += batch.num_rows
            texts = [values for values in plain.values() if pa.types.is_string(values.type)]
            yield Batch(
                filled(columns, feed, batch.num_rows),
                lines,
                undecodable=any(_may_hold(values, UNDECODABLE.encode()) for values in texts),
                nul=any(_may_hold(values, b"\0") for values in texts),
            )


def _rows_at_a_time(metadata: pq.FileMetaData) -> int:
    """So many that wide rows take no more memory than narrow ones."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    widest = max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=1)
    return int(min(_ROWS, max(1, _BYTES // max(1, widest))))


def _require_type(path: Path, field: pa.Field, column: Column | None) -> None:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if _is_fit(kind, column):
        return
    raise ContractError(
        f"column {field.name!r} holds {field.type}, where {_expected(column)} is expected",
        where=str(path),
        remedy="deliver it as that, or correct the column's role in the portfolio's YAML",
    )


def _is_fit(kind: pa.DataType, column: Column | None) -> bool:
    if _is_any(kind, _TEXT, pa.types.is_null):
        return True
    if column is not None and column.role in (Role.AMOUNT, Role.NUMBER):
        return _is_any(kind, _NUMBER)
    if column is not None and column.role is Role.TIME:
        return _is_any(kind, _NUMBER if column.origin is not None else _MOMENT)
    return _is_any(kind, _NUMBER, _MOMENT, pa.types.is_time)


def _expected(column: Column | None) -> str:
    if column is not None and column.role in (Role.AMOUNT, Role.NUMBER):
        return "a number"
    if column is not None and column.role is Role.TIME:
        return "a timestamp (a number needs 'origin' and 'unit' in the YAML)" if column.origin is None else "a number"
    return "a plain value"


def _is_any(kind: pa.DataType, *tests: object) -> bool:
    flat = [test for item in tests for test in (item if isinstance(item, tuple) else (item,))]
    return any(test(kind) for test in flat if callable(test))


_TEXT = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)
_NUMBER = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_MOMENT = (pa.types.is_timestamp, pa.types.is_date)


def _plain(array: pa.Array) -> pa.Array:
    """The values themselves; texts as valid UTF-8, what is none marked."""
    array = decoded(array)
    if not _is_any(array.type, _TEXT):
        return array
    try:
        return pc.cast(pc.cast(array, pa.large_binary()), pa.string())
    except pa.ArrowInvalid:
        texts = pc.cast(array, pa.large_binary()).to_pylist()
        return pa.array([None if t is None else t.decode("utf-8", "fraudops.mark") for t in texts], pa.string())


def _may_hold(values: pa.Array, text: bytes) -> bool:
    data = values.buffers()[2]
    return data is not None and text in memoryview(data).tobytes()
