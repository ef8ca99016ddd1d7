"""Plain values of single cells, typed at once: what is written as most are. Everything else is :data:`ODD`.

What these functions give is what :class:`fraudops.intake.mapping.Mapper` gives for the same value; what they are not
sure of they leave to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fraudops.intake.feeds import Feed
from fraudops.intake.masking import luhn
from fraudops.intake.times import formatted_moment
from fraudops.intake.tokens import Keys, token_of
from fraudops.portfolio import Column, Role

ODD: Final = object()
"""Not plain: somebody else has to look at it."""
LONGEST: Final = 1_024
"""Characters of a text."""
Plain = Callable[[Any], Any]
"""A value that is not None → what is stored of it, or :data:`ODD`."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_ACCOUNT = re.compile(r"[0-9A-Z]{4,34}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_UNITS = {"us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "h": 3_600 * 10**6, "d": 86_400 * 10**6}
_WIDEST = 2**63
_REMEMBERED = 256


def plain_of(feed: Feed, name: str, keys: Keys) -> Plain:
    """How a column's plain values are typed; moments as microseconds since 1970."""
    column = feed.columns[name]
    missing = frozenset(feed.source.missing)
    text = _text(missing)
    match column.role:
        case _ if column.parts is not None or column.rows_per_day is not None:
            return _nothing
        case Role.TIME:
            return _moment(column, feed.start or _EARLIEST, feed.end or _LATEST, missing)
        case Role.AMOUNT | Role.NUMBER:
            written = feed.source.decimal == "." and feed.source.thousands is None
            return _number(column, written=written)
        case Role.CARD:
            return _card(text, keys)
        case Role.ACCOUNT:
            return _account(text, keys)
        case Role.BOOLEAN | Role.LABEL:
            return _boolean
    return text


def joined_plain(texts: Sequence[Any], plain: Plain) -> Any:
    """The texts of several fields as one."""
    parts = [None if value is None else plain(value) for value in texts]
    if ODD in parts:
        return ODD
    return "|".join(part or "" for part in parts) if any(part is not None for part in parts) else None


def remembering(plain: Plain, odd: Callable[[Any], Any]) -> Plain:
    """The same, with what was found about values that are not plain remembered: those of truths are few.

    Parameters
    ----------
    odd
        Types a value that is not plain; its answer is remembered unless it is :data:`ODD`.
    """
    known: dict[tuple[type, Any], Any] = {}

    def typed(value: Any) -> Any:
        found = plain(value)
        if found is not ODD or type(value) not in (str, int):
            return found
        place = (type(value), value)
        found = known.get(place, ODD)
        if found is ODD and (found := odd(value)) is not ODD and len(known) < _REMEMBERED:
            known[place] = found
        return found

    return typed


def is_text(value: str) -> bool:
    """Whether it can be written down: halves of characters, which JSON can spell, cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


# -- inside -------------------------------------------------------------------------------------------


def _nothing(value: Any) -> Any:
    return ODD


def _text(missing: frozenset[str]) -> Plain:
    def text(value: Any) -> Any:
        if type(value) is int and -_WIDEST <= value < _WIDEST:
            # As the batch types a file's whole numbers: markers are texts.
            return str(value)
        if type(value) is not str or len(value) > LONGEST or "\0" in value:
            return ODD
        value = value.strip(" ")
        if not value:
            return None
        # Other white space in front or behind is taken away elsewhere: what that is depends on the character.
        if not (_is_ink(value[0]) and _is_ink(value[-1])) or not (value.isascii() or is_text(value)):
            return ODD
        return None if value in missing else value

    return text


def _is_ink(sign: str) -> bool:
    return "!" <= sign <= "~" or sign.isalnum()


def _number(column: Column, *, written: bool) -> Plain:
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum

    def number(value: Any) -> Any:
        kind = type(value)
        if kind is str:
            if not written or _NUMBER.fullmatch(value) is None:
                return ODD
        elif kind is not float and (kind is not int or not -_WIDEST <= value < _WIDEST):
            return ODD
        found = float(value) + 0.0
        return found if low <= found <= high and math.isfinite(found) else ODD

    return number


def _moment(column: Column, first: datetime, end: datetime, missing: frozenset[str]) -> Plain:
    lowest, highest = _micros(max(first, _EARLIEST)), _micros(min(end, _LATEST))
    if column.origin is not None:
        return _offset(column, lowest, highest)
    if column.format is not None:
        return _formatted(column.format, column.timezone, lowest, highest, missing)
    zone = UTC if column.timezone == "UTC" else ZoneInfo(column.timezone)

    def moment(value: Any) -> Any:
        if type(value) is not str or _MOMENT.fullmatch(value) is None or value in missing:
            return ODD
        try:
            read = datetime.fromisoformat(value)
            found = read if read.tzinfo is not None else read.replace(tzinfo=zone)
            if read.tzinfo is None and zone is not UTC:
                found = found.astimezone(UTC)
                if found.astimezone(zone).replace(tzinfo=None) != read:
                    return ODD
            micros = _micros(found)
        except (ValueError, OverflowError):
            return ODD
        return micros if lowest <= micros < highest else ODD

    return moment


def _formatted(form: str, zone: str, lowest: int, highest: int, missing: frozenset[str]) -> Plain:
    def moment(value: Any) -> Any:
        if type(value) is not str or value in missing or not value.isascii() or value != value.strip():
            return ODD
        read = formatted_moment(value, form, zone)
        return micros if read is not None and lowest <= (micros := _micros(read)) < highest else ODD

    return moment


def _offset(column: Column, lowest: int, highest: int) -> Plain:
    unit, start = _UNITS.get(column.unit), _micros(column.origin or _EPOCH)

    def moment(value: Any) -> Any:
        if unit is None or type(value) not in (int, float) or not abs(value) < 2.0**53:
            return ODD
        micros = float(value) * unit
        if not abs(micros) < 2.0**62:
            return ODD
        found = round(micros) + start
        return found if lowest <= found < highest else ODD

    return moment


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _card(text: Plain, keys: Keys) -> Plain:
    def card(value: Any) -> Any:
        found = text(value)
        if found is ODD or found is None:
            return found
        digits = found.replace(" ", "").replace("-", "")
        if not (12 <= len(digits) <= 19 and digits.isascii() and digits.isdigit() and luhn(digits)):
            return ODD
        return token_of(digits, keys)

    return card


def _account(text: Plain, keys: Keys) -> Plain:
    def account(value: Any) -> Any:
        found = text(value)
        if found is ODD or found is None:
            return found
        number = found.translate(_SIGNS)
        if not number.isascii() or _ACCOUNT.fullmatch(number := number.upper()) is None:
            return ODD
        return token_of(f"account:{number}", keys)

    return account


_SIGNS = str.maketrans("", "", " ./-")


def _boolean(value: Any) -> Any:
    return value if type(value) is bool else ODD
