"""Which column, or columns, say when a transaction happened, and how they are to be read.

Every guess is tried with the parser that will land the file: what it cannot read is no time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.inference.profiling import Kind, Profile, Style
from fraudops.intake.inference.sampling import Sample
from fraudops.intake.inference.vocabulary import HAPPENED, OTHER_TIMES, STEPS
from fraudops.intake.times import moments, moments_of_parts
from fraudops.portfolio import Column

NOMINAL = datetime(2020, 1, 1, tzinfo=UTC)
"""Moment zero where a file counts from a start that it does not name."""
_READ = 0.98
"""This share of the values must be moments."""
_EARLIEST, _LATEST = 315_532_800, 4_102_444_800
"""Seconds since 1970 of the years 1980 and 2100."""
_TRIED = 300
_CODE, _SPACE = re.compile("%."), re.compile(r"\s")
_TIME_OF_DAY = r"^\d{1,2}:\d\d(:\d\d(\.\d+)?)?$"

_DATES = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d-%b-%Y",
    "%d/%b/%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%y",
    "%d-%m-%y", "%Y%m%d", "%Y-%m-%d",
)  # fmt: skip
_TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%I:%M%p", "%H%M%S", "%H.%M.%S", "%H.%M")
_BETWEEN = (" ", "T", ", ", " - ", ":", "_")
_ZONES = ("", " %z", "%z", " UTC", " GMT")

_PARTS = {
    "year": ("year", "yr", "jahr"),
    "month": ("month", "mon", "monat"),
    "week": ("weekofmonth", "week", "weekofyear", "isoweek", "woche"),
    "weekday": ("dayofweek", "weekday", "dow", "wochentag"),
    "day": ("day", "dayofmonth", "dom", "tag"),
    "hour": ("hour", "hr", "hourofday", "stunde"),
    "minute": ("minute", "min"),
    "second": ("second", "sec"),
}


class Resolution(IntEnum):
    """The smallest difference of time that a file tells."""

    FINE = 1
    HOUR = 2
    DAY = 3
    MONTH = 4
    NONE = 5
    """There is no time: the order of the rows stands for it."""


@dataclass(frozen=True)
class Clock:
    """How a file tells the time."""

    columns: tuple[str, ...]
    """The file's columns that it is read from; empty where there is no time."""
    settings: dict[str, Any]
    """Keys of the portfolio's column beside its role."""
    moments: npt.NDArray[np.int64]
    """Microseconds since 1970 of the sample's rows that have one."""
    resolution: Resolution
    reason: str
    """Why these columns, and what was read."""
    unsure: tuple[str, ...] = ()
    nominal: bool = False
    """Whether the file counts from a start that it does not name."""


def find_clock(sample: Sample, found: Sequence[Profile], style: Style) -> Clock | None:
    """The time of a sample's rows, or None where nothing in the file tells it."""
    candidates = sorted(_timestamps(found), key=lambda item: -item[0])
    if candidates:
        return candidates[0][1]
    for reader in (_parts, _epoch, _steps, _month_numbers):
        clock = reader(found, sample, style)
        if clock is not None:
            return clock
    return None


def same_time(clock: Clock, profile: Profile) -> bool:
    """Whether a column of numbers says the same as the clock: a second way of writing the time."""
    numbers = profile.number
    if profile.kind is not Kind.NUMBER or len(numbers) != len(clock.moments) or profile.distinct < 10:
        return False
    given = np.isfinite(numbers)
    if given.mean() < _READ:
        return False
    first, second = numbers[given], clock.moments[given].astype(float)
    if not first.std() or not second.std():
        return False
    return bool(np.corrcoef(first, second)[0, 1] > 0.9999)


def looks_like_moments(profile: Profile) -> bool:
    """Whether a text column holds dates, whichever."""
    return profile.kind is Kind.MOMENT or (profile.kind is Kind.TEXT and _written(profile) is not None)


# -- timestamps --------------------------------------------------------------------------------------------


