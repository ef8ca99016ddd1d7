"""When it happened: timestamps, offsets from an origin, several columns, or the order of a file become UTC moments.

Like :mod:`fraudops.intake.values`: whole columns at a time; what is no moment comes out null, with its reason.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.feeds import MOMENT
from fraudops.intake.values import Parsed, decoded, is_text, matching, numbers, texts, wrong_where
from fraudops.portfolio import Column

_NAIVE = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$"
_ZONED = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$"
_DAY = 86_400 * 10**6
_UNITS = {"us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "h": 3_600 * 10**6, "d": _DAY, "w": 7 * _DAY}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_NAIVE_MOMENT = pa.timestamp("us")
_SEPARATOR = "\x1f"
_OUTSIDE = "a time outside of 1900 to 2199"
_UNITS_OF_TIMESTAMPS = {"s": Fraction(10**6), "ms": Fraction(10**3), "us": Fraction(1), "ns": Fraction(1, 1000)}
"""Microseconds."""


@dataclass
class Zones:
    """What the times of a file say about their zone."""

    given: bool = False
    """Some say it."""
    left_out: bool = False
    """Some do not, and were read as the column's."""


def moments(array: pa.Array, column: Column, decimal: str = ".", zones: Zones | None = None) -> Parsed:
    """UTC moments, to the microsecond: timestamps, or offsets from the column's origin.

    Parameters
    ----------
    zones
        Takes down what texts say about their zone.
    """
    if column.origin is not None:
        if column.unit == "month":
            return _months(array, column.origin, decimal)
        return _offsets(array, column.origin, _UNITS[column.unit], decimal)
    array = decoded(array)
    if pa.types.is_timestamp(array.type):
        return _native_moments(array, _UNITS_OF_TIMESTAMPS[array.type.unit], column.timezone)
    if pa.types.is_date(array.type):
        return _native_moments(array, Fraction(_DAY if pa.types.is_date32(array.type) else 1_000), column.timezone)
    if column.format is not None:
        return _bounded(_formatted_moments(texts(array), column.format, column.timezone))
    if not is_text(array):
        wrong = pc.is_valid(array)
        return pa.nulls(len(array), MOMENT), wrong_where(
            wrong, "not a timestamp (a number needs an origin in the YAML)"
        )
    return _bounded(_written_moments(array, column.timezone, zones or Zones()))


def moments_of_parts(parts: Mapping[str, pa.Array], column: Column) -> Parsed:
    """UTC moments from the columns of :class:`~fraudops.portfolio.TimeParts`, by the part's name."""
    days, no_day = _day_numbers({name: array for name, array in parts.items() if name in _DAY_PARTS}, column.format)
    within, no_time = _times_of_day({name: array for name, array in parts.items() if name not in _DAY_PARTS})
    naive = pc.cast(pc.add(pc.multiply(days, _DAY), within), _NAIVE_MOMENT)
    moments_, wrong = _bounded(_in_utc(naive, column.timezone))
    return moments_, [*no_day, *no_time, *wrong]


