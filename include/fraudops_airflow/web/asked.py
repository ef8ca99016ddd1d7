"""What a page is asked for in its address and in its forms.

What a person typed into a form, and what names one thing, is read strictly: an odd value is said back, never guessed.
What filters a list is left out where nobody knows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from fastapi import HTTPException
from fraudops.errors import ContractError

LONGEST = 2_000
"""Characters of a text that a person types into a form."""
DIGITS = 18
"""Of the largest numbers that the database gives."""
CASE_DIGITS = 9
"""Of the largest number of a case."""
_LONGEST_SEARCHED = 256


def day_of(text: str) -> date | None:
    """A day of an address; None where none is given. 404 where it is none, or far from any calendar in use."""
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        found = date.min
    if found is not None and not 1900 <= found.year < 3000:
        raise HTTPException(404, "Write the day such as 2026-03-05.")
    return found


def is_whole(text: str, most: int = DIGITS) -> bool:
    """Whether a text is a whole number of at most so many digits."""
    return text.isascii() and text.isdecimal() and len(text) <= most


def whole(text: str) -> int:
    """A number of an address. 404 where it is none, or no database has one so high."""
    if not is_whole(text):
        raise HTTPException(404, "Nothing has this number.")
    return int(text)


def known(values: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """One of some choices; empty where it is none of them."""
    value = values.get(name, "")
    return value if value in choices else ""


def searched(values: Mapping[str, str], name: str) -> str:
    """What somebody looks for, without what the database cannot compare with anything."""
    return values.get(name, "").replace("\0", "").strip()[:_LONGEST_SEARCHED]


def typed(text: str, name: str, *, longest: int = LONGEST) -> str:
    """A text that a person typed.

    Raises
    ------
    ContractError
        It is too long.
    """
    if len(text) > longest:
        raise ContractError(
            f"the text has {len(text):,} characters", where=name, remedy=f"shorten it to {longest:,} at most"
        )
    return text.replace("\r\n", "\n").replace("\x00", "")


def typed_day(text: str, name: str) -> date:
    """A day that a person typed.

    Raises
    ------
    ContractError
        It is none.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ContractError(f"{text[:40]!r} is no day", where=name, remedy="write it such as 2026-03-30") from None


def required(text: str, what: str) -> str:
    """A text that must not be empty.

    Raises
    ------
    ContractError
        It is.
    """
    if not text.strip():
        raise ContractError("something is missing", where="form", remedy=f"give {what}")
    return text