def _timestamps(found: Sequence[Profile]) -> Iterator[tuple[float, Clock]]:
    for profile in found:
        if profile.missing > 1 - _READ or profile.distinct < 2:
            continue
        if profile.kind is Kind.MOMENT:
            read = moments(profile.raw, Column.model_validate({"role": "time"}))[0]
            yield _rated(profile, read, {}, f"timestamps of the Parquet file, {_shown(read)}", ())
        elif profile.kind is Kind.TEXT or _could_be_a_day(profile):
            written = _written(profile)
            if written is not None:
                form, unsure = written
                paired = _with_time_of_day(profile, form, found)
                settings: dict[str, Any] = {} if form is None else {"format": form}
                read = _read(profile.text, form)
                if paired is not None and _resolution(read) is Resolution.DAY:
                    yield _of_date_and_time(profile, paired, settings, unsure)
                    continue
                how = "ISO 8601" if form is None else f"the form {form}"
                yield _rated(profile, read, settings, f"timestamps in {how}, {_shown(read)}", unsure)


def _rated(
    profile: Profile, read: pa.Array, settings: dict[str, Any], reason: str, unsure: tuple[str, ...]
) -> tuple[float, Clock]:
    resolution = _resolution(read)
    rating = 3.0 * bool(HAPPENED & set(profile.words)) - 5.0 * bool(OTHER_TIMES & set(profile.words))
    rating += {Resolution.FINE: 1.0, Resolution.HOUR: 0.8}.get(resolution, 0.0)
    rating += 1.0 * _is_ascending(_micros(read)) - 0.01 * profile.position
    more: tuple[str, ...] = ()
    if not _names_a_zone(profile):
        more = ("which zone the clock is in: timezone is UTC unless you name one, such as Europe/Berlin",)
    clock = Clock((profile.name,), settings, _micros(read), resolution, reason, (*unsure, *more))
    return rating, clock


def _names_a_zone(profile: Profile) -> bool:
    if profile.kind is Kind.MOMENT:
        return getattr(profile.raw.type, "tz", None) is not None
    return profile.share(r"(Z|UTC|GMT|[+-]\d\d:?\d\d)$") > 0.9 and profile.share(r"\d:\d") > 0.9


def _could_be_a_day(profile: Profile) -> bool:
    """Numbers such as 20240131."""
    low, high = profile.bounds
    return profile.kind is Kind.NUMBER and profile.is_whole and low >= 19_000_101 and high <= 21_001_231


def _written(profile: Profile) -> tuple[str | None, tuple[str, ...]] | None:
    """How a column's moments are written: None within for ISO 8601; None as a whole where they are no moments."""
    values = profile.some(_TRIED)
    if not values or max(map(len, values)) > 40 or not any(c.isdigit() for c in values[0]) or len(values[0]) < 6:
        return None
    text = pa.array(values, pa.string())
    if profile.kind is Kind.TEXT and profile.share(r"^\d{4}-\d\d-\d\d") > _READ and _reads(text, None):
        return None, ()
    fitting = [form for form in _forms(values[0]) if _reads(text, form)]
    fitting = [form for form in fitting if _reads(_sample_of(profile.text), form)]
    if not fitting:
        return None
    return _least_ambiguous(profile, fitting)


def _forms(example: str) -> Iterator[str]:
    """Formats that read an example."""
    signs = frozenset(_SPACE.sub(" ", example.casefold()))
    # Python compiles a pattern for each format anew: only for those of which the example has every sign.
    return (form for form, needed in _all_forms() if needed <= signs and _fits(example, form))


@cache
def _all_forms() -> tuple[tuple[str, frozenset[str]], ...]:
    """Every format that is tried, and the signs in it that a text must have, in whichever case."""
    times = [("", ""), *((f"{between}{time}", zone) for between, time, zone in product(_BETWEEN, _TIMES, _ZONES))]
    forms = [f"{date}{time}{zone}" for date, (time, zone) in product(_DATES, times)]
    return tuple((form, frozenset(_CODE.sub("", form).casefold())) for form in forms)


def _fits(text: str, form: str) -> bool:
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007 (only whether it can be read)
    except ValueError:
        return False
    return 1970 <= moment.year <= 2100


def _reads(text: pa.Array, form: str | None) -> bool:
    given = len(text) - text.null_count
    return given > 0 and len(_read(text, form).drop_null()) >= _READ * given


def _read(text: pa.Array, form: str | None) -> pa.Array:
    return moments(text, Column.model_validate({"role": "time", "format": form}))[0]


