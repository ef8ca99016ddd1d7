"""Opens a file of text: says at once what is no such file, unpacks gzip, and turns any encoding into UTF-8.

What the first bytes say counts, not the file's name: ``payments.csv`` may be gzip, and ``payments.csv.gz`` may not.
Bytes that are not in the file's encoding become :data:`UNDECODABLE`, which costs their row and not the file.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fraudops.errors import ConfigurationError, ContractError
from fraudops.intake.feeds import Feed

UNDECODABLE = "\ufdd0"
"""A code point that Unicode promises never to assign; stands for bytes that are no text."""

_GZIP = b"\x1f\x8b"
_PACKED = 1 << 18
"""Bytes of a gzip file that are unpacked at a time."""
_PROBE = 4_096

_UTF_8 = codecs.BOM_UTF8
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNPACK = "unpack it, and deliver the CSV file itself (plain, or packed by gzip)"
_EXPORT = "save the sheet as CSV, and deliver that"
_OTHERS = (
    (b"PAR1", "a Parquet file", "deliver CSV, or write 'format: parquet' in the portfolio's YAML"),
    (b"PK\x03\x04", "a ZIP archive", _UNPACK),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", _EXPORT),
    (b"BZh", "a file packed by bzip2", _UNPACK),
    (b"\xfd7zXZ\x00", "a file packed by xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a file packed by zstd", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"%PDF-", "a PDF document", "deliver the data as CSV"),
    (b"ORC\x00", "an ORC file", "deliver CSV or Parquet"),
    (b"Obj\x01", "an Avro file", "deliver CSV or Parquet"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV"),
    (b"<!doctype", "a web page", "look at it: most likely the download failed, and this is the error's page"),
    (b"<html", "a web page", "look at it: most likely the download failed, and this is the error's page"),
    (b"<?xml", "an XML document", "deliver the data as CSV"),
    (b'{"', "a JSON document", "deliver the data as CSV"),
    (b'[{"', "a JSON document", "deliver the data as CSV"),
)
"""First bytes, in lower case where they are letters of a markup, of what is delivered in place of CSV."""


class Text:
    """A file's text as UTF-8, block by block.

    Parameters
    ----------
    blocks
        The file's bytes.
    encoding
        Of these bytes.
    """

    def __init__(self, blocks: Iterator[bytes], encoding: str) -> None:
        self._blocks = blocks
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="fraudops.mark")
        self._contains_ascii = codecs.lookup(encoding).name in ("utf-8", "ascii", "iso8859-1", "cp1252")
        self.undecodable = False
        """Whether anything was marked so far."""
        self.nul = False
        """Whether there was a NUL so far: no text holds one, and no database takes it."""

    def __iter__(self) -> Iterator[bytes]:
        """The blocks; without the byte-order mark, and none of them empty."""
        first = True
        for block in self._blocks:
            text = self._decoded(block, final=False)
            if first and text:
                text, first = text.removeprefix(_UTF_8), False
            if text:
                yield text
        if rest := self._decoded(b"", final=True):
            yield rest

    def _decoded(self, block: bytes, final: bool) -> bytes:
        # Most text is ASCII, which needs no decoding, unless a character was cut by the block before.
        if self._contains_ascii and block.isascii() and not self._decoder.getstate()[0]:
            found = block
        else:
            text = self._decoder.decode(block, final=final)
            self.undecodable = self.undecodable or UNDECODABLE in text
            found = text.encode("utf-8", "fraudops.mark")
        self.nul = self.nul or b"\0" in found
        return found


@contextmanager
def open_text(path: Path, feed: Feed, block: int) -> Iterator[Text]:
    """A file's text.

    Parameters
    ----------
    block
        Bytes that are handed out at a time, at most.

    Raises
    ------
    ContractError
        It is no text: another kind of file, another encoding, damaged.
    ConfigurationError
        There is no such encoding.
    """
    encoding = feed.source.encoding
    _require_encoding(encoding, feed)
    with path.open("rb") as file:
        blocks = _blocks(file, path, block)
        # What is looked at must be what is read: a first block may hold fewer bytes than a look needs.
        probe = b""
        for data in blocks:
            probe += data
            if len(probe) >= _PROBE:
                break
        _refuse_others(probe, path)
        _refuse_other_encodings(probe[:_PROBE], encoding, path)
        yield Text(_chained(probe, blocks), encoding)


def _chained(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from others


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error("fraudops.mark", _mark)


# -- gzip --------------------------------------------------------------------------------------------------


def _blocks(file: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    start = file.read(2)
    file.seek(0)
    if start == _GZIP:
        yield from _unpacked(file, path, size)
        return
    while data := file.read(size):
        yield data


def _unpacked(file: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    """What a gzip file holds: one member, or several one after the other, as ``cat a.gz b.gz`` makes them."""
    member, begun = zlib.decompressobj(31), True
    try:
        while data := file.read(_PACKED):
            while data:
                if member.eof:
                    # Some tapes and file systems fill the last block up with zeros.
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    member, begun = zlib.decompressobj(31), False
                # At most so much at a time: a few packed bytes may unpack to very many.
                unpacked = member.decompress(data, size)
                data = member.unused_data if member.eof else member.unconsumed_tail
                if unpacked:
                    begun = True
                    yield unpacked
        while not member.eof and (unpacked := member.decompress(member.unconsumed_tail, size)):
            yield unpacked
    except zlib.error:
        raise _broken_gzip("is damaged", path) if begun else _followed(path) from None
    if not member.eof:
        raise _broken_gzip("is cut off", path) if begun else _followed(path)


def _broken_gzip(what: str, path: Path) -> ContractError:
    return ContractError(
        f"the compressed file {what}", where=str(path), remedy="ask its sender for the whole file again"
    )


def _followed(path: Path) -> ContractError:
    return ContractError(
        "the compressed file ends, and other bytes follow",
        where=str(path),
        remedy="ask its sender for it again: two files were put together, or the transfer failed",
    )


# -- what it is not ----------------------------------------------------------------------------------------


def _refuse_others(probe: bytes, path: Path) -> None:
    if probe[:2] == _GZIP:
        raise ContractError("the file is packed by gzip twice", where=str(path), remedy=_UNPACK)
    start = probe[:64].removeprefix(_UTF_8).lstrip().lower() if probe[:1] in b"<{[ \r\n\t\xef" else probe
    for magic, what, remedy in _OTHERS:
        if start.startswith(magic):
            if what == "a ZIP archive" and (b"xl/" in probe or b"[Content_Types].xml" in probe):
                what, remedy = "an Excel workbook", _EXPORT
            raise ContractError(f"{what} where CSV is expected", where=str(path), remedy=remedy)


def _require_encoding(encoding: str, feed: Feed) -> None:
    try:
        known = codecs.lookup(encoding)
        # Codecs such as "hex" turn bytes into bytes.
        if known._is_text_encoding and codecs.getincrementaldecoder(encoding):
            return
    except LookupError:
        pass
    raise ConfigurationError(
        f"there is no encoding {encoding!r}",
        where=f"{feed.portfolio}: {feed.kind}.encoding",
        remedy="write one that Python knows, such as utf-8 or cp1252",
    )


def _refuse_other_encodings(probe: bytes, encoding: str, path: Path) -> None:
    """Two encodings that differ in every byte are told from the first ones; cp1252 and its like are not."""
    name = codecs.lookup(encoding).name
    wide = name.startswith(("utf-16", "utf-32"))
    marked = next((found for mark, found in _WIDE_MARKS if probe.startswith(mark)), None)
    found = marked or _unmarked(probe)
    if found is not None and not name.startswith(found[:6]):
        raise _other_encoding(found, encoding, path)
    if wide and (probe.startswith(_UTF_8) or (len(probe) > 8 and b"\0" not in probe)):
        raise _other_encoding("utf-8", encoding, path)
    if probe and marked is None and name in ("utf-16", "utf-32"):
        raise ContractError(
            f"the file does not begin with the byte-order mark that {name} needs",
            where=str(path),
            remedy=f"write the order of the bytes in the portfolio's YAML: 'encoding: {found or name + '-le'}'",
        )
    if probe.startswith(_UTF_8) and not name.startswith("utf-8") and not wide:
        raise _other_encoding("utf-8", encoding, path)


def _unmarked(probe: bytes) -> str | None:
    """UTF-16 without a byte-order mark: of Latin letters every other byte is zero."""
    pairs = len(probe) // 2
    even, odd = probe[: 2 * pairs : 2].count(0), probe[1 : 2 * pairs : 2].count(0)
    if pairs < 4 or max(even, odd) < 0.4 * pairs or min(even, odd) > 0.1 * pairs:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _other_encoding(found: str, encoding: str, path: Path) -> ContractError:
    return ContractError(
        f"the file is written in {found.upper()}, the portfolio says {encoding}",
        where=str(path),
        remedy=f"write 'encoding: {found}' for this source in the portfolio's YAML",
    )
