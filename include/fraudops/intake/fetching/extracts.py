"""Reads a table or query into files: the rows of partitions, or those above a watermark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from fraudops.errors import ContractError
from fraudops.intake.feeds import Feed
from fraudops.intake.fetching.access import Access
from fraudops.intake.fetching.database import quoted, relation, snapshot, where_of
from fraudops.intake.fetching.parquet import ExtractWriter
from fraudops.intake.fetching.selection import Condition, Selection, select
from fraudops.intake.times import moments
from fraudops.portfolio import Partitioning

_ENDLESS = frozenset({"infinity", "-infinity", "NaN", "Infinity", "-Infinity"})


@dataclass(frozen=True)
class PartitionExtracts:
    """What reading partitions gave."""

    files: list[Path]
    """One for each partition that has rows, named by its key."""
    rows: int
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class NewRows:
    """Rows above a watermark, in a file."""

    file: Path
    rows: int
    """Including those that the overlap asked for again."""
    watermark: str
    """The highest value, as text: where the next reading starts."""
    notes: list[str] = field(default_factory=list)


def extract_partitions(
    feed: Feed, access: Access, folder: Path, first: str | None, last: str | None
) -> PartitionExtracts:
    """Write the rows of each partition into ``<key>.parquet``; the file of an earlier reading is replaced.

    Parameters
    ----------
    folder
        The source's own folder.
    first, last
        The partitions that are wanted, both included.

    Raises
    ------
    ContractError, FraudopsError
        As :func:`~fraudops.intake.fetching.database.snapshot` and
        :func:`~fraudops.intake.fetching.selection.select`.
    """
    cut = feed.partitioning
    start = None if first is None else cut.start(first)
    end = None if last is None else cut.end(last)
    with snapshot(feed.source, access) as connection:
        selection = select(connection, feed)
        notes = _notes(connection, selection)
        condition = selection.at(start, end)
        statement = selection.statement(condition, first=selection.time_column)
        writers = _PartitionWriters(folder, selection, cut, start, end)
        with writers:
            for rows in _batches(connection, statement, condition, feed.source.batch_rows):
                writers.add(_record_batch(selection, zip(*rows, strict=True)))
    return PartitionExtracts(writers.files, writers.rows, notes)


def extract_new(feed: Feed, access: Access, file: Path, watermark: str | None, facts: dict[str, str]) -> NewRows | None:
    """Write the rows above a watermark into a file; None where there is none, and then no file either.

    Parameters
    ----------
    watermark
        The highest value read so far; None: everything is new.
    facts
        Put into the file's footer, with the watermark that it reaches.

    Raises
    ------
    ContractError
        Rows have no watermark, or the highest one lies below that which was read before; or as in
        :func:`extract_partitions`.
    FraudopsError
        As in :func:`extract_partitions`.
    """
    with snapshot(feed.source, access) as connection:
        selection = select(connection, feed)
        _require_watermarks(connection, selection, watermark)
        if not _exists(connection, selection, selection.above(watermark)):
            return None
        condition = selection.above_with_overlap(watermark)
        name = feed.source.watermark or ""
        statement = selection.statement(condition, first=name, beside=(selection.mark_text,))
        highest = ""
        with _writing(file, selection) as writer:
            for rows in _batches(connection, statement, condition, feed.source.batch_rows):
                *columns, marks = zip(*rows, strict=True)
                writer.add(_record_batch(selection, columns))
                highest = str(marks[-1])
            if highest in _ENDLESS:
                raise ContractError(
                    f"the highest value of watermark {name!r} is {highest}: nothing could ever lie above it",
                    where=where_of(feed.source),
                    remedy="correct the row, or leave it out in a query",
                )
            writer.finish({**facts, "rows": str(writer.rows), "reaches": highest})
        return NewRows(file, writer.rows, highest, _notes(connection, selection, of_time=False))


class _PartitionWriters:
    """Cuts rows, which come in the order of time, into the files of their partitions."""

    def __init__(
        self, folder: Path, selection: Selection, cut: Partitioning, start: datetime | None, end: datetime | None
    ) -> None:
        self.files: list[Path] = []
        self.rows = 0
        self._folder, self._selection, self._cut = folder, selection, cut
        self._start, self._end = start, end
        self._open: ExtractWriter | None = None

    def __enter__(self) -> _PartitionWriters:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._open is not None and kind is not None:
            self._open.abandon()
        elif self._open is not None:
            self._finish(self._open)

    def add(self, batch: pa.RecordBatch) -> None:
        """Append rows to their files; those without a time, or outside of what is wanted, are passed over."""
        place = batch.schema.get_field_index(self._selection.time_column)
        times, _ = moments(batch.column(place), self._selection.time)
        times = times.combine_chunks() if isinstance(times, pa.ChunkedArray) else times
        kept = pc.is_valid(times).to_numpy(zero_copy_only=False)
        numbers = self._cut.numbers(pc.fill_null(times.cast(pa.int64()), 0).to_numpy())
        for number in dict.fromkeys(numbers[kept].tolist()):
            moment = self._cut.epoch + number * self._cut.length
            if (self._start is None or moment >= self._start) and (self._end is None or moment < self._end):
                rows = batch.filter(pa.array((numbers == number) & kept))
                self._writer(self._cut.key_of(moment)).add(rows)
                self.rows += rows.num_rows

    def _writer(self, key: str) -> ExtractWriter:
        path = self._folder / f"{key}.parquet"
        if self._open is None or self._open.path != path:
            if self._open is not None:
                self._finish(self._open)
            self._open = ExtractWriter(path, self._selection.schema, self._selection.source.batch_rows)
        return self._open

    def _finish(self, writer: ExtractWriter) -> None:
        self.files.append(writer.finish())
        self._open = None


@contextmanager
def _writing(file: Path, selection: Selection) -> Iterator[ExtractWriter]:
    writer = ExtractWriter(file, selection.schema, selection.source.batch_rows)
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise


def _batches(
    connection: Connection, statement: str, condition: Condition, batch_rows: int
) -> Iterator[Sequence[Sequence[Any]]]:
    """Rows through a cursor on the server, so many at a time."""
    streaming = connection.execution_options(stream_results=True, max_row_buffer=batch_rows)
    result = streaming.exec_driver_sql(statement, dict(condition.parameters))
    yield from result.partitions(batch_rows)


def _record_batch(selection: Selection, columns: Any) -> pa.RecordBatch:
    arrays = [column.array(values) for column, values in zip(selection.columns, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=selection.schema)


def _require_watermarks(connection: Connection, selection: Selection, watermark: str | None) -> None:
    source = selection.source
    name = source.watermark or ""
    without = _count_missing(connection, selection, name)
    if without:
        raise ContractError(
            f"{without} rows have no value in watermark {name!r}: they would never be read",
            where=where_of(source),
            remedy="fill it in and make the column NOT NULL, or put another value in its place in a query (coalesce)",
        )
    above = selection.above(watermark)
    if watermark is None or _exists(connection, selection, above):
        return
    # Nothing new. Is what was read last still there, or has the column gone back?
    column = quoted(name)
    highest = connection.exec_driver_sql(
        f"SELECT max({column}) < {selection.mark} FROM {relation(source)}", dict(above.parameters)
    ).scalar()
    if highest:
        raise ContractError(
            f"the highest value of watermark {name!r} lies below {watermark}, which was read before: the column "
            "went back, so new rows would be missed",
            where=where_of(source),
            remedy="if the table was emptied or restored, have everything read again: fraudops sources reset",
        )


def _exists(connection: Connection, selection: Selection, condition: Condition) -> bool:
    statement = f"SELECT EXISTS (SELECT 1 FROM {relation(selection.source)} WHERE {condition.sql})"
    return bool(connection.exec_driver_sql(statement, dict(condition.parameters)).scalar())


def _count_missing(connection: Connection, selection: Selection, name: str) -> int:
    statement = f"SELECT count(*) FROM {relation(selection.source)} WHERE {quoted(name)} IS NULL"
    return int(connection.exec_driver_sql(statement, {}).scalar() or 0)


def _notes(connection: Connection, selection: Selection, *, of_time: bool = True) -> list[str]:
    found = []
    if selection.passed_over:
        names = ", ".join(repr(name) for name in selection.passed_over[:12])
        found.append(f"{selection.source.name}: passed over columns that the portfolio does not name: {names}")
    without = _count_missing(connection, selection, selection.time_column) if of_time else 0
    if without:
        found.append(
            f"{selection.source.name}: {without} rows have no {selection.time_column!r}, so they belong to no "
            "partition and were not read"
        )
    return found