def _sample_of(text: pa.Array) -> pa.Array:
    step = max(1, len(text) // 2_000)
    return text.take(pa.array(np.arange(0, len(text), step)))


def _least_ambiguous(profile: Profile, forms: list[str]) -> tuple[str, tuple[str, ...]]:
    """Of several formats the one under which the file is in order, or covers the least time."""
    if len(forms) == 1:
        return forms[0], ()

    def strangeness(form: str) -> tuple[bool, int, int]:
        read = _micros(_read(profile.text, form))
        span = int(read.max() - read.min()) if len(read) else 2**62
        return not _is_ascending(read), span, forms.index(form)

    best = min(forms, key=strangeness)
    meant = _read(profile.text, best)
    others = [form for form in forms if not _read(profile.text, form).equals(meant)]
    if not others:
        return best, ()
    return best, (f"day and month may stand the other way round: {', '.join(others)} reads the file as well",)


def _resolution(read: pa.Array) -> Resolution:
    micros = _micros(read)
    if not len(micros) or (micros % (86_400 * 10**6) == micros[0] % (86_400 * 10**6)).all():
        days = np.unique(micros.astype("datetime64[us]").astype("datetime64[D]"))
        firsts = days == days.astype("datetime64[M]").astype("datetime64[D]")
        return Resolution.MONTH if len(days) and firsts.all() else Resolution.DAY
    return Resolution.HOUR if (micros % (3_600 * 10**6) == 0).all() else Resolution.FINE


def _with_time_of_day(profile: Profile, form: str | None, found: Sequence[Profile]) -> tuple[str, Profile] | None:
    """Another column with the time of the day that goes with a column of dates, and which part it is."""
    for other in found:
        if other is profile or other.missing > 0.02:
            continue
        named = set(other.words) & {"time", "zeit", "uhrzeit", "tod", "hour", "hr"}
        if not named or set(other.words) & OTHER_TIMES:
            continue
        if other.kind is Kind.TEXT and other.share(_TIME_OF_DAY) > _READ:
            return "time", other
        low, high = other.bounds
        if other.kind is Kind.NUMBER and other.is_whole and low >= 0 and high <= 23 and other.distinct > 2:
            return "hour", other
    return None


def _of_date_and_time(
    day: Profile, paired: tuple[str, Profile], settings: dict[str, Any], unsure: tuple[str, ...]
) -> tuple[float, Clock]:
    part, time = paired
    column = Column.model_validate({"role": "time", "parts": {"date": day.name, part: time.name}, **settings})
    read = moments_of_parts({"date": day.text, part: time.text}, column)[0]
    how = f"the date in {day.name!r} and the {'time of the day' if part == 'time' else 'hour'} in {time.name!r}"
    rating, clock = _rated(day, read, settings, f"{how}, {_shown(read)}", unsure)
    content = {"parts": {"date": day.name, part: time.name}, **settings}
    return rating + 1, Clock((day.name, time.name), content, clock.moments, clock.resolution, clock.reason, unsure)


# -- parts -------------------------------------------------------------------------------------------------


def _parts(found: Sequence[Profile], sample: Sample, style: Style) -> Clock | None:
    named = {part: profile for part in _PARTS if (profile := _part(part, found)) is not None}
    if "year" not in named:
        return None
    if {"month", "day"} <= named.keys():
        wanted = ["year", "month", "day"]
    elif {"month", "week", "weekday"} <= named.keys():
        wanted = ["year", "month", "week", "weekday"]
    elif {"week", "weekday"} <= named.keys():
        wanted = ["year", "week", "weekday"]
    elif "month" in named:
        wanted = ["year", "month"]
    elif "week" in named:
        wanted = ["year", "week"]
    else:
        return None
    chosen = {part: named[part] for part in wanted}
    chosen |= _time_parts(named, found)
    parts = {part: profile.name for part, profile in chosen.items()}
    column = Column.model_validate({"role": "time", "parts": parts})
    read = moments_of_parts({part: profile.text for part, profile in chosen.items()}, column)[0]
    if read.null_count > (1 - _READ) * len(read):
        return None
    resolution = Resolution.MONTH if wanted == ["year", "month"] else _resolution(read)
    told = ", ".join(repr(name) for name in parts.values())
    unsure = ("week counts within the month: 1 for days 1 to 7",) if "week" in wanted and "month" in wanted else ()
    return Clock(
        tuple(parts.values()), {"parts": parts}, _micros(read), resolution, f"put together from {told}, {_shown(read)}",
        unsure,
    )  # fmt: skip


def _part(part: str, found: Sequence[Profile]) -> Profile | None:
    for name in _PARTS[part]:
        for profile in found:
            if "".join(profile.words) == name and not profile.missing and _is_part(part, profile):
                return profile
    return None


def _is_part(part: str, profile: Profile) -> bool:
    low, high = profile.bounds
    limits = {
        "year": (1900, 2100), "month": (1, 12), "week": (1, 53), "weekday": (1, 7), "day": (1, 31), "hour": (0, 23),
        "minute": (0, 59), "second": (0, 59),
    }  # fmt: skip
    least, most = limits[part]
    if profile.kind is Kind.NUMBER:
        return profile.is_whole and least <= low and high <= most
    return part in ("month", "weekday") and profile.is_complete


def _time_parts(named: dict[str, Profile], found: Sequence[Profile]) -> dict[str, Profile]:
    for profile in found:
        is_named = "time" in profile.words and len(profile.words) <= 2 and profile.kind is Kind.TEXT
        if is_named and profile.share(_TIME_OF_DAY) > _READ:
            return {"time": profile}
    chosen: dict[str, Profile] = {}
    for part in ("hour", "minute", "second"):
        if part not in named:
            break
        chosen[part] = named[part]
    return chosen


# -- numbers -----------------------------------------------------------------------------------------------


def _epoch(found: Sequence[Profile], sample: Sample, style: Style) -> Clock | None:
    """Seconds, milliseconds or microseconds since 1970; days since 1900, as spreadsheets count."""
    units = {"s": 1.0, "ms": 1e3, "us": 1e6}
    for profile in _numbers(found):
        low, high = profile.bounds
        words = set(profile.words)
        for unit, factor in units.items():
            named = bool(words & (HAPPENED | {"unix", "epoch"}))
            if named and _EARLIEST * factor <= low and high <= _LATEST * factor:
                settings = {"origin": datetime(1970, 1, 1, tzinfo=UTC), "unit": unit}
                return _counted(profile, settings, style, f"counts {_UNIT_NAMES[unit]} since 1970")
        if low >= 20_000 and high <= 70_000 and not profile.is_whole and words & {"date", "datetime", "datum"}:
            settings = {"origin": datetime(1899, 12, 30, tzinfo=UTC), "unit": "d"}
            return _counted(profile, settings, style, "counts days as spreadsheets do, from 1899-12-30")
    return None


def _steps(found: Sequence[Profile], sample: Sample, style: Style) -> Clock | None:
    """An offset from a start that the file does not name."""
    rated = [(_step_rating(profile, sample), profile) for profile in _numbers(found)]
    rated = [(rating, profile) for rating, profile in rated if rating >= 2]
    if not rated:
        return None
    profile = max(rated, key=lambda item: (item[0], -item[1].position))[1]
    unit, sure = _unit_of(profile)
    settings = {"origin": NOMINAL, "unit": unit}
    low, high = profile.bounds
    reason = f"counts {_UNIT_NAMES[unit]} from a start, {low:,.0f} to {high:,.0f}"
    if _is_ascending(profile.number):
        reason += ", ascending in the file"
    unsure = [] if sure else [f"that the unit is {unit}; other units: us, ms, s, m, h, d, w, month"]
    unsure.append("the date of the start: the file does not name it, so the dates are nominal")
    return _counted(profile, settings, style, reason, tuple(unsure), nominal=True)


def _step_rating(profile: Profile, sample: Sample) -> int:
    words = set(profile.words)
    low, _ = profile.bounds
    if (
        low < 0
        or profile.distinct < 5
        or profile.missing
        or words & (OTHER_TIMES | {"age", "count", "balance", "session"})
    ):
        return 0
    named = bool(words & STEPS) and not {"hour", "minute", "length"} & words
    ascending = _is_ascending(profile.number)
    if ascending and profile.is_unique and not named:
        return 0  # a row number
    return 2 * named + (1 + (profile.repeats > 1)) * ascending


def _unit_of(profile: Profile) -> tuple[str, bool]:
    """Unit of an offset, and whether its name or its numbers leave no doubt."""
    words, (low, high) = set(profile.words), profile.bounds
    for unit, names in (
        ("ms", {"ms", "millis", "milliseconds"}), ("s", {"seconds", "second", "secs", "sec"}),
        ("m", {"minutes", "minute"}), ("h", {"hours", "hour"}), ("d", {"days", "day"}),
        ("w", {"weeks", "week"}), ("month", {"months", "month"}),
    ):  # fmt: skip
        if words & names:
            return unit, True
    if "step" in words or high <= 5_000:
        return _hours_or_days(profile), False
    if high >= 4e9:
        return "ms", False
    # A file that begins at exactly one day, in seconds, or has seconds of a few days, is the usual case.
    return "s", low == 86_400 or not profile.is_whole


def _hours_or_days(profile: Profile) -> str:
    low, high = profile.bounds
    if profile.is_whole and 72 <= high - low < 10_000:
        counts = np.bincount((profile.number - low).astype(np.int64))
        daily, half = _similarity(counts, 24), _similarity(counts, 12)
        if daily > 0.3 and daily > half + 0.1:
            return "h"
    return "h" if high > 366 else "d"


def _similarity(counts: npt.NDArray[Any], lag: int) -> float:
    """Correlation of a series with itself so many steps later."""
    first, second = counts[:-lag].astype(float), counts[lag:].astype(float)
    if not first.std() or not second.std():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _month_numbers(found: Sequence[Profile], sample: Sample, style: Style) -> Clock | None:
    """Months without a year, such as 0 to 7; days and weeks likewise."""
    for unit, resolution in (("month", Resolution.MONTH), ("week", Resolution.DAY), ("day", Resolution.DAY)):
        for profile in _numbers(found):
            low, high = profile.bounds
            if profile.words != (unit,) or not profile.is_whole or low < 0 or high > 600 or profile.distinct < 2:
                continue
            settings = {"origin": NOMINAL, "unit": {"month": "month", "week": "w", "day": "d"}[unit]}
            reason = f"counts {unit}s, {low:.0f} to {high:.0f}; nothing in the file is finer"
            unsure = ("the date of the start: the file does not name it, so the dates are nominal",)
            clock = _counted(profile, settings, style, reason, unsure, nominal=True)
            return Clock(clock.columns, settings, clock.moments, resolution, reason, unsure, nominal=True)
    return None


_UNIT_NAMES = {
    "us": "microseconds", "ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days",
    "w": "weeks", "month": "months",
}  # fmt: skip


def _counted(
    profile: Profile,
    settings: dict[str, Any],
    style: Style,
    reason: str,
    unsure: tuple[str, ...] = (),
    *,
    nominal: bool = False,
) -> Clock:
    read = moments(profile.raw, Column.model_validate({"role": "time", **settings}), style.decimal)[0]
    resolution = {"month": Resolution.MONTH, "d": Resolution.DAY, "w": Resolution.DAY, "h": Resolution.HOUR}.get(
        settings["unit"], Resolution.FINE
    )
    if resolution is not Resolution.MONTH and not profile.is_whole:
        resolution = Resolution.FINE
    return Clock((profile.name,), settings, _micros(read), resolution, reason, unsure, nominal)


def _numbers(found: Sequence[Profile]) -> list[Profile]:
    return [profile for profile in found if profile.kind is Kind.NUMBER and profile.missing <= 1 - _READ]


def _micros(read: pa.Array) -> npt.NDArray[np.int64]:
    return pc.cast(read.drop_null(), pa.int64()).to_numpy(zero_copy_only=False)


def _is_ascending(values: npt.NDArray[Any]) -> bool:
    """Whether the sample's rows are in this order, but for a few."""
    if len(values) < 20:
        return False
    return bool((np.diff(values) >= 0).mean() > 0.995)


def _shown(read: pa.Array) -> str:
    found = pc.min_max(read).as_py()
    if found["min"] is None:
        return "none"
    return f"{found['min']:%Y-%m-%d} to {found['max']:%Y-%m-%d}"
