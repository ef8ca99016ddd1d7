"""What all commands print with: colours on a terminal, plain text in a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from fraudops.errors import FraudopsError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


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
