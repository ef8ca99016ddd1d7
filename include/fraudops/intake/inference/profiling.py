"""What a column's values are: numbers, texts, truths, moments; how many, how different, how many missing."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.inference.naming import words
from fraudops.intake.inference.sampling import Sample
from fraudops.intake.values import numbers, texts, without_markers

MARKERS = ("NA", "N/A", "n/a", "NaN", "nan", "NAN", "NULL", "null", "Null", "None", "<NA>", "#N/A", "\\N", "?")
"""Texts that stand for no value wherever they are met."""
_DOUBTFUL = {"NA", "None"}
"""Markers that are values as well: Namibia's code, a kind of nothing."""
_STRAY = 0.8
"""From this share of numbers on, a single other text is a marker."""
_WRONG = 0.005
"""This share of values may be no numbers in a column of numbers; they go to quarantine."""
_MOST_COUNTED = 50

_POINT = re.compile(r"^[+-]?[$€£¥]?\s?[+-]?\d*\.\d+\s?[$€£¥]?$")
_COMMA = re.compile(r"^[+-]?[$€£¥]?\s?[+-]?\d+,\d+\s?[$€£¥]?$")
_COMMA_GROUPS = re.compile(r"^[+-]?[$€£¥]?\s?[+-]?\d{1,3}(,\d{3})+(\.\d+)?\s?[$€£¥]?$")
_POINT_GROUPS = re.compile(r"^[+-]?[$€£¥]?\s?[+-]?\d{1,3}(\.\d{3})+(,\d+)?\s?[$€£¥]?$")
_OTHER_GROUPS = re.compile(r"^[+-]?[$€£¥]?\s?[+-]?\d{1,3}([' ])\d{3}(\1\d{3})*([.,]\d+)?\s?[$€£¥]?$")
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}


class Kind(StrEnum):
    """What the values of a column are."""

    EMPTY = "empty"
    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    """Parquet's own true and false."""
    MOMENT = "moment"
    """Parquet's own timestamps and dates."""
    NESTED = "nested"
    """Lists, structures, bytes: nothing that can be landed."""


@dataclass(frozen=True)
class Style:
    """How the numbers of a file are written."""

    decimal: str = "."
    thousands: str | None = None


@dataclass(frozen=True)
class Profile:
    """A column of the sample."""

    name: str
    """What the file calls it."""
    position: int
    kind: Kind
    raw: pa.Array
    """As it was read."""
    text: pa.Array
    """As texts, null where there is no value."""
    number: npt.NDArray[np.float64]
    """As numbers, NaN where there is none; empty where it is no column of numbers."""
    distinct: int
    counts: tuple[tuple[str, int], ...]
    """The most frequent texts, and how often each is there."""
    markers: tuple[str, ...]
    """Texts met that stand for no value."""
    sign: str | None = None
    """Currency sign at the values."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return words(self.name)

    @property
    def rows(self) -> int:
        """Rows looked at."""
        return len(self.text)

    @property
    def given(self) -> int:
        """How many of them have a value."""
        return self.rows - self.text.null_count

    @property
    def missing(self) -> float:
        """Share of the rows without a value."""
        return self.text.null_count / max(1, self.rows)

    @property
    def values(self) -> list[str]:
        """The most frequent texts."""
        return [value for value, _ in self.counts]

    @property
    def is_complete(self) -> bool:
        """Whether :attr:`values` are all there are."""
        return self.distinct <= len(self.counts)

    @cached_property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers only."""
        found = self.number[np.isfinite(self.number)]
        return bool(len(found)) and bool((found == np.rint(found)).all())

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest number."""
        found = self.number[np.isfinite(self.number)]
        return (float(found.min()), float(found.max())) if len(found) else (math.nan, math.nan)

    @cached_property
    def is_unique(self) -> bool:
        """Whether every row has a value, and no two the same."""
        return self.rows > 1 and self.distinct == self.rows

    @property
    def repeats(self) -> float:
        """How many rows a value has, on average."""
        return self.given / max(1, self.distinct)

    def share(self, pattern: str) -> float:
        """Share of the values that match an RE2 pattern."""
        if not self.given:
            return 0.0
        matched = pc.sum(pc.fill_null(pc.match_substring_regex(self.text, pattern), False)).as_py()
        return float(matched or 0) / self.given

    def some(self, count: int = 3000) -> list[str]:
        """Different values, at most so many, in the order of the file."""
        return list(pc.unique(self.text.drop_null()).slice(0, count).to_pylist())


def profiles(sample: Sample) -> tuple[list[Profile], Style]:
    """The columns of a sample, and how their numbers are written."""
    cleaned = [_text_of(column) for column in sample.columns]
    style = _style([text for column, text in zip(sample.columns, cleaned, strict=True) if _is_read_as_text(column)])
    found = [
        _profile(name, place, column, text, style)
        for place, (name, column, text) in enumerate(zip(sample.names, sample.columns, cleaned, strict=True))
    ]
    return found, style


def markers_of(found: Sequence[Profile]) -> tuple[str, ...]:
    """Every marker met in the file, in a fixed order."""
    return tuple(sorted({marker for profile in found for marker in profile.markers}))


def currency_of(profile: Profile) -> str | None:
    """ISO code of the currency sign at the values, or in the column's name."""
    named = [code for sign, code in _SIGNS.items() if sign in profile.name or code.casefold() in profile.words]
    return _SIGNS.get(profile.sign or "") or next(iter(named), None)


