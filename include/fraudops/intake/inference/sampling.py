"""A bounded sample of a file, from its start and from places spread over all of it, and how the file is written."""

from __future__ import annotations

import codecs
import csv
import io
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from fraudops.errors import ContractError

BLOCK = 512 << 10
"""Bytes of text of one piece of the sample."""
_PIECES = 64
"""Pieces kept of a file that is longer than so many."""
_ROWS = 8_192
"""Rows of one piece of a Parquet file."""
_LINES = 400
"""Lines that tell delimiter and quote."""
_DELIMITERS = ",;\t|"
_NOT_TABLES = {
    b"PK\x03\x04": "a ZIP archive (or an Excel file)",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
}


@dataclass(frozen=True)
class Form:
    """How a file is written."""

    format: Literal["csv", "parquet"]
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    compressed: bool = False


@dataclass(frozen=True)
class Sample:
    """Some rows of a file."""

    form: Form
    names: tuple[str, ...]
    """The header, one name a column; some may be empty, or the same."""
    columns: tuple[pa.Array, ...]
    """Texts from CSV, the file's own types from Parquet."""
    starts: tuple[int, ...]
    """Row at which each piece begins."""
    total_rows: int
    """Rows of the whole file; estimated from the length of the sample's where it was not read whole."""
    whole: bool
    """Whether the sample is the whole file."""
    size: int
    """Bytes of text in all (of a Parquet file: its size)."""

    @property
    def rows(self) -> int:
        """Rows in the sample."""
        return len(self.columns[0]) if self.columns else 0


def read_sample(path: Path) -> Sample:
    """Read a sample in bounded memory; a compressed file is run through to its end, keeping pieces of it.

    Raises
    ------
    ContractError
        It is no table of the kinds that can be landed: CSV (plain or gzip) or Parquet, with column names.
    """
    if not path.is_file():
        raise ContractError("there is no such file", where=str(path), remedy="give the path of a data file")
    try:
        with path.open("rb") as file:
            magic = file.read(8)
    except PermissionError:
        raise ContractError(
            "the file may not be read", where=str(path), remedy="ask for the right to read it"
        ) from None
    if not magic:
        raise ContractError("the file is empty", where=str(path), remedy="give a file with a header and rows")
    for sign, what in _NOT_TABLES.items():
        if magic.startswith(sign):
            raise ContractError(f"{what}", where=str(path), remedy="deliver CSV (plain or gzip) or Parquet")
    if magic.startswith(b"PAR1"):
        return _sample_of_parquet(path)
    return _sample_of_text(path, compressed=magic.startswith(b"\x1f\x8b"))


# -- text --------------------------------------------------------------------------------------------------


@dataclass
class _Pieces:
    """Bytes kept of a file: always the first, and others at equal distances from each other."""

    first: bytes = b""
    others: list[bytes] = field(default_factory=list)
    size: int = 0
    whole: bool = False


def _sample_of_text(path: Path, *, compressed: bool) -> Sample:
    pieces = _unpacked_pieces(path) if compressed else _plain_pieces(path)
    encoding, mark = _encoding(pieces)
    texts = [_text(pieces.first[mark:], encoding, whole_end=pieces.whole)]
    texts += [_after_first_line(_text(piece, encoding)) for piece in pieces.others]
    if not pieces.whole:
        texts = [_until_last_line(text) for text in texts]
    delimiter, quote = _dialect(texts[0])
    # With a mark at its start a file in UTF-16 says itself which bytes come first.
    form = Form("csv", "utf-16" if mark == 2 else encoding, delimiter, quote, compressed)
    names, body = _header(path, texts[0], form)
    tables = [_parsed(text, names, form) for text in (body, *texts[1:])]
    tables = [table for table in tables if table.num_rows]
    if not tables:
        raise ContractError("the file has a header and no rows", where=str(path), remedy="give a file with rows")
    looked_at = len(body.encode()) + sum(len(text.encode()) for text in texts[1:])
    found = sum(table.num_rows for table in tables)
    unit = 2 if encoding.startswith("utf-16") else 1
    total = found if pieces.whole else max(found, round(found * (pieces.size / unit) / max(1, looked_at)))
    return _sample(form, names, tables, total, pieces.whole, pieces.size)


