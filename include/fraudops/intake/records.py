"""Cuts CSV text into records, each with its line, and takes out the ones whose quotation marks are wrong.

A parser that meets a quotation mark which nobody closes reads on, and what it makes of the following rows is one
long value: rows are lost and nobody is told. So no such text gets to the parser. The rules are those of RFC 4180:

* a value that begins with a quotation mark ends at the next single one, and a delimiter or the line's end follows;
  two of them stand for one; delimiters and line breaks in between are the value's own;
* within a value that does not begin with one, a quotation mark is a character like any other (``5" pipe``).

Where a record breaks them, the line that it begins with (up to the line in which the mark was opened) is taken
out as :class:`Broken`, and reading goes on with the next line: one bad value costs one row.

Lines end in ``\\n``, ``\\r\\n`` or ``\\r``; a blank line is no record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

_LONGEST = 8 << 20
"""Bytes of a record; what is longer is no row of a table."""
_SHOWN = 1_000
_NEWLINE, _RETURN = 10, 13
_LINE_END = re.compile(rb"\r\n|\n|\r")

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Broken:
    """A line that is no row of the file's table."""

    line: int
    text: str
    reason: str
    field: int | None = None
    """Number of the value at fault, from 0; None where the row as a whole is."""
    column: str | None = None
    """What the file calls the column of that value."""

    def with_column(self, names: list[str]) -> Broken:
        """The same with its column's name, where the header has so many columns."""
        known = self.field is not None and self.field < len(names)
        return replace(self, column=names[self.field]) if known and self.field is not None else self


@dataclass(frozen=True)
class Chunk:
    """Some whole records."""

    data: bytes
    """UTF-8 text; all records but a file's last one with their line ends."""
    lines: Lines
    """Line at which each record begins."""
    broken: list[Broken]
    """Lines that lie between them and were taken out."""


@dataclass(frozen=True)
class _Fault:
    """Why a record is none."""

    opened: int
    """Place at which the value at fault begins."""
    reason: str
    field: int | None = None
    """Its number, from 0."""


@dataclass
class _Found:
    """What a closer look has found so far."""

    good: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