# -- one column --------------------------------------------------------------------------------------------


def _profile(name: str, place: int, raw: pa.Array, text: pa.Array, style: Style) -> Profile:
    kind = _native_kind(raw.type)
    markers: tuple[str, ...] = ()
    number = np.empty(0)
    sign = None
    if kind is Kind.TEXT:
        markers, text = _without_missing(text, style)
        kind, number = _numbers(text, style)
        sign = _currency_sign(text) if kind is Kind.NUMBER else None
    elif kind is Kind.NUMBER:
        number = numbers(raw)[0].to_numpy(zero_copy_only=False)
    if text.null_count == len(text):
        kind = Kind.EMPTY
    distinct, counted = _counts(text) if kind is not Kind.NESTED else (0, ())
    return Profile(name, place, kind, raw, text, number, distinct, counted, markers, sign)


def _counts(text: pa.Array) -> tuple[int, tuple[tuple[str, int], ...]]:
    """How many different texts there are, and the most frequent ones."""
    table = text.drop_null().value_counts()
    values, counts = table.field("values"), table.field("counts")
    if len(table) > _MOST_COUNTED:
        largest = pc.select_k_unstable(counts, _MOST_COUNTED, [("", "descending")])
        values, counts = values.take(largest), counts.take(largest)
    return len(table), tuple(sorted(zip(values.to_pylist(), counts.to_pylist(), strict=True), key=_by_count))


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _native_kind(kind: pa.DataType) -> Kind:
    if pa.types.is_boolean(kind):
        return Kind.TRUTH
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Kind.MOMENT
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Kind.NUMBER
    return Kind.TEXT if _is_text(kind) else Kind.NESTED


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind))


def _is_read_as_text(column: pa.Array) -> bool:
    return _native_kind(column.type) is Kind.TEXT


def _text_of(column: pa.Array) -> pa.Array:
    kind = _native_kind(column.type)
    if kind is Kind.NESTED:
        return pa.array(["x"] * len(column), pa.string())
    if kind is Kind.TEXT:
        return texts(pc.cast(column, pa.string()))
    return texts(column)


def _without_missing(text: pa.Array, style: Style) -> tuple[tuple[str, ...], pa.Array]:
    present = pc.unique(text.drop_null())
    known = list(present.filter(pc.is_in(present, pa.array(MARKERS))).to_pylist())
    rest = without_markers(text, known) if known else text
    stray = _stray_text(rest, style)
    if stray is not None:
        known, rest = [*known, stray], without_markers(rest, [stray])
    doubtful = _DOUBTFUL & set(known)
    if doubtful and _numbers(rest, style)[0] is not Kind.NUMBER and _looks_like_codes(rest):
        known = [value for value in known if value not in doubtful]
        rest = without_markers(text, known) if known else text
    return tuple(known), rest


