"""Keeps card numbers and personal data out of what is written about rejected rows."""

from __future__ import annotations

import re

MASKED = "[masked]"

_RUN = re.compile(r"(?<!\d)\d{13,19}(?!\d)")
_SPACED = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?![ -]?\d)")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
"""A digit → the digit sum of its double."""
_MANY_DIGITS = re.compile(r"(?:\d[ -]?){13}")


def luhn(digits: str) -> bool:
    """Whether a string of digits has a valid check digit (ISO/IEC 7812).

    Examples
    --------
    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    signs = digits.encode()
    total = sum(signs[-1::-2]) + sum(signs[-2::-2].translate(_DOUBLED)) - 48 * len(signs)
    return total % 10 == 0


def mask_card_numbers(text: str) -> str:
    """The text with every run of 13 to 19 digits that passes the check reduced to BIN and last four.

    Examples
    --------
    >>> mask_card_numbers("paid with 4111 1111 1111 1111.")
    'paid with 411111…1111.'
    """
    if not _MANY_DIGITS.search(text):
        return text
    return _SPACED.sub(_masked, _RUN.sub(_masked, text))


def mask_card(value: str) -> str:
    """A value of a card column: BIN and last four of a valid number, nothing of anything else.

    Something that is almost a card number may well be one with a typing error.
    """
    digits = re.sub(r"[ -]", "", value)
    valid = re.fullmatch(r"[0-9]{13,19}", digits) is not None and luhn(digits)
    return f"{digits[:6]}…{digits[-4:]}" if valid else MASKED


def shape_of(text: str) -> str:
    """The text with its letters and digits replaced: shows how a row is built and nothing that it says.

    Examples
    --------
    >>> shape_of("17,Jo Doe,9.50")
    '99,xx xxx,9.99'
    """
    return "".join("9" if c.isdigit() else "x" if c.isalpha() else c for c in text)


def _masked(match: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", match[0])
    return f"{digits[:6]}…{digits[-4:]}" if digits.isascii() and luhn(digits) else match[0]