def counted_rows(before: int, rows: int, origin: datetime, rows_per_day: int) -> pa.Array:
    """UTC moments of a file's rows by their number: so many of them fill a day, at equal distances.

    Parameters
    ----------
    before
        How many rows of the file came before these.
    """
    numbers_ = np.arange(before, before + rows, dtype=np.int64)
    whole, rest = np.divmod(numbers_, rows_per_day)
    return pa.array(_microseconds(origin) + whole * _DAY + rest * _DAY // rows_per_day, pa.int64()).cast(MOMENT)


def formatted_moment(text: str, form: str, zone: str) -> datetime | None:
    """The UTC moment that a text in ``strptime`` codes names, if it names one."""
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007 (the zone is given next)
    except ValueError:
        return None
    return _aware(moment, zone)


# -- moments -----------------------------------------------------------------------------------------------


def _offsets(array: pa.Array, origin: datetime, unit: int, decimal: str) -> Parsed:
    values, wrong = numbers(array, decimal)
    start = _microseconds(origin)
    micros = np.rint(values.to_numpy(zero_copy_only=False) * unit)
    inside = (micros + start >= _microseconds(_EARLIEST)) & (micros + start < _microseconds(_LATEST))
    given = pc.is_valid(values).to_numpy(zero_copy_only=False)
    whole = np.where(inside, micros, 0).astype(np.int64) + start
    moments_ = pa.array(whole, mask=~inside).cast(MOMENT)
    return moments_, [*wrong, *wrong_where(pa.array(given & ~inside), _OUTSIDE)]


def _months(array: pa.Array, origin: datetime, decimal: str) -> Parsed:
    """Whole calendar months after the origin."""
    values, wrong = numbers(array, decimal)
    counts = values.to_numpy(zero_copy_only=False)
    whole = np.isfinite(counts) & (counts == np.rint(counts)) & (np.abs(counts) < 12 * 300)
    given = pc.is_valid(values).to_numpy(zero_copy_only=False)
    distinct, place = np.unique(np.where(whole, counts, 0).astype(np.int64), return_inverse=True)
    found = pa.array([_months_after(origin, int(count)) for count in distinct], MOMENT).take(pa.array(place))
    found = pc.if_else(pa.array(whole), found, pa.scalar(None, MOMENT))
    return _bounded((found, [*wrong, *wrong_where(pa.array(given & ~whole), "not a whole number of months")]))


def _months_after(origin: datetime, months: int) -> datetime | None:
    year, month = divmod(origin.year * 12 + origin.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    return origin.replace(year=year, month=month + 1, day=min(origin.day, calendar.monthrange(year, month + 1)[1]))


def _formatted_moments(text: pa.Array, form: str, zone: str) -> Parsed:
    """Moments written in ``strptime`` codes; what Arrow reads at once must come out as it was written."""
    quick = pa.nulls(len(text), _NAIVE_MOMENT)
    if "%z" not in form and "%f" not in form:
        quick = pc.strptime(text, format=form, unit="us", error_is_null=True)
        same = pc.equal(pc.strftime(quick, format=form), text)
        quick = pc.if_else(pc.fill_null(same, False), quick, pa.scalar(None, _NAIVE_MOMENT))
    found, wrong = _in_utc(quick, zone)
    rest = pc.and_(pc.is_valid(text), pc.is_null(quick))
    if not pc.any(rest).as_py():
        return found, wrong
    encoded = pc.if_else(rest, text, pa.scalar(None, pa.string())).dictionary_encode()
    parsed = [formatted_moment(value, form, zone) for value in encoded.dictionary.to_pylist()]
    found = pc.coalesce(found, pa.array(parsed, MOMENT).take(encoded.indices))
    return found, [*wrong, *wrong_where(pc.and_(rest, pc.is_null(found)), f"not a timestamp of the form {form}")]


def _written_moments(array: pa.Array, zone: str, zones: Zones) -> Parsed:
    try:
        found = pc.cast(array, _NAIVE_MOMENT)
        zones.left_out = zones.left_out or found.null_count < len(found)
        return _in_utc(found, zone)
    except pa.ArrowInvalid:
        pass
    try:
        found = pc.cast(array, MOMENT)
        zones.given = zones.given or found.null_count < len(found)
        return found, []
    except pa.ArrowInvalid:
        pass  # empty fields, both kinds in one column, or something else
    text = texts(array)
    naive = _cast_where(text, _NAIVE, _NAIVE_MOMENT)
    zoned = _cast_where(text, _ZONED, MOMENT)
    zones.left_out = zones.left_out or naive.null_count < len(naive)
    zones.given = zones.given or zoned.null_count < len(zoned)
    naive, wrong = _in_utc(naive, zone)
    found = pc.coalesce(naive, zoned)
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
    return found, [*wrong, *wrong_where(pa.array(unreadable), "not a timestamp")]


def _native_moments(array: pa.Array, unit: Fraction, zone: str) -> Parsed:
    """The timestamps and dates of a file that has types; seconds may count further than microseconds."""
    counts = pc.cast(pc.cast(array, pa.int32()) if pa.types.is_date32(array.type) else array, pa.int64())
    lowest, highest = (int(_microseconds(bound) / unit) for bound in (_EARLIEST, _LATEST))
    # A day more on either side: what is a moment in another zone is looked at again when it is one in UTC.
    slack = int(_DAY / unit)
    inside = pc.and_(pc.greater_equal(counts, lowest - slack), pc.less(counts, highest + slack))
    near = pc.if_else(inside, array, pa.scalar(None, array.type))
    kind = pa.timestamp("us", array.type.tz if pa.types.is_timestamp(array.type) else None)
    found, wrong = _bounded(_in_utc(pc.cast(near, kind, safe=False), zone))
    return found, [*wrong, *wrong_where(pc.invert(pc.fill_null(inside, True)), _OUTSIDE)]


def _cast_where(text: pa.Array, pattern: str, kind: pa.DataType) -> pa.Array:
    """The texts that match, cast; null elsewhere, and everywhere if one of them names no day (2026-02-30)."""
    chosen = pc.if_else(matching(text, pattern), text, pa.scalar(None, pa.string()))
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
    return utc, wrong_where(skipped, f"a time that does not exist in {zone}")


def _moment(text: str, zone: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text), zone)
    except ValueError:
        return None


def _aware(moment: datetime, zone: str) -> datetime | None:
    try:
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
    return kept, [*wrong, *wrong_where(outside, _OUTSIDE)]


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


# -- parts -------------------------------------------------------------------------------------------------

_DAY_PARTS = ("date", "year", "month", "week", "weekday", "day")
_MONTHS = {name[:3].casefold(): number for number, name in enumerate(calendar.month_name) if number}
_WEEKDAYS = {name[:3].casefold(): number for number, name in enumerate(calendar.day_name, start=1)}


def _day_numbers(parts: Mapping[str, pa.Array], form: str | None) -> Parsed:
    """Days since 1970; null where a part is missing or they name no day."""

    def day(**texts_: str) -> int | None:
        found = _date(form, **texts_)
        return None if found is None else (found - _EPOCH.date()).days

    return _by_distinct_parts(parts, day, "not a date")


def _times_of_day(parts: Mapping[str, pa.Array]) -> Parsed:
    """Microseconds since midnight; 0 where no part is given at all."""
    if not parts:
        return pa.scalar(0, pa.int64()), []

    def within(**texts_: str) -> int | None:
        found = _time(**texts_)
        if found is None:
            return None
        return ((found.hour * 60 + found.minute) * 60 + found.second) * 10**6 + found.microsecond

    return _by_distinct_parts(parts, within, "not a time of the day")


def _by_distinct_parts(parts: Mapping[str, pa.Array], meaning: Callable[..., int | None], reason: str) -> Parsed:
    """Numbers from several columns of text, each different combination looked at once."""
    columns = [texts(array) for array in parts.values()]
    complete = columns[0]
    if len(columns) > 1:
        complete = pc.binary_join_element_wise(*columns, _SEPARATOR)
    encoded = complete.dictionary_encode()
    values = [
        meaning(**dict(zip(parts, text.split(_SEPARATOR), strict=True))) for text in encoded.dictionary.to_pylist()
    ]
    found = pa.array(values, pa.int64()).take(encoded.indices)
    return found, wrong_where(pc.and_(pc.is_valid(complete), pc.is_null(found)), reason)


def _date(form: str | None, **parts: str) -> date | None:
    try:
        if "date" in parts:
            text = parts["date"]
            return datetime.strptime(text, form).date() if form else date.fromisoformat(text)  # noqa: DTZ007
        year = _whole(parts["year"])
        if "month" not in parts:
            weekday = _named(parts["weekday"], _WEEKDAYS) if "weekday" in parts else 1
            return date.fromisocalendar(year, _whole(parts["week"]), weekday)
        month = _named(parts["month"], _MONTHS)
        if "week" in parts:
            return _in_week_of_month(year, month, _whole(parts["week"]), _named(parts["weekday"], _WEEKDAYS))
        return date(year, month, _whole(parts.get("day", "1")))
    except ValueError:
        return None


def _in_week_of_month(year: int, month: int, week: int, weekday: int) -> date:
    """The weekday among days 1–7, 8–14, …; where the fifth week has none, the last one of the month."""
    if not 1 <= week <= 6:
        raise ValueError(week)
    first = date(year, month, 1)
    day = 1 + (weekday - first.isoweekday()) % 7 + 7 * (week - 1)
    while day > calendar.monthrange(year, month)[1]:
        day -= 7
    return first.replace(day=day)


def _time(**parts: str) -> time_of_day | None:
    try:
        if "time" in parts:
            text = parts["time"]
            found = time_of_day.fromisoformat(text.zfill(5) if text[1:2] == ":" else text)
            return found if found.tzinfo is None else None
        hour, minute, second = (_whole(parts.get(name, "0")) for name in ("hour", "minute", "second"))
        return time_of_day(hour, minute, second)
    except ValueError:
        return None


def _named(text: str, names: Mapping[str, int]) -> int:
    """Number of a month or weekday, by its number or its English name."""
    return names.get(text.casefold()[:3]) or _whole(text)


def _whole(text: str) -> int:
    """A whole number; ``7.0`` is one."""
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)
