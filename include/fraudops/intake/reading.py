"""Reads CSV (plain or gzip) and Parquet files batch by batch, each row with its line.

A CSV file's fields are read as text; what they mean is decided later, so that one bad value costs one row and
not the file. What is no row at all is :class:`~fraudops.intake.records.Broken`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv

from fraudops.errors import ConfigurationError, ContractError, FraudopsError
from fraudops.intake import parquet
from fraudops.intake.batches import Batch, filled
from fraudops.intake.feeds import Feed
from fraudops.intake.header import places_of, read_header
from fraudops.intake.opening import open_text
from fraudops.intake.records import Broken, Chunk, Records

_BLOCK = 2 << 20
_PROBE = 1 << 16


@dataclass(frozen=True)
class Fingerprint:
    """Which file it is, by content."""

    sha256: str
    size: int
    modified: int
    """Nanoseconds; a file that changes while it is read is not landed."""
    inode: int
    """Another one: the file was replaced by another of its name."""


def fingerprint(path: Path) -> Fingerprint:
    """Digest and state of a file.

    Raises
    ------
    ContractError
        It is gone, may not be read, is no regular file, or is empty.
    FraudopsError
        It changes while it is looked at.
    """
    with _readable(path):
        if not path.exists():
            raise ContractError("the file is gone", where=str(path), remedy="deliver it again")
        if not path.is_file():
            raise ContractError("not a regular file", where=str(path), remedy="deliver a regular file")
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    if before.st_size == 0:
        raise ContractError(
            "the file is empty, it has not even a header", where=str(path), remedy="ask its sender for it again"
        )
    found = Fingerprint(digest, before.st_size, before.st_mtime_ns, before.st_ino)
    require_unchanged(path, found)
    return found


def require_unchanged(path: Path, before: Fingerprint) -> None:
    """Raise where a file is not the one that was opened; the next try reads it whole."""
    with _readable(path):
        state = path.stat()
    if (state.st_size, state.st_mtime_ns, state.st_ino) != (before.size, before.modified, before.inode):
        raise FraudopsError(
            "the file changed while it was read",
            where=str(path),
            remedy="let the sender finish (write under another name, then rename), then land it again",
        )


def read_batches(path: Path, feed: Feed, notes: list[str]) -> Iterator[Batch]:
    """The rows of a file in the order of its lines, a bounded number at a time.

    Parameters
    ----------
    notes
        Receives sentences about what was passed over, such as columns that nobody asked for.

    Raises
    ------
    ContractError
        The file is not what the portfolio says: unreadable, truncated, of another format, a column missing.
    """
    reader = parquet.read_parquet if feed.source.file_format == "parquet" else _read_csv
    with _readable(path), _well_formed(path):
        yield from reader(path, feed, notes)


def has_columns(path: Path, feed: Feed) -> bool:
    """Whether a file has every column that the feed reads, told from its header alone."""
    try:
        names = column_names(path, feed)
    except ContractError:
        return False
    return all(column in names or feed.may_be_missing(name) for name, column in feed.fields.items())


def column_names(path: Path, feed: Feed) -> list[str]:
    """The names in a file's header, read as the feed says.

    Raises
    ------
    ContractError
        The file cannot be read, or has no header.
    """
    with _readable(path), _well_formed(path):
        if feed.source.file_format == "parquet":
            return parquet.column_names(path)
        with open_text(path, feed, _PROBE) as text:
            return read_header(path, Records(text, feed.source.delimiter, feed.source.quote), feed)


# -- CSV ---------------------------------------------------------------------------------------------------


def _read_csv(path: Path, feed: Feed, notes: list[str]) -> Iterator[Batch]:
    _require_signs(feed)
    with open_text(path, feed, _BLOCK) as text:
        records = Records(text, feed.source.delimiter, feed.source.quote)
        names = read_header(path, records, feed)
        places = places_of(path, names, feed, notes)
        records.expect(len(names))
        try:
            for chunk in records:
                batch = _parse(chunk, feed, names, places, records.open_line)
                yield replace(batch, undecodable=text.undecodable, nul=text.nul)
        except ContractError as error:
            where = f"{path}, after line {records.line - 1}"
            raise ContractError(error.what, where=where, remedy=error.remedy) from None


def _parse(chunk: Chunk, feed: Feed, names: list[str], places: dict[str, int], open_line: int | None) -> Batch:
    rejected: list[tuple[int, int, str]] = []

    def remember(row: pv.InvalidRow) -> str:
        rejected.append((row.number - 1, row.actual_columns, row.text))
        return "skip"

    # A chunk at a time, and not a stream: that one is read ahead by other threads, and what they reject comes early.
    table = _table_of(chunk.data, feed, len(names), remember)
    if table.num_rows + len(rejected) != len(chunk.lines):
        raise pa.ArrowInvalid("rows are counted otherwise")
    broken = [item.with_column(names) for item in chunk.broken]
    for number, actual, text in rejected:
        broken.append(_wrong_count(int(chunk.lines[number]), actual, text, len(names), open_line))
    columns = {name: table.column(place).combine_chunks() for name, place in places.items()}
    lines = np.delete(chunk.lines, [number for number, _, _ in rejected])
    return Batch(filled(columns, feed, table.num_rows), lines, sorted(broken, key=lambda item: item.line))


def _table_of(data: bytes, feed: Feed, width: int, remember: Callable[[pv.InvalidRow], str]) -> pa.Table:
    fields = [f"f{place}" for place in range(width)]
    if not data:
        return pa.table({field: pa.array([], pa.string()) for field in fields})
    return pv.read_csv(
        pa.BufferReader(data),
        # Row numbers are told only when one thread parses.
        read_options=pv.ReadOptions(column_names=fields, block_size=len(data) + 1, use_threads=False),
        parse_options=pv.ParseOptions(
            delimiter=feed.source.delimiter,
            quote_char=feed.source.quote,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=remember,
        ),
        convert_options=pv.ConvertOptions(
            column_types=dict.fromkeys(fields, pa.string()),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )


def _wrong_count(line: int, actual: int, text: str, expected: int, open_line: int | None) -> Broken:
    fields = f"{actual} field{'' if actual == 1 else 's'}"
    end = "; the file ends in this line, which may be cut off" if line == open_line else ""
    return Broken(line, text, f"has {fields}, the header has {expected}{end}")


def _require_signs(feed: Feed) -> None:
    delimiter, quote = feed.source.delimiter, feed.source.quote
    if delimiter == quote or {delimiter, quote} & set("\r\n\0"):
        raise ConfigurationError(
            f"delimiter {delimiter!r} and quote {quote!r} cannot be told apart from each other or from line ends",
            where=f"{feed.portfolio}: {feed.kind}",
            remedy="give two different signs, such as ',' and '\"'",
        )


# -- errors ------------------------------------------------------------------------------------------------


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise ContractError("the file is gone", where=str(path), remedy="deliver it again") from None
    except IsADirectoryError:
        raise ContractError("a folder, not a file", where=str(path), remedy="name a file") from None
    except PermissionError:
        raise ContractError(
            "the file may not be read",
            where=str(path),
            remedy="give the user that runs fraudops the right to read it",
        ) from None


@contextmanager
def _well_formed(path: Path) -> Iterator[None]:
    """Turn what the parsers complain of into sentences; their own messages quote rows, so they are not kept."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        text = str(error)
        if any(word in text.lower() for word in ("parquet", "thrift", "footer")):
            what = "not a Parquet file, or one that is damaged or not written to its end"
            remedy = "deliver it again, or correct the format in the portfolio's YAML"
        else:
            what, remedy = "the file cannot be parsed", "check its format against the portfolio's YAML"
        raise ContractError(what, where=str(path), remedy=remedy) from None
