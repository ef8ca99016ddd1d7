"""Rows of a partition: those it has, those that arrive, and what becomes of the ones that are there twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.feeds import Feed
from fraudops.intake.mapping import LINE, shown_row
from fraudops.intake.masking import MASKED
from fraudops.portfolio import Role

FILE, SHA256 = "__file", "__sha256"
"""Columns that say where a row came from, beside :data:`LINE`."""

_ID = "transaction_id"
_DIGEST = 32
_ROWS_AT_ONCE = 16_384
"""Rows that are digested in one piece: bounds memory, and changes no digest."""


class Kind(StrEnum):
    """What is the matter with a row whose transaction id is taken."""

    TWICE = "twice"
    """Its file says the same twice."""
    REPEATED = "repeated"
    """Nothing: another file says the same, or a later row replaced it."""
    CONFLICT = "conflict"
    """The row that has the id says something else."""


@dataclass(frozen=True)
class Duplicate:
    """An arriving row whose transaction id is taken."""

    sha256: str
    line: int
    reason: str
    raw: str
    kind: Kind
    holder: str
    """File of the row that has the id."""


@dataclass(frozen=True)
class Merged:
    """A partition's rows in their order, and the arriving ones that are not among them."""

    rows: pa.Table
    duplicates: list[Duplicate]
    confirmed: Mapping[str, int] = field(default_factory=dict)
    """Accepted rows, by the SHA-256 of their file, that say what another row says: that one is kept."""


def wide_schema(feed: Feed) -> pa.Schema:
    """Columns of a row while it is merged: stored, protected, and where it came from."""
    origin = [pa.field(FILE, pa.string()), pa.field(SHA256, pa.string()), pa.field(LINE, pa.int64())]
    return pa.schema([*feed.stored, *feed.protected, *origin])


def merge(present: pa.Table, arriving: pa.Table, feed: Feed) -> Merged:
    """Merge arriving rows into a partition's.

    With transaction ids the first row of an id stays. Without, a row's id is the digest of its content and
    its number among equal rows, so that rows which are equal by right (two coffees a minute) are all kept.

    Parameters
    ----------
    present
        Rows that the partition has, of :func:`wide_schema`.
    arriving
        New rows in the order of their files and lines, of the same columns (``transaction_id`` where the
        feed has one).
    """
    if feed.of_role(Role.ID):
        merged = _merge_by_id(present, arriving, feed)
    else:
        merged = Merged(_number_rows(present, arriving, feed), [])
    return in_order(merged, feed)


def in_order(merged: Merged, feed: Feed) -> Merged:
    """The same, the rows in the order of a partition: by time, then id."""
    time = feed.stored_name(feed.of_role(Role.TIME)[0])
    rows = merged.rows.sort_by([(time, "ascending"), (_ID, "ascending")]).combine_chunks()
    return Merged(rows, merged.duplicates, merged.confirmed)


def without_ids(rows: pa.Table, ids: pa.Array) -> pa.Table:
    """The rows but for those with one of these ids."""
    return rows.filter(pc.invert(pc.is_in(rows[_ID], ids)))


# -- with an id --------------------------------------------------------------------------------------------


