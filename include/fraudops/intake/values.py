"""What fields mean: text and the types of Parquet become numbers, moments, truths. Whole columns at a time.

Each function returns the values and says which of the given ones were none of their kind; those come out null.
An empty field is null and never wrong: whether it may be empty is decided elsewhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.feeds import MOMENT
from fraudops.portfolio import Column

Mask = npt.NDArray[np.bool_]

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NOT_FINITE = r"^[+-]?(?i:nan|inf|infinity)$"
_NAIVE = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$"
_ZONED = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$"
_UNITS = {"s": 10**6, "ms": 10**3, "m": 60 * 10**6, "h": 3_600 * 10**6, "d": 86_400 * 10**6}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_TRUE = frozenset({"1", "true", "t", "yes", "y"})
_FALSE = frozenset({"0", "false", "f", "no", "n"})


@dataclass(frozen=True)
class Wrong:
    """Rows whose value was not of its kind, and what it was not."""

    rows: Mask
    reason: str


Parsed = tuple[pa.Array, list[Wrong]]


def texts(array: pa.Array) -> pa.Array:
    """Strings without white space around them, null where nothing is left."""
    text = _as_text(array)
    trimmed = pc.utf8_trim_whitespace(text)
    empty = pc.equal(pc.binary_length(trimmed), 0)
    if not pc.any(empty).as_py():
        return trimmed
    return pc.if_else(empty, pa.scalar(None, pa.string()), trimmed)


def numbers(array: pa.Array, decimal: str = ".") -> Parsed:
    """Floats; ``nan`` and ``inf`` are no numbers, but a NaN in a Parquet file is an empty field."""
    array = _decoded(array)
    if not _is_text(array):
        return _native_numbers(array)
    if decimal == ".":
        try:
            return _finite(pc.cast(array, pa.float64()))
        except pa.ArrowInvalid:
            pass  # some field is empty or not a number: look at each
    text = texts(array)
    if decimal != ".":
        text = _with_point(text, decimal)
    numeric = _matches(text, _NUMBER)
    unbounded = _matches(text, _NOT_FINITE)
    values, infinite = _finite(pc.cast(pc.if_else(numeric, text, pa.scalar(None, pa.string())), pa.float64()))
    wrong = pc.and_not(pc.is_valid(text), pc.or_(numeric, unbounded))
    found = [*infinite, *_wrong(unbounded, "not a finite number"), *_wrong(wrong, "not a number")]
    return values, found


def moments(array: pa.Array, column: Column, decimal: str = ".") -> Parsed:
    """UTC moments, to the microsecond: timestamps, or offsets from the column's origin."""
    if column.origin is not None:
        return _offsets(array, column.origin, _UNITS[column.unit], decimal)
    array = _decoded(array)
    if pa.types.is_timestamp(array.type):
        return _bounded(_in_utc(pc.cast(array, pa.timestamp("us", array.type.tz), safe=False), column.timezone))
    if pa.types.is_date(array.type):
        return _bounded(_in_utc(pc.cast(array, pa.timestamp("us")), column.timezone))
    if not _is_text(array):
        wrong = pc.is_valid(array)
        return pa.nulls(len(array), MOMENT), _wrong(wrong, "not a timestamp (a number needs an origin in the YAML)")
    return _bounded(_written_moments(array, column.timezone))


def booleans(array: pa.Array) -> Parsed:
    """True and false, as words or as 1 and 0."""
    array = _decoded(array)
    if pa.types.is_boolean(array.type):
        return array, []
    return _by_distinct_value(texts(array), _truth, "neither true nor false")


def labels(array: pa.Array, positive: tuple[str, ...]) -> Parsed:
    """True where the value is one of the texts that mean fraud, in any spelling of 1 and true; else false."""
    array = _decoded(array)
    meaning = {_plain(text) for text in positive}
    if meaning & {"1", "true"}:
        meaning |= {"1", "true"}
    if pa.types.is_boolean(array.type):
        # The file itself says that it is a truth.
        return array, []
    return _by_distinct_value(texts(array), lambda text: _plain(text) in meaning, "not a label")


# -- numbers -----------------------------------------------------------------------------------------------


def _native_numbers(array: pa.Array) -> Parsed:
    if not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type) or _is_decimal(array.type)):
        if pa.types.is_boolean(array.type):
            return pc.cast(pc.cast(array, pa.int8()), pa.float64()), []
        return pa.nulls(len(array), pa.float64()), _wrong(pc.is_valid(array), "not a number")
    values = pc.cast(array, pa.float64(), safe=False)
    missing = pc.fill_null(pc.is_nan(values), False)
    return _finite(pc.if_else(missing, pa.scalar(None, pa.float64()), values))


def _finite(values: pa.Array) -> Parsed:
    # Adding zero turns -0.0 into 0.0, so that equal amounts have equal bytes.
    values = pc.add(values, 0.0)
    wrong = pc.invert(pc.fill_null(pc.is_finite(values), True))
    if not pc.any(wrong).as_py():
        return values, []
    return pc.if_else(wrong, pa.scalar(None, pa.float64()), values), _wrong(wrong, "not a finite number")


def _with_point(text: pa.Array, decimal: str) -> pa.Array:
    """The numbers with a point; one that has a point already is ambiguous and becomes no number at all."""
    ambiguous = pc.match_substring(text, ".")
    return pc.if_else(ambiguous, "ambiguous", pc.replace_substring(text, decimal, "."))


# -- moments -----------------------------------------------------------------------------------------------


