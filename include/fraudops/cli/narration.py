"""Shows a person what happens: a spinner with the time on a terminal, plain lines in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

_QUIET = 15.0
"""Seconds between two lines about what is going on, where there is no terminal."""


@dataclass
class Narration:
    """Implements :class:`fraudops.stack.narrator.Narrator` on a console.

    Attributes
    ----------
    seconds
        Phase → how long it took.
    """

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)
    _progress: Progress | None = None
    _line: TaskID | None = None
    _spoken: float = 0.0

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """A step begins; its time is shown when it ends well."""
        began = self._spoken = time.monotonic()
        if self.console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            with Progress(*columns, console=self.console, transient=True) as self._progress:
                self._line = self._progress.add_task(f"[bold]{escape(title)}[/]")
                self._title = title
                try:
                    yield
                finally:
                    self._progress = self._line = None
        else:
            self.console.print(f"{title} …")
            yield
        self.seconds[title] = time.monotonic() - began
        self.console.print(
            Text("✓ ", style="bold green") + Text(title, style="bold") + Text(f"  {self.seconds[title]:.0f} s", "dim")
        )

    def now(self, text: str) -> None:
        """What is going on at this moment."""
        if self._progress is not None and self._line is not None:
            room = max(20, self.console.width - len(self._title) - 16)
            shown = text if len(text) <= room else text[: room - 1] + "…"
            self._progress.update(self._line, description=f"[bold]{escape(self._title)}[/]  [dim]{escape(shown)}[/]")
        elif time.monotonic() - self._spoken > _QUIET:
            self._spoken = time.monotonic()
            self.console.print(f"    … {text}", markup=False)

    def found(self, text: str) -> None:
        """Something worth keeping on the screen."""
        self.console.print(f"    {text}", markup=False)

    _title: str = ""