def _merge_by_id(present: pa.Table, arriving: pa.Table, feed: Feed) -> Merged:
    schema = wide_schema(feed)
    rows = pa.concat_tables([present, arriving.select(schema.names).cast(schema)])
    encoded = rows[_ID].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    first = np.empty(len(encoded.dictionary), np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    repeated = np.flatnonzero(first[codes] != np.arange(len(codes)))
    if not len(repeated):
        return Merged(rows, [])
    duplicates = _describe(rows, repeated, first[codes[repeated]], present.num_rows, feed)
    keep = np.ones(len(codes), bool)
    keep[repeated] = False
    return Merged(rows.filter(pa.array(keep)), duplicates)


def _describe(
    rows: pa.Table, repeated: npt.NDArray[np.int64], originals: npt.NDArray[np.int64], stored: int, feed: Feed
) -> list[Duplicate]:
    again, before = rows.take(pa.array(repeated)), rows.take(pa.array(originals))
    origins = [table.select([FILE, SHA256, LINE]).to_pylist() for table in (again, before)]
    equal, is_stored = same_rows(again, before, feed).tolist(), (originals < stored).tolist()
    found = []
    for row, first, same, there, raw in zip(*origins, equal, is_stored, raw_rows(again, feed), strict=True):
        other = None if first[SHA256] == row[SHA256] else first[FILE]
        reason, kind = _reason(there, same, first[LINE], other)
        found.append(Duplicate(row[SHA256], row[LINE], reason, raw, kind, first[FILE]))
    return found


def _reason(is_stored: bool, is_equal: bool, line: int, other: str | None) -> tuple[str, Kind]:
    """Why a row is a duplicate; ``other`` is the file of the row that has its id, None for its own."""
    where = f"line {line}" + (f" of {other}" if other else "")
    if is_equal:
        reason = "already stored" if is_stored else f"duplicate of {where}"
        return reason, Kind.REPEATED if other else Kind.TWICE
    if is_stored:
        remedy = "correct it in the file that brought it, or land this one with corrections"
        return f"same id with other values is stored ({remedy}) as {where}", Kind.CONFLICT
    return f"same id with other values as {where}", Kind.CONFLICT


def same_rows(some: pa.Table, others: pa.Table, feed: Feed) -> npt.NDArray[np.bool_]:
    """Which rows of two tables, side by side, say the same in all that is kept of them."""
    return same_values(some, others, [*feed.content.names, *feed.protected.names])


def same_values(some: pa.Table, others: pa.Table, names: Iterable[str]) -> npt.NDArray[np.bool_]:
    """Which rows of two tables, side by side, have equal values in some columns; an empty one equals an empty one."""
    equal = np.ones(some.num_rows, bool)
    for name in names:
        same = pc.fill_null(pc.equal(some[name], others[name]), False)
        both_null = pc.and_(pc.is_null(some[name]), pc.is_null(others[name]))
        equal &= pc.or_(same, both_null).to_numpy()
    return equal


def raw_rows(rows: pa.Table, feed: Feed) -> list[str]:
    """What quarantine keeps of typed rows, under the file's names; of a card the BIN and last four."""
    names, columns = [], []
    for name in feed.columns:
        role = feed.columns[name].role
        names.append(feed.file_column(name))
        if role is Role.PERSONAL:
            columns.append([None if value is None else MASKED for value in rows[name].to_pylist()])
        elif role is Role.CARD:
            head, tail = feed.card_parts(name)
            pairs = zip(rows[head].to_pylist(), rows[tail].to_pylist(), strict=True)
            columns.append([None if first is None else f"{first}…{last}" for first, last in pairs])
        elif role is Role.ACCOUNT:
            columns.append([None if value is None else MASKED for value in rows[feed.stored_name(name)].to_pylist()])
        else:
            columns.append(rows[feed.stored_name(name)].to_pylist())
    return [shown_row(names, list(values)) for values in zip(*columns, strict=True)]


# -- without an id -----------------------------------------------------------------------------------------


def _number_rows(present: pa.Table, arriving: pa.Table, feed: Feed) -> pa.Table:
    """Give ids to rows that have none: content digest, a hyphen, and 1, 2, … among rows of equal content."""
    schema = wide_schema(feed)
    others = [name for name in schema.names if name != _ID]
    # Rows that are there keep their numbers: they are counted first, in the order of these.
    occurrence = pc.cast(pc.utf8_slice_codeunits(present[_ID], _DIGEST + 1), pa.int64())
    present = present.take(pc.sort_indices(occurrence))
    rows = pa.concat_tables([present.select(others), arriving.select(others).cast(_without_id(schema))])
    digests = content_digests(rows, feed.content)
    codes = digests.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    numbers = pc.cast(pa.array(_rank_among_equals(codes)), pa.string())
    return rows.append_column(_ID, pc.binary_join_element_wise(digests, numbers, "-")).select(schema.names)


def content_digests(rows: pa.Table, content: pa.Schema) -> pa.Array:
    """First 32 hexadecimal digits of each row's SHA-256 over its typed values.

    Every value becomes bytes of a fixed width (a text: half of its own digest), so that no two rows run into
    each other, and only the last step goes row by row.
    """
    digests = []
    for start in range(0, rows.num_rows, _ROWS_AT_ONCE):
        piece = rows.slice(start, _ROWS_AT_ONCE)
        packed = _side_by_side([_value_bytes(piece[field.name].combine_chunks(), field.type) for field in content])
        # As plain bytes, which are handed out faster than slices are made.
        contents = packed.view(f"V{packed.shape[1]}").ravel().tolist()
        digests.append(b"".join([hashlib.sha256(found).digest()[: _DIGEST // 2] for found in contents]))
    text = b"".join(digests).hex().encode()
    ends = np.arange(0, len(text) + 1, _DIGEST, dtype=np.int32)
    return pa.StringArray.from_buffers(rows.num_rows, pa.py_buffer(ends), pa.py_buffer(text))


def _side_by_side(parts: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Put the values' bytes beside each other, each row in one piece."""
    found = np.empty((len(parts[0]), sum(part.shape[1] for part in parts)), np.uint8)
    place = 0
    for part in parts:
        found[:, place : place + part.shape[1]] = part
        place += part.shape[1]
    return found


def _value_bytes(values: pa.Array, kind: pa.DataType) -> npt.NDArray[np.uint8]:
    """Shape (rows, width): one byte says whether there is a value, the others what it is."""
    present = pc.is_valid(values).to_numpy(zero_copy_only=False).astype(np.uint8)[:, None]
    if pa.types.is_string(kind):
        encoded = values.dictionary_encode()
        halves = [hashlib.sha256(text.encode()).digest()[:16] for text in encoded.dictionary.to_pylist()]
        table = np.frombuffer(b"".join([*halves, bytes(16)]), np.uint8).reshape(-1, 16)
        places = pc.fill_null(encoded.indices, len(halves)).to_numpy(zero_copy_only=False)
        return _side_by_side([present, table[places]])
    if pa.types.is_timestamp(kind):
        values = pc.cast(values, pa.int64())
    zero = pa.scalar(False if pa.types.is_boolean(kind) else 0, values.type)
    plain = pc.fill_null(values, zero).to_numpy(zero_copy_only=False)
    fixed = np.ascontiguousarray(plain.astype("<f8" if pa.types.is_floating(kind) else "<i8"))
    return _side_by_side([present, fixed.view(np.uint8).reshape(-1, 8)])


def _rank_among_equals(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """1 for the first of each code, 2 for the second, … in the order given."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(codes) else np.zeros(0, np.int64)
    lengths = np.diff(np.r_[starts, len(codes)])
    ranks = np.empty(len(codes), np.int64)
    ranks[order] = np.arange(len(codes)) - np.repeat(starts, lengths) + 1
    return ranks


def _without_id(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name != _ID])
