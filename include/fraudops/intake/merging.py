"""Rows of a partition: those it has, those that arrive, and what becomes of the ones that are there twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.feeds import Feed
from fraudops.intake.mapping import LINE, shown_row
from fraudops.portfolio import Role

FILE, SHA256 = "__file", "__sha256"
"""Columns that say where a row came from, beside :data:`LINE`."""

_ID = "transaction_id"
_DIGEST = 32


@dataclass(frozen=True)
class Duplicate:
    """An arriving row whose transaction id is taken."""

    sha256: str
    line: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Merged:
    """A partition's rows in their order, and the arriving ones that are not among them."""

    rows: pa.Table
    duplicates: list[Duplicate]


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
    time = feed.stored_name(feed.of_role(Role.TIME)[0])
    return Merged(merged.rows.sort_by([(time, "ascending"), (_ID, "ascending")]).combine_chunks(), merged.duplicates)


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
    content = [*feed.content.names, *feed.protected.names]
    equal = np.ones(len(repeated), bool)
    for name in content:
        same = pc.fill_null(pc.equal(again[name], before[name]), False)
        both_null = pc.and_(pc.is_null(again[name]), pc.is_null(before[name]))
        equal &= pc.or_(same, both_null).to_numpy()
    raws = raw_rows(again, feed)
    found = []
    for place, raw in enumerate(raws):
        line, sha256 = before[LINE][place].as_py(), before[SHA256][place].as_py()
        other = "" if sha256 == again[SHA256][place].as_py() else f" of {before[FILE][place].as_py()}"
        if originals[place] < stored:
            reason = "already stored" if equal[place] else "same id with other values is stored"
        elif equal[place]:
            reason = f"duplicate of line {line}{other}"
        else:
            reason = f"same id with other values as line {line}{other}"
        found.append(Duplicate(again[SHA256][place].as_py(), again[LINE][place].as_py(), reason, raw))
    return found


def raw_rows(rows: pa.Table, feed: Feed) -> list[str]:
    """What quarantine keeps of typed rows, under the file's names; of a card the BIN and last four."""
    names, columns = [], []
    for name in feed.columns:
        role = feed.columns[name].role
        names.append(feed.file_column(name))
        if role is Role.PERSONAL:
            columns.append([None if value is None else "[masked]" for value in rows[name].to_pylist()])
        elif role is Role.CARD:
            head, tail = feed.card_parts(name)
            pairs = zip(rows[head].to_pylist(), rows[tail].to_pylist(), strict=True)
            columns.append([None if first is None else f"{first}…{last}" for first, last in pairs])
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
    if not rows.num_rows:
        return pa.array([], pa.string())
    parts = [_value_bytes(rows[field.name].combine_chunks(), field.type) for field in content]
    packed = np.ascontiguousarray(np.hstack(parts))
    width = packed.shape[1]
    data = packed.tobytes()
    return pa.array(
        [hashlib.sha256(data[start : start + width]).hexdigest()[:_DIGEST] for start in range(0, len(data), width)],
        pa.string(),
    )


def _value_bytes(values: pa.Array, kind: pa.DataType) -> npt.NDArray[np.uint8]:
    """Shape (rows, width): one byte says whether there is a value, the others what it is."""
    present = pc.is_valid(values).to_numpy(zero_copy_only=False).astype(np.uint8)[:, None]
    if pa.types.is_string(kind):
        encoded = values.dictionary_encode()
        halves = [hashlib.sha256(text.encode()).digest()[:16] for text in encoded.dictionary.to_pylist()]
        table = np.frombuffer(b"".join([*halves, bytes(16)]), np.uint8).reshape(-1, 16)
        places = pc.fill_null(encoded.indices, len(halves)).to_numpy(zero_copy_only=False)
        return np.hstack([present, table[places]])
    if pa.types.is_timestamp(kind):
        values = pc.cast(values, pa.int64())
    zero = pa.scalar(False if pa.types.is_boolean(kind) else 0, values.type)
    plain = pc.fill_null(values, zero).to_numpy(zero_copy_only=False)
    fixed = np.ascontiguousarray(plain.astype("<f8" if pa.types.is_floating(kind) else "<i8"))
    return np.hstack([present, fixed.view(np.uint8).reshape(-1, 8)])


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
