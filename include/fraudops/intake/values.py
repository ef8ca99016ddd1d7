"""What fields mean: text and the types of Parquet become numbers, texts, truths. Whole columns at a time.

Moments are in :mod:`fraudops.intake.times`.

Each function returns the values and says which of the given ones were none of their kind; those come out null.
An empty field is null and never wrong: whether it may be empty is decided elsewhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.portfolio import Column

Mask = npt.NDArray[np.bool_]

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NOT_FINITE = r"^[+-]?(?i:nan|inf|infinity)$"
_CURRENCY_SIGN = r"^([+-]?)[$€£¥]\s*|\s*[€£$¥]$"
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})
_SEPARATOR = "|"
_USUAL_POSITIVE = Column.model_fields["positive"].default


@dataclass(frozen=True)
class Wrong:
    """Rows whose value was not of its kind, and what it was not."""

    rows: Mask
    reason: str


Parsed = tuple[pa.Array, list[Wrong]]
Parser = Callable[[pa.Array], Parsed]


def texts(array: pa.Array) -> pa.Array:
    """Strings without white space around them, null where nothing is left."""
    text = _as_text(array)
    trimmed = pc.utf8_trim_whitespace(text)
    empty = pc.equal(pc.binary_length(trimmed), 0)
    if not pc.any(empty).as_py():
        return trimmed
    return pc.if_else(empty, pa.scalar(None, pa.string()), trimmed)


def joined(arrays: Sequence[pa.Array]) -> pa.Array:
    """The texts of several columns as one, null where all of them are."""
    parts = [texts(array) for array in arrays]
    together = pc.binary_join_element_wise(*parts, _SEPARATOR, null_handling="replace")
    given = pc.is_valid(parts[0])
    for part in parts[1:]:
        given = pc.or_(given, pc.is_valid(part))
    return pc.if_else(given, together, pa.scalar(None, pa.string()))


def without_markers(array: pa.Array, markers: Sequence[str]) -> pa.Array:
    """Null where a text is one of the markers for "no value"; other types are left alone."""
    array = decoded(array)
    if not is_text(array):
        return array
    marked = pc.is_in(pc.utf8_trim_whitespace(array), pa.array(markers, array.type))
    return pc.if_else(marked, pa.scalar(None, array.type), array)


def numbers(array: pa.Array, decimal: str = ".", thousands: str | None = None) -> Parsed:
    """Floats; ``nan`` and ``inf`` are no numbers, but a NaN in a Parquet file is an empty field.

    A currency sign in front or behind is allowed for: ``$134.09``, ``-€5``, ``12.50 €``.
    """
    array = decoded(array)
    if not is_text(array):
        return _native_numbers(array)
    if decimal == "." and thousands is None:
        try:
            return _finite(pc.cast(array, pa.float64()))
        except pa.ArrowInvalid:
            pass  # some field is empty or not a number: look at each
    text = texts(array)
    if pc.any(pc.match_substring_regex(text, _CURRENCY_SIGN)).as_py():
        text = pc.replace_substring_regex(text, _CURRENCY_SIGN, r"\1")
    if thousands is not None:
        text = _without_separators(text, thousands, decimal)
    if decimal != ".":
        text = _with_point(text, decimal)
    numeric = matching(text, _NUMBER)
    unbounded = matching(text, _NOT_FINITE)
    values, infinite = _finite(pc.cast(pc.if_else(numeric, text, pa.scalar(None, pa.string())), pa.float64()))
    found = [*infinite, *wrong_where(unbounded, "not a finite number")]
    wrong = pc.and_not(pc.is_valid(text), pc.or_(numeric, unbounded))
    if pc.any(wrong).as_py():
        other = "," if decimal == "." else "."
        foreign = pc.and_(wrong, _has_separator(texts(array), other))
        found += wrong_where(foreign, f"a number with {other!r} in it")
        found += wrong_where(pc.and_not(wrong, foreign), "not a number")
    return values, found


def booleans(array: pa.Array, column: Column) -> Parsed:
    """True and false: as words, as 1 and 0, or as the column's own texts for them."""
    array = decoded(array)
    if pa.types.is_boolean(array.type):
        return array, []
    if column.positive == _USUAL_POSITIVE and not column.negative:
        return _by_distinct_value(texts(array), _truth, "neither true nor false")
    return _by_distinct_value(texts(array), _meaning(column), "neither true nor false")


def labels(array: pa.Array, column: Column) -> Parsed:
    """True where the value is one of the texts that mean fraud, in any spelling of 1 and true; else false.

    Where the column says what means genuine, anything else is no label.
    """
    array = decoded(array)
    if pa.types.is_boolean(array.type):
        # The file itself says that it is a truth.
        return array, []
    return _by_distinct_value(texts(array), _meaning(column), "not a label")


