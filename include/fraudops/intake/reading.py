"""Reads CSV (plain or gzip) and Parquet files batch by batch, each row with its line.

A CSV file's fields are read as text; what they mean is decided later, so that one bad value costs one row and
not the file. What is no row at all is :class:`~fraudops.intake.records.Broken`.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
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
        rows = _Rows(records, names)
        try:
            for batch in _csv_rows(rows, feed, places):
                yield replace(batch, undecodable=text.undecodable, nul=text.nul)
        except ContractError as error:
            raise ContractError(
                error.what, where=f"{path}, after line {records.line - 1}", remedy=error.remedy
            ) from None


def _csv_rows(rows: _Rows, feed: Feed, places: dict[str, int]) -> Iterator[Batch]:
    fields = [f"f{place}" for place in range(len(rows.names))]
    for table in _parsed(rows, feed, fields):
        lines, broken = rows.place(table.num_rows)
        columns = {name: table.column(place) for name, place in places.items()}
        if table.num_rows or broken:
            yield Batch(filled(columns, feed, table.num_rows), lines, broken)
    _, rest = rows.place(0, to_the_end=True)
    if rest:
        yield Batch(filled({}, feed, 0), np.zeros(0, np.int64), rest)


def _parsed(rows: _Rows, feed: Feed, fields: list[str]) -> Iterator[pa.RecordBatch]:
    if not rows.prepare():
        return
    yield from pv.open_csv(
        pa.PythonFile(rows, mode="r"),
        # Row numbers are told only when one thread parses. A chunk is handed over whole, and its last record with it.
        read_options=pv.ReadOptions(column_names=fields, block_size=1 << 30, use_threads=False),
        parse_options=pv.ParseOptions(
            delimiter=feed.source.delimiter,
            quote_char=feed.source.quote,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=rows.reject,
        ),
        convert_options=pv.ConvertOptions(
            column_types=dict.fromkeys(fields, pa.string()),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )


class _Rows(io.RawIOBase):
    """Records on their way to the parser, which knows only their numbers; and what they are in the file."""

    def __init__(self, records: Records, names: list[str]) -> None:
        super().__init__()
        self.names = names
        self._records = records
        self._chunks = self._named(records)
        self._data = b""
        self._lines: deque[npt.NDArray[np.int64]] = deque()
        self._broken: list[Broken] = []
        self._rejected: list[tuple[int, int, str]] = []
        self._parsed = 0

    def prepare(self) -> bool:
        """Whether there are any records to be parsed."""
        while not self._data and (chunk := next(self._chunks, None)) is not None:
            self._data = chunk.data
            self._lines.append(chunk.lines)
        return bool(self._data)

    def _named(self, records: Records) -> Iterator[Chunk]:
        """The chunks, with the names of the columns at fault."""
        for chunk in records:
            self._broken += [item.with_column(self.names) for item in chunk.broken]
            yield chunk

    def readable(self) -> bool:
        """True: what :class:`pyarrow.PythonFile` wants to know."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next chunk; none at the end."""
        self.prepare()
        taken, self._data = self._data, b""
        return taken

    def reject(self, row: pv.InvalidRow) -> str:
        """Note a record that has not the header's number of fields."""
        self._rejected.append((row.number, row.actual_columns, row.text))
        return "skip"

    def place(self, rows: int, *, to_the_end: bool = False) -> tuple[npt.NDArray[np.int64], list[Broken]]:
        """Lines of the next so many parsed rows, and what is broken among them and before them."""
        rejected = sorted(self._rejected)
        # How many good records lie before each bad one tells whether it belongs to this batch.
        numbers = np.array([number for number, _, _ in rejected], np.int64) - self._parsed - 1
        inside = len(rejected) if to_the_end else int(np.searchsorted(numbers - np.arange(len(numbers)), rows))
        total = rows + inside
        lines = self._take(total)
        bad = numbers[:inside]
        broken = [
            self._wrong_count(int(line), actual, text)
            for line, (_, actual, text) in zip(lines[bad], rejected[:inside], strict=True)
        ]
        self._parsed += total
        self._rejected = rejected[inside:]
        last = int(lines[-1]) if total else 0
        # The parser may be a chunk ahead: a line waits for the rows that it stands among.
        due = [item for item in self._broken if to_the_end or item.line < last]
        self._broken = [item for item in self._broken if not to_the_end and item.line >= last]
        return np.delete(lines, bad), sorted([*broken, *due], key=lambda item: item.line)

    def _take(self, count: int) -> npt.NDArray[np.int64]:
        taken = []
        while count:
            first = self._lines.popleft()
            taken.append(first[:count])
            if len(first) > count:
                self._lines.appendleft(first[count:])
            count -= len(taken[-1])
        return np.concatenate(taken) if taken else np.zeros(0, np.int64)

    def _wrong_count(self, line: int, actual: int, text: str) -> Broken:
        fields = f"{actual} field{'' if actual == 1 else 's'}"
        reason = f"has {fields}, the header has {len(self.names)}"
        if line == self._records.open_line:
            reason += "; the file ends in this line, which may be cut off"
        return Broken(line, text, reason)


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