def _looks_like_codes(text: pa.Array) -> bool:
    """Short words in capitals, such as country codes, among which ``NA`` is one more; or ``None`` among words."""
    values = pc.unique(text.drop_null()).slice(0, 500).to_pylist()
    return len(values) > 1 and sum(value.isalpha() and len(value) <= 12 for value in values) > 0.8 * len(values)


def _stray_text(text: pa.Array, style: Style) -> str | None:
    """The one text among numbers."""
    given = text.drop_null()
    if not len(given):
        return None
    values, wrong = numbers(given, style.decimal, style.thousands)
    if not wrong or values.null_count > (1 - _STRAY) * len(given):
        return None
    left = pc.unique(given.filter(pc.is_null(values)))
    return left[0].as_py() if len(left) == 1 and values.null_count > 1 else None


def _numbers(text: pa.Array, style: Style) -> tuple[Kind, npt.NDArray[np.float64]]:
    given = len(text) - text.null_count
    values, _ = numbers(text, style.decimal, style.thousands)
    unread = values.null_count - text.null_count
    if not given or unread > _WRONG * given:
        return Kind.TEXT, np.empty(0)
    return Kind.NUMBER, values.to_numpy(zero_copy_only=False)


def _currency_sign(text: pa.Array) -> str | None:
    for value in text.drop_null().slice(0, 50).to_pylist():
        for sign in _SIGNS:
            if sign in value:
                return sign
    return None


# -- how numbers are written -------------------------------------------------------------------------------


def _style(columns: Sequence[pa.Array]) -> Style:
    """The way of writing numbers under which most columns are columns of numbers."""
    votes: Counter[str] = Counter()
    for text in columns:
        values = [value for value in pc.unique(text.drop_null()).slice(0, 400).to_pylist() if value not in MARKERS]
        votes.update(_votes(values))
    decimal = "," if votes["decimal comma"] > votes["decimal point"] else "."
    if decimal == ",":
        thousands = "." if votes["groups by point"] else None
    else:
        thousands = "," if votes["groups by comma"] else None
    for sign in ("'", " "):
        if thousands is None and votes[f"groups by {sign}"]:
            thousands = sign
    return Style(decimal, thousands)


def _votes(values: list[str]) -> list[str]:
    """What a column's values say about decimals and thousands; nothing, where they are no numbers."""
    kinds = Counter(map(_number_style, values))
    if not values or kinds["none"] > 0.1 * len(values):
        return []
    found = []
    # "1.234" alone may be either: it counts only beside what leaves no doubt.
    if kinds["decimal comma"] or kinds["groups by point, decimal comma"]:
        found.append("decimal comma")
    elif kinds["decimal point"] or kinds["groups by comma, decimal point"]:
        found.append("decimal point")
    if kinds["groups by comma, decimal point"] or (kinds["groups by comma"] and not kinds["decimal comma"]):
        found.append("groups by comma")
    if kinds["groups by point, decimal comma"] or kinds["groups by point"] > 1:
        found.append("groups by point")
    found += [f"groups by {sign}" for sign in ("'", " ") if kinds[f"groups by {sign}"]]
    return found


def _number_style(value: str) -> str:
    if match := _OTHER_GROUPS.match(value):
        return f"groups by {match[1]}"
    if match := _COMMA_GROUPS.match(value):
        return "groups by comma, decimal point" if match[2] or value.count(",") > 1 else "groups by comma"
    if match := _POINT_GROUPS.match(value):
        if match[2]:
            return "groups by point, decimal comma"
        return "groups by point" if value.count(".") > 1 else "decimal point"
    if _COMMA.match(value):
        return "decimal comma"
    if _POINT.match(value):
        return "decimal point"
    return "whole" if re.fullmatch(r"[+-]?[$€£¥]?\s?[+-]?\d+\s?[$€£¥]?", value) else "none"
