"""Writes CSV that a spreadsheet may open: no cell of it is taken for a formula.

A merchant called ``=cmd|'/C calc'!A1`` is text to us. Opened in a spreadsheet it would run. So a text that begins
like a formula gets an apostrophe in front, which spreadsheets do not show; numbers stay what they are. Every CSV
file that is written for people goes through here.

References
----------
OWASP, *CSV Injection*: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from fraudops.errors import ContractError

_FORMULA = re.compile(r"[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0]")
"""Signs that begin a formula, full-width ones as well, and control characters that hide one."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def safe_cell(value: Any) -> Any:
    """The value, or a text with an apostrophe in front if a spreadsheet would take it for a formula.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("-5.20"), safe_cell(-5.2), safe_cell("a=b")
    ("'=1+1", '-5.20', -5.2, 'a=b')
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value) or not _FORMULA.match(value):
        return value
    return f"'{value}"


def write_csv(stream: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows, each value of a text quoted; returns how many rows.

    Parameters
    ----------
    stream
        Opened with ``newline=""``.
    """
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in header])
    count = 0
    for row in rows:
        writer.writerow(["" if value is None else safe_cell(value) for value in row])
        count += 1
    return count


def export_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows to a file that somebody named; returns how many rows.

    Raises
    ------
    ContractError
        The file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            return write_csv(stream, header, rows)
    except OSError as error:
        raise ContractError(
            f"the file cannot be written: {error.strerror}", where=str(path), remedy="give another path"
        ) from None