def words(array: pa.Array, known: Sequence[str]) -> Parsed:
    """One of some words, written small, however the file writes them."""
    lowered = pc.utf8_lower(texts(array))
    found = pc.is_in(lowered, pa.array(list(known), pa.string()))
    wrong = pc.and_(pc.is_valid(lowered), pc.invert(found))
    if not pc.any(wrong).as_py():
        return lowered, []
    reason = f"none of {', '.join(known)}"
    return pc.if_else(found, lowered, pa.scalar(None, pa.string())), wrong_where(wrong, reason)


# -- numbers -----------------------------------------------------------------------------------------------


def _native_numbers(array: pa.Array) -> Parsed:
    if not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type) or _is_decimal(array.type)):
        if pa.types.is_boolean(array.type):
            return pc.cast(pc.cast(array, pa.int8()), pa.float64()), []
        return pa.nulls(len(array), pa.float64()), wrong_where(pc.is_valid(array), "not a number")
    values = pc.cast(array, pa.float64(), safe=False)
    missing = pc.fill_null(pc.is_nan(values), False)
    return _finite(pc.if_else(missing, pa.scalar(None, pa.float64()), values))


def _finite(values: pa.Array) -> Parsed:
    # Adding zero turns -0.0 into 0.0, so that equal amounts have equal bytes.
    values = pc.add(values, 0.0)
    wrong = pc.invert(pc.fill_null(pc.is_finite(values), True))
    if not pc.any(wrong).as_py():
        return values, []
    return pc.if_else(wrong, pa.scalar(None, pa.float64()), values), wrong_where(wrong, "not a finite number")


def _without_separators(text: pa.Array, thousands: str, decimal: str) -> pa.Array:
    """The numbers without separators of thousands, where each stands before three digits of the whole part."""
    sign, point = re.escape(thousands), re.escape(decimal)
    proper = matching(text, rf"^[+-]?[0-9]{{1,3}}({sign}[0-9]{{3}})+({point}[0-9]*)?$")
    return pc.if_else(proper, pc.replace_substring(text, thousands, ""), text)


def _has_separator(text: pa.Array, sign: str) -> pa.Array:
    """Whether texts would be numbers if a sign were the decimal one, or separated thousands."""
    other = re.escape("." if sign == "," else ",")
    return matching(text, rf"^[+-]?[0-9]{{1,3}}([{other} ]?[0-9]{{3}})*{re.escape(sign)}[0-9]+({other}[0-9]+)?$")


def _with_point(text: pa.Array, decimal: str) -> pa.Array:
    """The numbers with a point; one that has a point already is ambiguous and becomes no number at all."""
    ambiguous = pc.match_substring(text, ".")
    return pc.if_else(ambiguous, "ambiguous", pc.replace_substring(text, decimal, "."))


# -- truths ------------------------------------------------------------------------------------------------


def _by_distinct_value(text: pa.Array, meaning: Callable[[str], bool | None], reason: str) -> Parsed:
    encoded = text.dictionary_encode()
    values = [meaning(value) for value in encoded.dictionary.to_pylist()]
    found = pa.array(values, pa.bool_()).take(encoded.indices)
    return found, wrong_where(pc.and_(pc.is_valid(text), pc.is_null(found)), reason)


def _meaning(column: Column) -> Callable[[str], bool | None]:
    positive, negative = _spellings(column.positive, "1", "true"), _spellings(column.negative, "0", "false")

    def meaning(text: str) -> bool | None:
        plain = _plain(text)
        if plain in positive:
            return True
        return False if not negative or plain in negative else None

    return meaning


def _spellings(words: tuple[str, ...], digit: str, word: str) -> frozenset[str]:
    """The words without case; a digit and its word stand for each other."""
    plain = frozenset(_plain(text) for text in words)
    return plain | {digit, word} if plain & {digit, word} else plain


def _truth(text: str) -> bool | None:
    plain = _plain(text)
    return True if plain in _TRUE else False if plain in _FALSE else None


def _plain(text: str) -> str:
    """Without case, and a whole number without its decimals: ``1.0`` is ``1``."""
    return re.sub(r"^([+-]?\d+)\.0*$", r"\1", text.strip().casefold())


# -- types -------------------------------------------------------------------------------------------------


def decoded(array: pa.Array) -> pa.Array:
    """The values themselves, where they are kept as numbers of a dictionary."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def is_text(array: pa.Array) -> bool:
    """Whether the values are texts, or nothing at all."""
    return pa.types.is_string(array.type) or pa.types.is_large_string(array.type) or pa.types.is_null(array.type)


def _is_decimal(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind))


def _as_text(array: pa.Array) -> pa.Array:
    array = decoded(array)
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


def matching(text: pa.Array, pattern: str) -> pa.Array:
    """True where a text matches, false where there is none."""
    return pc.fill_null(pc.match_substring_regex(text, pattern), False)


def wrong_where(rows: pa.Array, reason: str) -> list[Wrong]:
    """The reason with its rows, or nothing where there are none."""
    mask = pc.fill_null(rows, False).to_numpy(zero_copy_only=False)
    return [Wrong(mask, reason)] if mask.any() else []
