"""Searches everything that was written for texts that must not be there, however they are written."""

from __future__ import annotations

import base64
import email
import email.policy
import gzip
import html
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import joblib
import pyarrow as pa
import pyarrow.parquet as pq
from fraudops.database import open_engine
from sqlalchemy import text

_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
"""How a pickle begins, and how one begins that joblib has compressed."""
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
SIGNS = (
    "suspicious activity",
    "SAR filing",
    "SAR narrative",
    "SAR is due",
    "SAR deadline",
    "with FinCEN",
    "FinCEN report",
    "STR filing",
)
"""Words by which the existence of a report about somebody would be told. Give them to :class:`Search` as canaries, with
the places that may bear them left out."""


@dataclass(frozen=True)
class Leak:
    """A text that was found.

    Attributes
    ----------
    where
        File or table.
    what
        The text as it was meant.
    form
        As which it was found: ``plain``, ``base64`` …
    """

    where: str
    what: str
    form: str


class Search:
    """Looks for some texts in files, in tables, in bytes.

    Parameters
    ----------
    canaries
        What must not be found. In each of these forms: as it is, without spaces, reversed, in capitals and small
        letters, each of them in UTF-8, UTF-16, hexadecimal digits and base64.
    """

    def __init__(self, canaries: Iterable[str]) -> None:
        self._needles: dict[bytes, tuple[str, str]] = {}
        for what in canaries:
            for form, needle in _forms(what):
                self._needles.setdefault(needle, (what, form))

    def files(self, root: Path, *, but: Sequence[str] = ()) -> list[Leak]:
        """All files below a folder.

        Parameters
        ----------
        but
            First parts of paths that may hold anything: the protected areas.
        """
        found: list[Leak] = []
        for path in sorted(root.rglob("*")):
            where = path.relative_to(root)
            if path.is_file() and where.parts[0] not in but:
                found += self.content(str(where), str(where).encode())
                found += self.content(str(where), path.read_bytes())
        return found

    def database(self, url: str) -> list[Leak]:
        """Every row of every table of a database, whatever its schema."""
        tables = text("select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information_schema)'")
        found: list[Leak] = []
        with open_engine(url).connect() as connection:
            for schema, table in connection.execute(tables).all():
                rows = connection.execute(text(f'select to_jsonb(t)::text from "{schema}"."{table}" t')).scalars()
                found += self.content(f"table {table}", "\n".join(rows).encode())
        return found

    def content(self, where: str, content: bytes) -> list[Leak]:
        """Some bytes, and what they decode to."""
        return sorted(
            {
                Leak(where, what, form)
                for view in _views(content)
                for needle, (what, form) in self._needles.items()
                if needle in view
            },
            key=str,
        )


def _forms(canary: str) -> Iterator[tuple[str, bytes]]:
    """How a text may be written; short ones, which would be found anywhere, are refused."""
    if len(canary) < 8:
        raise ValueError(f"{canary!r} is too short to be looked for")
    for name, variant in {
        "plain": canary,
        "without spaces": canary.replace(" ", ""),
        "reversed": canary[::-1],
        "capitals": canary.upper(),
        "small letters": canary.lower(),
    }.items():
        raw = variant.encode()
        yield name, raw
        yield f"{name}, JSON", json.dumps(variant)[1:-1].encode()
        yield f"{name}, UTF-16", variant.encode("utf-16-le")
        yield f"{name}, hex", raw.hex().encode()
        yield f"{name}, hex", raw.hex().upper().encode()
        for shift in range(3):
            # What stands before decides how the first letters come out; the last ones hang on what follows.
            encoded = base64.b64encode(b"\0" * shift + raw)[(0, 2, 3)[shift] : -4]
            yield f"{name}, base64", encoded
            yield f"{name}, base64", encoded.replace(b"+", b"-").replace(b"/", b"_")


def _views(content: bytes) -> Iterator[bytes]:
    """The bytes themselves, and what they are when they are unpacked."""
    yield content
    if content.startswith(b"PAR1"):
        yield from _parquet(content)
    elif content.startswith(_ZSTD):
        yield from _views(pa.CompressedInputStream(pa.BufferReader(content), "zstd").read())
    elif content.startswith(_GZIP):
        yield from _views(gzip.decompress(content))
    elif content.startswith(b"%PDF"):
        for stream in _STREAM.findall(content):
            with suppress(zlib.error):
                yield zlib.decompressobj().decompress(stream)
    elif content[:2] in _PICKLES:
        yield _unpickled(content)
    elif b"Message-ID:" in content[:4_000]:
        message = email.message_from_bytes(content, policy=email.policy.default)
        yield "\n".join(f"{name}: {value}" for name, value in message.items()).encode()
        for part in message.walk():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield payload
                yield html.unescape(payload.decode(errors="replace")).encode()
    if b"<html" in content[:2_000].lower():
        yield html.unescape(content.decode(errors="replace")).encode()


def _parquet(content: bytes) -> Iterator[bytes]:
    table = pq.read_table(io.BytesIO(content))
    yield str(table.schema.metadata).encode()
    for name in table.column_names:
        yield name.encode() + b"\n" + "\n".join({str(value) for value in table[name].to_pylist()}).encode()


def _unpickled(content: bytes) -> bytes:
    """A model as joblib writes it, without its compression."""
    plainly = io.BytesIO()
    joblib.dump(joblib.load(io.BytesIO(content)), plainly, compress=0)
    return plainly.getvalue()