class Records:
    """The records of a CSV text.

    Parameters
    ----------
    text
        UTF-8, block by block.
    delimiter, quote
        One ASCII character each.
    """

    def __init__(self, text: Iterable[bytes], delimiter: str, quote: str) -> None:
        self._text = iter(text)
        self._delimiter, self._quote = delimiter.encode(), quote.encode()
        d, q = re.escape(self._delimiter), re.escape(self._quote)
        value = rb"(?:%b(?:[^%b]++|%b%b)*+%b|[^%b%b\r\n][^%b\r\n]*+)?+" % (q, q, q, q, q, q, d, d)
        self._value = re.compile(value)
        self._values = re.compile(rb"%b(?:%b%b)*+" % (value, d, value))
        self._rest = b""
        self._ended = False
        self._skipping = False
        """Within a line that is too long and has been noted."""
        self._columns = 0
        self.line = 1
        """Line of the next record."""
        self.open_line: int | None = None
        """The last line, where the file ends without a line end."""

    def header(self, longest: int) -> bytes | None:
        """The first record, without its line end; empty if there is none, None if its quotation marks are wrong.

        Parameters
        ----------
        longest
            Bytes after which no end of it is looked for.
        """
        while True:
            self._drop_blank_lines()
            end = self._end_of_record(self._rest, 0)
            if isinstance(end, int):
                record, self._rest = self._rest[:end], self._rest[end:]
                self.line += _count_line_ends(record)
                return record.rstrip(b"\r\n")
            if isinstance(end, _Fault) or len(self._rest) > longest:
                return None
            if self._ended:
                return b""
            self._fill()

    def expect(self, columns: int) -> None:
        """Say how many values a row has: what looks like rows inside of a value is told by that."""
        self._columns = columns

    def __iter__(self) -> Iterator[Chunk]:
        """The records that are left."""
        while True:
            if self._skipping:
                self._skip()
            if self._rest and not self._skipping:
                chunk = self._at_once() or self._one_by_one()
                if len(chunk.lines) or chunk.broken:
                    yield chunk
            if self._ended:
                return
            self._fill()

    def _fill(self) -> None:
        block = next(self._text, None)
        self._ended = block is None
        self._rest += block or b""

    def _drop_blank_lines(self) -> None:
        kept = self._rest.lstrip(b"\r\n")
        blank = self._rest[: len(self._rest) - len(kept)]
        if kept or self._ended:
            self._rest = kept
            self.line += _count_line_ends(blank)

    # -- a whole block at once -----------------------------------------------------------------------------

    def _at_once(self) -> Chunk | None:
        """The records of a block in which nothing is out of the ordinary; None where something may be."""
        data = self._rest
        array = np.frombuffer(data, np.uint8)
        breaks = np.flatnonzero(array == _NEWLINE)
        ends = breaks
        if self._quote in data:
            marks = np.flatnonzero(array == self._quote[0])
            if not self._well_placed(array, marks):
                return None
            ends = breaks[np.searchsorted(marks, breaks) % 2 == 0]
        open_end = self._ended and len(data) > 0 and (not len(ends) or ends[-1] + 1 < len(data))
        if open_end:
            ends = np.append(ends, len(data))
        if not len(ends):
            return None
        end = min(int(ends[-1]) + 1, len(data))
        starts = np.concatenate([[0], ends[:-1] + 1])
        if _has_blank(array, starts, ends) or _has_single_return(data, end) or (ends - starts >= _LONGEST).any():
            return None
        before = np.searchsorted(breaks, starts)
        several = np.flatnonzero(np.searchsorted(breaks, ends) > before)
        if any(self._looks_like_rows(data[starts[place] : ends[place]]) for place in several):
            return None
        chunk = Chunk(data[:end], self.line + before, [])
        self._rest = data[end:]
        self.line += int(np.searchsorted(breaks, end))
        if open_end:
            self.open_line = int(chunk.lines[-1])
        return chunk

    def _well_placed(self, array: npt.NDArray[np.uint8], marks: npt.NDArray[np.int64]) -> bool:
        """Whether marks open and close in turn: after a delimiter or a line end, and before one (or in pairs)."""
        neighbours = np.zeros(256, bool)
        neighbours[[self._delimiter[0], self._quote[0], _NEWLINE, _RETURN]] = True
        opening, closing = marks[::2], marks[1::2]
        if self._ended and len(opening) > len(closing):
            return False
        before = opening[1:] if len(opening) and opening[0] == 0 else opening
        after = closing[:-1] if len(closing) and closing[-1] + 1 == len(array) else closing
        return bool(neighbours[array[before - 1]].all() and neighbours[array[after + 1]].all())

    # -- one by one ----------------------------------------------------------------------------------------

    def _one_by_one(self) -> Chunk:
        found = _Found()
        place = 0
        while place < len(self._rest) and (behind := self._take(place, found)) is not None:
            place = behind
        self._rest = self._rest[place:]
        return Chunk(b"".join(found.good), np.array(found.lines, np.int64), found.broken)

    def _take(self, start: int, found: _Found) -> int | None:
        """Take a record, or the line in which it breaks; returns the place behind it, None where more is needed."""
        end = self._end_of_record(self._rest, start)
        if isinstance(end, _Fault):
            return self._take_out(start, end, found)
        if end is None:
            return None
        record = self._rest[start:end]
        breaks = _count_line_ends(record)
        open_end = not record.endswith((b"\n", b"\r"))
        if breaks + open_end > 1 and self._looks_like_rows(record):
            found.broken.append(Broken(self.line, _text(record), _rows_in_value(breaks + open_end)))
        elif record.strip(b"\r\n"):
            found.good.append(record)
            found.lines.append(self.line)
        if open_end:
            self.open_line = self.line
        self.line += breaks
        return end

    def _take_out(self, start: int, fault: _Fault, found: _Found) -> int | None:
        data = self._rest
        end = _line_end(data, fault.opened, self._ended)
        if end is None and not self._ended and len(data) - start < _LONGEST:
            return None
        stop, behind = end or (len(data), len(data))
        if end is None:
            self._skipping = not self._ended
            self.open_line = self.line if self._ended else None
            # Whether a line break of two signs was cut in two is seen when the next block has come.
            behind -= self._skipping and data.endswith(b"\r")
        found.broken.append(Broken(self.line, _text(data[start:stop]), fault.reason, fault.field))
        self.line += _count_line_ends(data[start:behind])
        return behind

    def _end_of_record(self, data: bytes, start: int) -> int | _Fault | None:
        """Place behind a record's line end, what is wrong with it, or None where its end is still to come."""
        limit = min(len(data), start + _LONGEST)
        found = self._values.match(data, start, limit)
        place = found.end() if found else start
        if place == limit:
            if limit == start + _LONGEST:
                return _Fault(start, _TOO_LONG)
            return place if self._ended and place > start else None
        after = data[place : place + 2]
        if after[:1] == b"\n":
            return place + 1
        if after[:1] == b"\r":
            if len(after) == 1 and not self._ended:
                return None
            return place + (2 if after == b"\r\n" else 1)
        return self._fault(data, start, place, limit)

    def _fault(self, data: bytes, start: int, place: int, limit: int) -> _Fault | None:
        """What is wrong at a place where neither a delimiter nor a line end follows."""
        opened, field = start, 0
        while (value := self._value.match(data, opened, limit)) and value.end() < place:
            opened, field = value.end() + 1, field + 1
        if opened < place:
            return _Fault(opened, "a quotation mark is closed in the middle of a value", field)
        if not self._ended and limit < start + _LONGEST:
            return None
        return _Fault(opened, "a quotation mark is opened and not closed", field)

    def _skip(self) -> None:
        """Pass over the rest of a line that is too long and has been noted."""
        end = _line_end(self._rest, 0, self._ended)
        if end is not None:
            self._rest = self._rest[end[1] :]
            self.line += 1
            self._skipping = False
        else:
            self._rest = b"\r" if self._rest.endswith(b"\r") else b""

    def _looks_like_rows(self, record: bytes) -> bool:
        """Whether each line of a record alone has the delimiters of a row: then it is several, run together."""
        expected = self._columns - 1
        lines = _LINE_END.sub(b"\n", record).rstrip(b"\n").split(b"\n")
        return expected >= 2 and all(line.count(self._delimiter) == expected for line in lines)