def _offsets(array: pa.Array, origin: datetime, unit: int, decimal: str) -> Parsed:
    values, wrong = numbers(array, decimal)
    start = _microseconds(origin)
    micros = np.rint(values.to_numpy(zero_copy_only=False) * unit)
    inside = (micros + start >= _microseconds(_EARLIEST)) & (micros + start < _microseconds(_LATEST))
    given = pc.is_valid(values).to_numpy(zero_copy_only=False)
    whole = np.where(inside, micros, 0).astype(np.int64) + start
    moments_ = pa.array(whole, mask=~inside).cast(MOMENT)
    return moments_, [*wrong, *_wrong(pa.array(given & ~inside), "a time outside of 1900 to 2199")]


def _written_moments(array: pa.Array, zone: str) -> Parsed:
    try:
        return _in_utc(pc.cast(array, pa.timestamp("us")), zone)
    except pa.ArrowInvalid:
        pass
    try:
        return pc.cast(array, MOMENT), []
    except pa.ArrowInvalid:
        pass  # empty fields, both kinds in one column, or something else
    text = texts(array)
    naive, wrong = _in_utc(_cast_where(text, _NAIVE, pa.timestamp("us")), zone)
    found = pc.coalesce(naive, _cast_where(text, _ZONED, MOMENT))
    unreadable = pc.and_(pc.is_valid(text), pc.is_null(found)).to_numpy(zero_copy_only=False)
    for item in wrong:
        unreadable = unreadable & ~item.rows
    if not unreadable.any():
        return found, wrong
    # What is left is rare: unusual but valid ISO 8601, or no time at all.
    rows = np.flatnonzero(unreadable)
    parsed = [_moment(value, zone) for value in text.take(pa.array(rows)).to_pylist()]
    found = pc.replace_with_mask(found, pa.array(unreadable), pa.array(parsed, MOMENT))
    unreadable[rows] = [moment is None for moment in parsed]
    return found, [*wrong, *_wrong(pa.array(unreadable), "not a timestamp")]


def _cast_where(text: pa.Array, pattern: str, kind: pa.DataType) -> pa.Array:
    """The texts that match, cast; null elsewhere, and everywhere if one of them names no day (2026-02-30)."""
    chosen = pc.if_else(_matches(text, pattern), text, pa.scalar(None, pa.string()))
    try:
        return pc.cast(chosen, kind)
    except pa.ArrowInvalid:
        return pa.nulls(len(text), kind)


def _in_utc(moments_: pa.Array, zone: str) -> Parsed:
    """UTC moments; a wall-clock time that a change of clocks skipped does not exist.

    One that the clocks showed twice is taken as the first.
    """
    if moments_.type.tz is not None:
        return pc.cast(moments_, MOMENT), []
    if zone == "UTC":
        return pc.cast(pc.assume_timezone(moments_, "UTC"), MOMENT), []
    aware = pc.assume_timezone(moments_, zone, ambiguous="earliest", nonexistent="earliest")
    skipped = pc.fill_null(pc.not_equal(pc.local_timestamp(aware), moments_), False)
    utc = pc.if_else(skipped, pa.scalar(None, MOMENT), pc.cast(aware, MOMENT))
    return utc, _wrong(skipped, f"a time that does not exist in {zone}")


def _moment(text: str, zone: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        utc = moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        # A wall-clock time that a change of clocks skipped does not come back as itself.
        return utc if utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment else None
    except (ValueError, OverflowError):
        return None


def _bounded(parsed: Parsed) -> Parsed:
    """Moments of the years that partitions have names for."""
    values, wrong = parsed
    inside = pc.and_(
        pc.greater_equal(values, pa.scalar(_EARLIEST, MOMENT)), pc.less(values, pa.scalar(_LATEST, MOMENT))
    )
    outside = pc.invert(pc.fill_null(inside, True))
    if not pc.any(outside).as_py():
        return values, wrong
    kept = pc.if_else(outside, pa.scalar(None, MOMENT), values)
    return kept, [*wrong, *_wrong(outside, "a time outside of 1900 to 2199")]


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


# -- truths ------------------------------------------------------------------------------------------------


def _by_distinct_value(text: pa.Array, meaning: Callable[[str], bool | None], reason: str) -> Parsed:
    encoded = text.dictionary_encode()
    values = [meaning(value) for value in encoded.dictionary.to_pylist()]
    found = pa.array(values, pa.bool_()).take(encoded.indices)
    return found, _wrong(pc.and_(pc.is_valid(text), pc.is_null(found)), reason)


def _truth(text: str) -> bool | None:
    plain = _plain(text)
    return True if plain in _TRUE else False if plain in _FALSE else None


def _plain(text: str) -> str:
    """Without case, and a whole number without its decimals: ``1.0`` is ``1``."""
    return re.sub(r"^([+-]?\d+)\.0*$", r"\1", text.strip().casefold())


# -- types -------------------------------------------------------------------------------------------------


def _decoded(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _is_text(array: pa.Array) -> bool:
    return pa.types.is_string(array.type) or pa.types.is_large_string(array.type) or pa.types.is_null(array.type)


def _is_decimal(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind))


def _as_text(array: pa.Array) -> pa.Array:
    array = _decoded(array)
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_floating(array.type):
        # pandas turns a column of whole numbers with a gap into floats: 17.0 is meant to be 17.
        return pa.array([_number_as_text(value) for value in array.to_pylist()], pa.string())
    if pa.types.is_binary(array.type):
        return pa.array([None if v is None else v.decode("utf-8", "replace") for v in array.to_pylist()], pa.string())
    return pc.cast(array, pa.string())


def _number_as_text(value: float | None) -> str | None:
    if value is None or math.isnan(value):
        return None
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def _matches(text: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(text, pattern), False)


def _wrong(rows: pa.Array, reason: str) -> list[Wrong]:
    mask = pc.fill_null(rows, False).to_numpy(zero_copy_only=False)
    return [Wrong(mask, reason)] if mask.any() else []
