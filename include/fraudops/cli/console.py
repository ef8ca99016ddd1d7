"""What all commands print with: colours on a terminal, plain text in a pipe."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from rich.console import Console
from rich.text import Text

from fraudops.errors import FraudopsError

_PLAIN_WIDTH = 120
"""Columns of tables where there is no terminal to say: rich would take 80 and cut paths short."""


def _width(stream: TextIO) -> int | None:
    return None if stream.isatty() or "COLUMNS" in os.environ else _PLAIN_WIDTH


out = Console(highlight=False, soft_wrap=True, width=_width(sys.stdout))
err = Console(stderr=True, highlight=False, soft_wrap=True, width=_width(sys.stderr))


def tell(sentence: str) -> None:
    """Say what is being done."""
    out.print(Text(f"· {sentence}", style="dim"))


def show_error(error: FraudopsError) -> None:
    """Print an error as a person wants to read it: what, where, what to do; no traceback."""
    err.print(Text("error: ", style="bold red") + Text(error.what, style="default"))
    if error.where:
        err.print(Text("  where: ", style="bold") + Text(error.where))
    if error.remedy:
        err.print(Text("  what to do: ", style="bold") + Text(error.remedy))


def printable(text: str) -> str:
    """The text with everything that a terminal would obey instead of showing it written out.

    What senders write into their files may hold escape sequences and line breaks.

    Examples
    --------
    >>> printable("shop\\x1b[2Jname")
    'shop\\\\x1b[2Jname'
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