_TOO_LONG = f"longer than {_LONGEST >> 20} MiB"


def _rows_in_value(lines: int) -> str:
    return f"{lines} lines from here look like rows, but a quotation mark too many, or one missing, makes one of them"


def _line_end(data: bytes, start: int, ended: bool) -> tuple[int, int] | None:
    """The next line end and the place behind it; None where it is not there, or may be half there."""
    end = _LINE_END.search(data, start)
    if end is None or (end[0] == b"\r" and end.end() == len(data) and not ended):
        return None
    return end.start(), end.end()


def _has_blank(array: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> bool:
    lengths = ends - starts
    return bool((lengths == 0).any() or (array[starts[lengths == 1]] == _RETURN).any())


def _has_single_return(data: bytes, end: int) -> bool:
    if b"\r" not in data:
        return False
    return data.count(b"\r", 0, end) != data.count(b"\r\n", 0, end)


def _count_line_ends(data: bytes) -> int:
    return len(_LINE_END.findall(data)) if b"\r" in data else data.count(b"\n")


def _text(data: bytes) -> str:
    """A broken line as quarantine keeps it; whole, unless it is too long to be a row."""
    text = data.rstrip(b"\r\n").decode("utf-8", "replace")
    return text if len(data) < _LONGEST else f"{text[:_SHOWN]}… (cut off here)"
