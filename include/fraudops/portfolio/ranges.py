"""Names that stand for several: ``V{1..28}`` is V1 to V28."""

from __future__ import annotations

import re

_MOST = 5_000
"""Columns beyond which a range is a slip of the pen."""
_RANGE = re.compile(r"(.*)\{(\d+)\.\.(\d+)\}(.*)")


def expanded_names(name: str) -> list[str] | None:
    """The names that a range stands for; None for a name that is no range, none at all for a range of nothing.

    Examples
    --------
    >>> expanded_names("V{1..3}"), expanded_names("amount")
    (['V1', 'V2', 'V3'], None)
    """
    match = _RANGE.fullmatch(name)
    if match is None:
        return None
    if not 0 <= int(match[3]) - int(match[2]) < _MOST:
        return []
    return [f"{match[1]}{number}{match[4]}" for number in range(int(match[2]), int(match[3]) + 1)]
