"""Reads CSV (plain or gzip) and Parquet files batch by batch, each row with its line.

A CSV file's fields are read as text; what they mean is decided later, so that one bad value costs one row and
not the file. Bytes that are not in the file's encoding become :data:`UNDECODABLE`, which costs their row too.

Line numbers count the file's lines: a quoted field that holds line breaks and blank lines are allowed for.
(Files whose lines end in a carriage return alone are read too; there the number counts records.)
"""

from __future__ import annotations

import codecs
import csv
import difflib
import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from fraudops.errors import ConfigurationError, ContractError, FraudopsError
from fraudops.intake.feeds import Feed
from fraudops.intake.masking import mask_card_numbers
from fraudops.intake.pace import Pace

UNDECODABLE = "\ufdd0"
"""A code point that Unicode promises never to assign; stands for bytes that are no text."""

_BLOCK = 8 << 20
_ROWS = 131_072
_LONGEST_HEADER = 4 << 20
_SHOWN = 12


@dataclass(frozen=True)
class Broken:
    """A line that has not the header's number of fields."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, by :attr:`Feed.fields`: text from CSV, the file's own types from Parquet."""

    columns: dict[str, pa.Array]
    lines: npt.NDArray[np.int64]
    broken: list[Broken]
    undecodable: bool = False
    """Whether :data:`UNDECODABLE` may stand in a value."""


@dataclass(frozen=True)
class Fingerprint:
    """Which file it is, by content."""

    sha256: str
    size: int
    modified: int
    """Nanoseconds; a file that changes while it is read is not landed."""


def fingerprint(path: Path) -> Fingerprint:
    """Digest and state of a file.

    Raises
    ------
    ContractError
        It is gone, may not be read, is no regular file, or is empty.
    """
    with _readable(path):
        if not path.exists():
            raise ContractError("the file is gone", where=str(path), remedy="deliver it again")
        if not path.is_file():
            raise ContractError("not a regular file", where=str(path), remedy="deliver a regular file")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        state = path.stat()
    if state.st_size == 0:
        raise ContractError(
            "the file is empty, it has not even a header", where=str(path), remedy="ask its sender for it again"
        )
    return Fingerprint(digest, state.st_size, state.st_mtime_ns)


def require_unchanged(path: Path, before: Fingerprint) -> None:
    """Raise where a file is not the one that was opened; the next try reads it whole."""
    with _readable(path):
        state = path.stat()
    if (state.st_size, state.st_mtime_ns) != (before.size, before.modified):
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
    reader = _read_parquet if feed.source.file_format == "parquet" else _read_csv
    with _readable(path), _well_formed(path):
        yield from reader(path, feed, notes)


def has_columns(path: Path, feed: Feed) -> bool:
    """Whether a file has every column that the feed reads, told from its header alone."""
    try:
        with _readable(path), _well_formed(path):
            names = _column_names(path, feed)
    except ContractError:
        return False
    return all(column in names or feed.may_be_missing(name) for name, column in feed.fields.items())


def _column_names(path: Path, feed: Feed) -> list[str]:
    if feed.source.file_format == "parquet":
        return list(pq.read_schema(str(path)).names)
    with _open_text(path, feed) as stream:
        return _parse_header(path, stream.header()[0], feed)


# -- CSV ---------------------------------------------------------------------------------------------------


def _read_csv(path: Path, feed: Feed, notes: list[str]) -> Iterator[Batch]:
    with _open_text(path, feed) as stream:
        header, lines = stream.header()
        names = _parse_header(path, header, feed)
        places = _places(path, names, feed, notes)
        if not stream.more():
            return
        yield from _csv_rows(stream, feed, places, names, lines)


