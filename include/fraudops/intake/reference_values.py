"""Values of reference files: days, countries, currencies, rates, documents, lists of names.

As in :mod:`fraudops.intake.values`, an empty field is null and never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.values import Parsed, decoded, texts, wrong_where
from fraudops.portfolio.iso import COUNTRIES, MINOR_DIGITS
from fraudops.reference.schemas import RATE

SEPARATOR = "|"
_EARLIEST, _LATEST = date(1850, 1, 1), date(2200, 1, 1)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DOCUMENT = re.compile(r"([a-z][a-z0-9_]*)(?::(.*))?")
_RATE = re.compile(r"(\d{1,10})(?:\.(\d{1,8})0*)?")


def days(array: pa.Array) -> Parsed:
    """Days, written ``2026-03-05`` or typed as such; one before 1850 or after 2199 is a typing error."""
    array = decoded(array)
    if pa.types.is_date(array.type):
        array = pc.strftime(pc.cast(array, pa.timestamp("s")), format="%Y-%m-%d")
    elif pa.types.is_timestamp(array.type):
        array = pc.strftime(array, format="%Y-%m-%d")
    return _by_value(array, _day, pa.date32(), "not a day such as 2026-03-05")


def countries(array: pa.Array) -> Parsed:
    """Two letters of ISO 3166, written large."""
    return _by_value(array, _country, pa.string(), "not a country of ISO 3166, such as US")


def jurisdictions(array: pa.Array) -> Parsed:
    """A country, or ``EU``."""
    return _by_value(array, _jurisdiction, pa.string(), "not a jurisdiction, such as US or EU")


def currencies(array: pa.Array) -> Parsed:
    """Three letters of ISO 4217, written large."""
    return _by_value(array, _currency, pa.string(), "not a currency of ISO 4217, such as EUR")


def rates(array: pa.Array, decimal: str = ".") -> Parsed:
    """Exact decimals above zero with at most eight places."""
    reason = "not a number above zero with at most eight decimal places"
    return _by_value(array, lambda text: _rate(text.replace(decimal, ".")), RATE, reason)


def documents(array: pa.Array) -> Parsed:
    """``passport:2031-05-04|articles:``, kinds written small; what has no day does not expire."""
    return _by_value(array, _documents, pa.string(), "not documents as kind:2026-03-05, with | between them")


def names(array: pa.Array) -> Parsed:
    """Several names with ``|`` between them, without empty ones and white space around them."""
    return _by_value(array, _names, pa.string(), "not names with | between them")


def _by_value(array: pa.Array, meaning: Callable[[str], Any], kind: pa.DataType, reason: str) -> Parsed:
    """Each different text is looked at once."""
    encoded = texts(array).dictionary_encode()
    values = pa.array([meaning(text) for text in encoded.dictionary.to_pylist()], kind)
    found = values.take(encoded.indices)
    return found, wrong_where(pc.and_(pc.is_valid(encoded), pc.is_null(found)), reason)


def _day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if _EARLIEST <= found < _LATEST else None


def _country(text: str) -> str | None:
    return text.upper() if text.upper() in COUNTRIES else None


def _jurisdiction(text: str) -> str | None:
    return "EU" if text.upper() == "EU" else _country(text)


def _currency(text: str) -> str | None:
    return text.upper() if text.upper() in MINOR_DIGITS else None


def _rate(text: str) -> Decimal | None:
    found = _RATE.fullmatch(text)
    value = Decimal(f"{found[1]}.{found[2] or 0}") if found else Decimal(0)
    return value or None


def _documents(text: str) -> str | None:
    found = []
    for part in filter(None, (part.strip() for part in text.split(SEPARATOR))):
        document = _DOCUMENT.fullmatch(part.lower())
        expires = (document[2] or "").strip() if document else ""
        if document is None or (expires and _day(expires) is None):
            return None
        found.append(f"{document[1]}:{expires}")
    return SEPARATOR.join(found) or None


def _names(text: str) -> str:
    return SEPARATOR.join(part for part in (part.strip() for part in text.split(SEPARATOR)) if part)
