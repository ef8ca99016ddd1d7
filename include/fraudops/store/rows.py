"""Rows as Parquet bytes, and back: all of them, or some of them without unpacking the rest."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_ROW_GROUP = 65_536


@dataclass(frozen=True)
class Among:
    """Rows whose text in a column is one of some."""

    column: str
    values: pa.Array

    def mask(self, column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
        """Which rows they are, by what stands in the column."""
        return pc.is_in(column, value_set=self.values)

    def of(self, table: pa.Table) -> pa.Table:
        """Those rows of a table."""
        return table.filter(self.mask(table[self.column]))

    @property
    def name(self) -> tuple[str, ...]:
        """Equal for equal ones."""
        return (self.column, *self.values.to_pylist())


def parquet_bytes(table: pa.Table) -> bytes:
    """Parquet bytes that depend on the rows and the schema alone (pandas' metadata would name versions)."""
    sink = io.BytesIO()
    plain = table.replace_schema_metadata(None).combine_chunks()
    pq.write_table(plain, sink, row_group_size=_ROW_GROUP, store_schema=True, **_encoding(plain.schema))
    return sink.getvalue()


def _encoding(schema: pa.Schema) -> dict[str, Any]:
    if schema and all(pa.types.is_integer(field.type) for field in schema):
        # Sums by account, of which rules read a hundred partitions a day: differences of what is sorted take a tenth
        # less room than zstd's bytes, and a third of the time to read.
        differences = dict.fromkeys(schema.names, "DELTA_BINARY_PACKED")
        return {"compression": "none", "use_dictionary": False, "column_encoding": differences}
    # Numbers hardly repeat: a dictionary of them takes five times as long to write, and a fifth more room.
    return {
        "compression": "zstd",
        "use_dictionary": [field.name for field in schema if pa.types.is_string(field.type)],
    }


def all_rows(content: bytes, columns: list[str] | None) -> pa.Table:
    """Rows of a Parquet file; ``pq.read_table`` would spend more on finding its way than on a day's rows."""
    table = pq.ParquetFile(pa.BufferReader(content)).read(columns=columns)
    return table.select(columns) if columns else table


def some_rows(content: bytes, columns: list[str] | None, among: Among, repeating: Sequence[str] = ()) -> pa.Table:
    """Some rows of a Parquet file: of one row group after the other, so that the rest is never held at once.

    Parameters
    ----------
    columns
        None: all. They have the column of ``among``.
    repeating
        Columns of few different texts, which are the faster to read where that is known.
    """
    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=list(repeating))
    groups: list[pa.Table] = []
    for number in range(file.num_row_groups):
        mask = among.mask(file.read_row_group(number, columns=[among.column], use_threads=False)[among.column])
        groups += _of_group(file, number, columns, mask)
    return _put_together(groups, columns, pq.ParquetFile(pa.BufferReader(content)).schema_arrow)


@dataclass(frozen=True)
class Column:
    """A column of texts as a Parquet file has it, with what its rows look like: which of them one wants is soon told.

    Attributes
    ----------
    values
        Dictionaries, as long as its rows are.
    schema
        Of the whole file.
    """

    values: pa.ChunkedArray
    schema: pa.Schema

    @classmethod
    def of(cls, content: bytes, name: str) -> Column:
        """Read it."""
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=[name])
        return cls(
            file.read(columns=[name], use_threads=False)[name], pq.ParquetFile(pa.BufferReader(content)).schema_arrow
        )

    def mask(self, among: Among) -> pa.ChunkedArray:
        """Which rows are among some: each different text is looked at once."""
        masks = []
        for chunk in self.values.chunks:
            texts = pc.indices_nonzero(among.mask(chunk.dictionary))
            masks.append(pc.is_in(chunk.indices, value_set=texts.cast(chunk.indices.type)))
        return pa.chunked_array(masks, pa.bool_())

    def rows(
        self, read: Callable[[], bytes], columns: list[str] | None, among: Among, repeating: Sequence[str] = ()
    ) -> pa.Table:
        """The same as :func:`some_rows`; the file is read only where some are there."""
        mask = self.mask(among)
        groups: list[pa.Table] = []
        if pc.any(mask).as_py():
            file, start = pq.ParquetFile(pa.BufferReader(read()), read_dictionary=list(repeating)), 0
            for number in range(file.num_row_groups):
                count = file.metadata.row_group(number).num_rows
                groups += _of_group(file, number, columns, mask.slice(start, count))
                start += count
        return _put_together(groups, columns, self.schema)


def _of_group(
    file: pq.ParquetFile, number: int, columns: list[str] | None, mask: pa.ChunkedArray
) -> Iterator[pa.Table]:
    """Some rows of a row group; where there are none, its other columns stay packed."""
    if pc.any(mask).as_py():
        # Threads gain less over some thousand rows than they cost.
        yield file.read_row_group(number, columns=columns, use_threads=False).filter(mask)


def _put_together(groups: list[pa.Table], columns: list[str] | None, schema: pa.Schema) -> pa.Table:
    chosen = columns or schema.names
    found = pa.concat_tables(groups) if groups else schema.empty_table()
    return found.select(chosen).cast(pa.schema([schema.field(name) for name in chosen]))
