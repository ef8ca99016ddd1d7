"""What an e-mail address is."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


def is_address(text: str) -> bool:
    """Whether it is ``name@domain`` in ASCII, without a display name.

    Examples
    --------
    >>> is_address("compliance@bank.example"), is_address("Compliance <compliance@bank.example>")
    (True, False)
    """
    return _ADDRESS.fullmatch(text) is not None