def _csv_rows(
    stream: _TextStream, feed: Feed, places: dict[str, int], names: list[str], header_lines: int
) -> Iterator[Batch]:
    rejected: list[tuple[int, int, str]] = []

    def remember(row: pv.InvalidRow) -> str:
        rejected.append((row.number, row.actual_columns, row.text))
        return "skip"

    fields = [f"f{place}" for place in range(len(names))]
    reader = pv.open_csv(
        pa.PythonFile(stream, mode="r"),
        # Row numbers are told only when one thread parses.
        read_options=pv.ReadOptions(column_names=fields, block_size=_BLOCK, use_threads=False),
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
    lines = _Lines(header_lines, len(names))
    for table in stream.pace.take(reader):
        numbers, broken = lines.place(table, rejected)
        keep = _rows_with_content(table, numbers, stream.blank_lines)
        if keep is not None:
            table, numbers = table.filter(pa.array(keep)), numbers[keep]
        columns = {name: table.column(place) for name, place in places.items()}
        if table.num_rows or broken:
            yield Batch(_filled(columns, feed, table.num_rows), numbers, broken, stream.undecodable)
    rest = lines.remaining(rejected)
    if rest:
        empty = {name: pa.array([], pa.string()) for name in feed.fields}
        yield Batch(empty, np.zeros(0, np.int64), rest)


@dataclass
class _Lines:
    """Gives each parsed record its line, from the records' numbers and the line breaks inside of values."""

    offset: int
    """Lines above the next record that are not accounted for by its number."""
    expected: int
    _next: int = 1

    def place(
        self, table: pa.RecordBatch, rejected: list[tuple[int, int, str]]
    ) -> tuple[npt.NDArray[np.int64], list[Broken]]:
        """Lines of a batch's rows, and the rejected records that lie between them (taken off the list)."""
        rejected.sort()
        bad = np.array([number for number, _, _ in rejected], np.int64)
        # How many good records lie before each bad one tells whether it belongs to this batch.
        good_before = bad - self._next - np.arange(len(bad))
        inside = int(np.searchsorted(good_before, table.num_rows, side="left"))
        total = table.num_rows + inside
        numbers = np.arange(self._next, self._next + total, dtype=np.int64)
        is_bad = np.zeros(total, bool)
        is_bad[bad[:inside] - self._next] = True
        breaks = np.zeros(total, np.int64)
        breaks[~is_bad] = _line_breaks(table)
        breaks[is_bad] = [text.count("\n") for _, _, text in rejected[:inside]]
        lines = numbers + self.offset + np.concatenate([[0], np.cumsum(breaks)[:-1]]) if total else numbers
        broken = [
            self._broken(int(line), actual, text)
            for line, (_, actual, text) in zip(lines[is_bad], rejected[:inside], strict=True)
        ]
        self._next += total
        self.offset += int(breaks.sum())
        del rejected[:inside]
        return lines[~is_bad], broken

    def remaining(self, rejected: list[tuple[int, int, str]]) -> list[Broken]:
        """What is left when the last batch has come."""
        found = []
        for number, actual, text in sorted(rejected):
            found.append(self._broken(number + self.offset, actual, text))
            self.offset += text.count("\n")
        rejected.clear()
        return found

    def _broken(self, line: int, actual: int, text: str) -> Broken:
        fields = f"{actual} field{'' if actual == 1 else 's'}"
        return Broken(line, text, f"has {fields}, the header has {self.expected}")


def _line_breaks(table: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Line breaks inside each row's values; nearly always none, which a look at the bytes tells."""
    found = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        data = column.buffers()[2]
        if data is not None and (np.frombuffer(data, np.uint8) == 10).any():
            found += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
    return found


def _rows_with_content(
    table: pa.RecordBatch, lines: npt.NDArray[np.int64], blank_lines: set[int]
) -> npt.NDArray[np.bool_] | None:
    """False for a blank line, which is no row; None where there is none. ``,,`` is a row of empty fields."""
    if not blank_lines or not table.num_rows:
        return None
    keep = ~np.isin(lines, np.fromiter(blank_lines, np.int64))
    return None if keep.all() else keep


class _TextStream(io.RawIOBase):
    """A file's text as UTF-8: what is not in the encoding is marked, and blank lines are noted."""

    def __init__(self, file: BinaryIO | pa.NativeFile, encoding: str) -> None:
        super().__init__()
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="fraudops.mark")
        self._contains_ascii = codecs.lookup(encoding).name in ("utf-8", "ascii", "iso8859-1", "cp1252")
        self._pending = b""
        self._ended = False
        self._line = 1
        self._open_line = b""
        self.pace = Pace()
        self.blank_lines: set[int] = set()
        """Lines that hold nothing, as far as the file was read."""
        self.undecodable = False
        """Whether anything was marked so far."""

    def header(self) -> tuple[str, int]:
        """The first line that is not blank, and how many lines it and the blank ones before it take."""
        self._fill()
        self._pending = self._pending.removeprefix(codecs.BOM_UTF8)
        record = self._take_record()
        while record and not record.strip(b"\r\n"):
            record = self._take_record()
        return record.decode(), self._line - 1

    def more(self) -> bool:
        """Whether anything but blank lines is left."""
        while not self._ended and not self._pending.strip(b"\r\n"):
            self._fill()
        return bool(self._pending.strip(b"\r\n"))

    def readable(self) -> bool:
        """True: what :class:`pyarrow.PythonFile` wants to know."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most ``size``; none at the end."""
        self.pace.before_read()
        wanted = _BLOCK if size < 0 else size
        while not self._pending and not self._ended:
            self._fill(wanted)
        taken, self._pending = self._pending[:wanted], self._pending[wanted:]
        self._note_blank_lines(taken)
        return taken

    def _take_record(self) -> bytes:
        match = _RECORD.match(self._pending)
        while match is None and not self._ended and len(self._pending) < _LONGEST_HEADER:
            self._fill()
            match = _RECORD.match(self._pending)
        end = match.end() if match else len(self._pending)
        record, self._pending = self._pending[:end], self._pending[end:]
        if record:
            self._line += max(1, record.count(b"\n"))
        return record

    def _fill(self, size: int = 1 << 16) -> None:
        data = self._file.read(size)
        self._ended = not data
        # Most text is ASCII, which needs no decoding, unless a character was cut by the block before.
        if self._contains_ascii and data.isascii() and not self._decoder.getstate()[0]:
            self._pending += data
            return
        text = self._decoder.decode(data, final=self._ended)
        self.undecodable = self.undecodable or UNDECODABLE in text
        self._pending += text.encode("utf-8", "replace")

    def _note_blank_lines(self, data: bytes) -> None:
        if b"\n\n" in data or b"\n\r\n" in data:
            texts = data.split(b"\n")[:-1]
        else:
            texts = [data[: data.find(b"\n")]] if b"\n" in data else []
        for number, text in enumerate(texts):
            whole = self._open_line + text if number == 0 else text
            if whole in (b"", b"\r"):
                self.blank_lines.add(self._line + number)
        self._line += data.count(b"\n")
        last = data.rfind(b"\n")
        self._open_line = (self._open_line + data if last < 0 else data[last + 1 : last + 3])[:2]


_RECORD = re.compile(rb'(?:[^"\r\n]++|"[^"]*+"?+)*+(?:\r\n|\n|\r(?!\Z))')


_VALUE = re.compile(r"[+-]?\d[\d.,:TZ+ -]*")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error("fraudops.mark", _mark)


@contextmanager
def _open_text(path: Path, feed: Feed) -> Iterator[_TextStream]:
    with path.open("rb") as probe:
        magic = probe.read(4)
    if magic == b"PAR1":
        raise ContractError(
            "a Parquet file where CSV is expected",
            where=str(path),
            remedy="deliver CSV, or write 'format: parquet' in the portfolio's YAML",
        )
    try:
        codecs.lookup(feed.source.encoding)
    except LookupError:
        raise ConfigurationError(
            f"there is no encoding {feed.source.encoding!r}",
            where=f"{feed.portfolio}: {feed.kind}.encoding",
            remedy="write one that Python knows, such as utf-8 or cp1252",
        ) from None
    with pa.OSFile(str(path)) as raw:
        # What the first bytes say counts, not the name.
        file = pa.CompressedInputStream(raw, "gzip") if magic[:2] == b"\x1f\x8b" else raw
        with _TextStream(file, feed.source.encoding) as stream:
            yield stream


def _parse_header(path: Path, header: str, feed: Feed) -> list[str]:
    if not header.strip():
        raise ContractError(
            "the file is empty, it has not even a header", where=str(path), remedy="ask its sender for it again"
        )
    try:
        return [
            name.strip()
            for name in next(csv.reader([header], delimiter=feed.source.delimiter, quotechar=feed.source.quote))
        ]
    except (csv.Error, StopIteration):
        raise ContractError(
            "the first line is no CSV header", where=str(path), remedy="deliver CSV with the column names on top"
        ) from None


def _places(path: Path, names: list[str], feed: Feed, notes: list[str]) -> dict[str, int]:
    """Where each of our columns stands in the file; a missing label is noted, any other is an error."""
    places = {}
    for name, wanted in feed.fields.items():
        if wanted in names:
            places[name] = names.index(wanted)
            if names.count(wanted) > 1:
                raise ContractError(
                    f"column {wanted!r} stands in the header {names.count(wanted)} times",
                    where=str(path),
                    remedy="name every column differently",
                )
        elif feed.may_be_missing(name):
            notes.append(f"{path.name} has no column {wanted!r}: its labels are not known")
        else:
            raise _missing_column(path, wanted, name, names, feed)
    known = {*feed.fields.values(), *feed.ignored}
    extra = [name for name in names if name not in known]
    if extra:
        notes.append(f"{path.name}: passed over columns that the portfolio does not name: {_some(extra)}")
    return places


def _missing_column(path: Path, wanted: str, name: str, names: list[str], feed: Feed) -> ContractError:
    if any(_VALUE.fullmatch(found) for found in names):
        # Column names are shown, data never: a row may hold a person's name.
        return ContractError(
            f"the first line looks like a row, not like a header: column {wanted!r} is not found",
            where=str(path),
            remedy="deliver the file with the column names on top",
        )
    origin = "" if wanted == name else f" (for {name!r})"
    delimiter = feed.source.delimiter
    other = next((sign for sign in ",;\t|" if sign != delimiter and sign in names[0]), None)
    close = difflib.get_close_matches(wanted.lower(), [found.lower() for found in names], n=1)
    if len(names) == 1 and other is not None:
        remedy = f"the delimiter looks like {other!r}, not {delimiter!r}: correct {feed.kind} delimiter in the YAML"
    elif close:
        like = next(found for found in names if found.lower() == close[0])
        remedy = f"did you mean {like!r}? Say so under {feed.kind} columns in the portfolio's YAML"
    else:
        remedy = f"deliver the column, or map another under {feed.kind} columns in the portfolio's YAML"
    return ContractError(
        f"there is no column {wanted!r}{origin}; the file has {_some(names)}", where=str(path), remedy=remedy
    )


def _some(names: list[str]) -> str:
    """A list of column names for a message; a headerless file has data there, so nothing long is shown."""
    shown = [repr(mask_card_numbers(name[:40])) for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _filled(columns: dict[str, pa.Array], feed: Feed, rows: int) -> dict[str, pa.Array]:
    """The fields in the feed's order; one that the file may lack is null."""
    return {name: columns.get(name, pa.nulls(rows, pa.string())) for name in feed.fields}


# -- Parquet -----------------------------------------------------------------------------------------------


def _read_parquet(path: Path, feed: Feed, notes: list[str]) -> Iterator[Batch]:
    with pq.ParquetFile(str(path), pre_buffer=False) as file:
        schema = file.schema_arrow
        places = _places(path, list(schema.names), feed, notes)
        for name in places:
            if pa.types.is_nested(schema.field(feed.fields[name]).type):
                raise ContractError(
                    f"column {feed.fields[name]!r} holds {schema.field(feed.fields[name]).type}",
                    where=str(path),
                    remedy="deliver plain values",
                )
        line = 1
        wanted = list(dict.fromkeys(feed.fields[name] for name in places))
        for batch in file.iter_batches(batch_size=_ROWS, columns=wanted):
            columns = {name: batch.column(feed.fields[name]) for name in places}
            lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
            line += batch.num_rows
            yield Batch(_filled(columns, feed, batch.num_rows), lines, [])


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
        if "Truncated compressed stream" in text:
            what, remedy = "the compressed file is cut off", "ask its sender for the whole file"
        elif "inflate failed" in text:
            what, remedy = "the compressed file is damaged", "ask its sender for it again"
        elif "straddling" in text:
            what = "a value is longer than 8 MiB: most likely a quotation mark is opened and never closed"
            remedy = "correct the quotation marks"
        elif "Parquet" in text or "Thrift" in text or "footer" in text:
            what = "not a Parquet file, or a damaged one"
            remedy = "deliver it again, or correct the format in the portfolio's YAML"
        else:
            what, remedy = "the file cannot be parsed", "check its format against the portfolio's YAML"
        raise ContractError(what, where=str(path), remedy=remedy) from None
