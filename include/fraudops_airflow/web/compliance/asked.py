"""What a page is asked for in its address and forms, read strictly: an odd value is said back, never guessed."""

from __future__ import annotations

from datetime import date

from fastapi import HTTPException
from fraudops.errors import ContractError

LONGEST = 2_000
"""Characters of a text that a person types into a form."""


def day_of(text: str) -> date | None:
    """A day of an address; None where none is given. 404 where it is none, or far from any calendar in use."""
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        found = date.min
    if found is not None and not 1900 <= found.year < 3000:
        raise HTTPException(404, "Write the day such as 2026-03-05.")
    return found


def whole(text: str) -> int:
    """A number of an address. 404 where it is none, or no database has one so high."""
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise HTTPException(404, "Nothing has this number.")
    return int(text)


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