def _sample(form: Form, names: list[str], tables: list[pa.Table], total: int, whole: bool, size: int) -> Sample:
    starts, place = [], 0
    for table in tables:
        starts.append(place)
        place += table.num_rows
    joined = pa.concat_tables(tables).combine_chunks()
    columns = tuple(column.chunk(0) if column.num_chunks else pa.nulls(0) for column in joined.columns)
    return Sample(form, tuple(names), columns, tuple(starts), total, whole, size)


def _plain_pieces(path: Path) -> _Pieces:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= BLOCK * _PIECES:
            return _Pieces(file.read(), size=size, whole=True)
        pieces = _Pieces(file.read(BLOCK), size=size)
        for number in range(1, _PIECES):
            # The last piece ends where the file ends. Even places, for encodings of two bytes.
            file.seek(((size - BLOCK) * number // (_PIECES - 1)) & ~1)
            pieces.others.append(file.read(BLOCK))
    return pieces


def _unpacked_pieces(path: Path) -> _Pieces:
    """Pieces of a gzip file: every one at first, then every second, every fourth … as the file turns out longer."""
    kept: list[bytes] = []
    stride, size, last = 1, 0, b""
    for number, block in enumerate(_unpacked(path)):
        size += len(block)
        last = block
        if number % stride == 0:
            kept.append(block)
        if len(kept) > _PIECES:
            kept, stride = kept[::2], stride * 2
    if stride == 1:
        return _Pieces(b"".join(kept), size=size, whole=True)
    return _Pieces(kept[0], [*kept[1:], *([last] if kept[-1] is not last else [])], size)


def _unpacked(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        pending = b""
        for data in _inflated(path, file):
            pending += data
            while len(pending) >= BLOCK:
                yield pending[:BLOCK]
                pending = pending[BLOCK:]
        if pending:
            yield pending


def _inflated(path: Path, file: BinaryIO) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "gzip") as stream:
        try:
            while data := stream.read(BLOCK):
                yield data
        except (OSError, zlib.error):
            raise ContractError(
                "the compressed file is cut off or damaged", where=str(path), remedy="get the whole file again"
            ) from None


def _encoding(pieces: _Pieces) -> tuple[str, int]:
    """The encoding, and how many bytes the mark at the start takes."""
    first = pieces.first
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8", 3
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16-le" if first.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"), 2
    head = first[:4096]
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le", 0
    if head[0::2].count(0) > len(head) // 4:
        return "utf-16-be", 0
    for piece in (first, *pieces.others):
        if not _is_utf8(piece):
            return "cp1252", 0
    return "utf-8", 0


def _is_utf8(piece: bytes) -> bool:
    """Whether the bytes are UTF-8, but for characters that are cut at both ends."""
    text = piece.lstrip(bytes(range(0x80, 0xC0))) if piece[:1] > b"\x7f" else piece
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(text, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _text(piece: bytes, encoding: str, *, whole_end: bool = False) -> str:
    return codecs.getincrementaldecoder(encoding)(errors="replace").decode(piece, final=whole_end)


def _after_first_line(text: str) -> str:
    return text[text.find("\n") + 1 :]


def _until_last_line(text: str) -> str:
    return text[: text.rfind("\n") + 1] or text


def _dialect(text: str) -> tuple[str, str]:
    """Delimiter and quote: those under which most lines have as many fields as the header, and many of them."""
    lines = text[: BLOCK // 2].splitlines()[:_LINES]
    best, found = (0.0, 0.0), (",", '"')
    for quote in ('"', "'"):
        for delimiter in _DELIMITERS:
            rows = _rows(lines, delimiter, quote)
            counts = Counter(map(len, rows))
            width, times = counts.most_common(1)[0] if counts else (0, 0)
            if width < 2:
                continue
            regular = times / len(rows)
            # A quote that is none hides nothing: it must be seen around whole fields.
            quoted = _quoted_share(lines, delimiter, quote) if quote == "'" else 0.0
            if quote == "'" and quoted < 0.05:
                continue
            header = 1.0 if rows and len(rows[0]) == width else 0.5
            value = (round(regular * header + quoted, 2), math.log(width))
            if value > best:
                best, found = value, (delimiter, quote)
    return found


def _rows(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row]
    except csv.Error:
        return []


def _quoted_share(lines: list[str], delimiter: str, quote: str) -> float:
    """Share of the fields that stand within these quotes, the header aside."""
    fields = [field.strip() for line in lines[1:] for field in line.split(delimiter)]
    quoted = sum(len(field) > 1 and field[0] == quote == field[-1] for field in fields)
    return quoted / max(1, len(fields))


def _header(path: Path, text: str, form: Form) -> tuple[list[str], str]:
    """The names in the first line that is not blank, and the text after it."""
    body = text.lstrip("\r\n")
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=form.delimiter, quotechar=form.quote)
    try:
        names = [name.strip() for name in next(reader)]
    except (csv.Error, StopIteration):
        raise ContractError("the first line is no header", where=str(path), remedy="put column names on top") from None
    lines = body.splitlines(keepends=True)
    rest = body[sum(len(line) for line in lines[: reader.line_num]) :]
    valued = sum(_is_value(name) for name in names)
    if valued > max(1, len(names) // 3):
        raise ContractError(
            f"the first line looks like a row, not like a header: {valued} of its {len(names)} fields are numbers",
            where=str(path),
            remedy="put a line with the column names on top",
        )
    return names, rest


def _is_value(name: str) -> bool:
    try:
        float(name.replace(",", "."))
    except ValueError:
        return False
    return True


def _parsed(text: str, names: list[str], form: Form) -> pa.Table:
    fields = [f"f{place}" for place in range(len(names))]
    if not text.strip():
        return pa.table({name: pa.array([], pa.string()) for name in fields})
    data = text.encode("utf-8", "replace")
    return pv.read_csv(
        io.BytesIO(data),
        read_options=pv.ReadOptions(column_names=fields, block_size=max(1 << 20, len(data) + 1)),
        parse_options=pv.ParseOptions(
            delimiter=form.delimiter,
            quote_char=form.quote,
            newlines_in_values=True,
            # A piece may begin within a quoted field: what has not the header's number of fields is passed over.
            invalid_row_handler=lambda row: "skip",
        ),
        convert_options=pv.ConvertOptions(column_types=dict.fromkeys(fields, pa.string()), strings_can_be_null=False),
    )


# -- Parquet -----------------------------------------------------------------------------------------------


def _sample_of_parquet(path: Path) -> Sample:
    try:
        with pq.ParquetFile(str(path), pre_buffer=False) as file:
            names = list(file.schema_arrow.names)
            total = file.metadata.num_rows
            tables, whole = _parquet_pieces(file)
    except (pa.ArrowException, OSError):
        raise ContractError(
            "not a Parquet file, or a damaged one", where=str(path), remedy="get the whole file again"
        ) from None
    if not tables:
        raise ContractError("the file has no rows", where=str(path), remedy="give a file with rows")
    return _sample(Form("parquet"), names, tables, total, whole, path.stat().st_size)


def _parquet_pieces(file: pq.ParquetFile) -> tuple[list[pa.Table], bool]:
    groups = file.num_row_groups
    chosen = sorted({(groups - 1) * n // (_PIECES - 1) for n in range(_PIECES)}) if groups > _PIECES else range(groups)
    kept: list[pa.Table] = []
    stride = 1
    # An iterator over batches holds no more than a row group's pages.
    for number, batch in enumerate(file.iter_batches(batch_size=_ROWS, row_groups=list(chosen))):
        if number % stride == 0:
            kept.append(pa.Table.from_batches([batch]))
        if len(kept) > _PIECES:
            kept, stride = kept[::2], stride * 2
    if stride > 1:
        kept.append(pa.Table.from_batches([batch]))
    plain = [pa.table([_plain(column) for column in table.columns], names=table.schema.names) for table in kept]
    return plain, stride == 1 and groups == len(chosen)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
