"""What the demo needs of whoever shows a person what happens."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Narrator(Protocol):
    """Whoever shows a person what happens."""

    def phase(self, title: str) -> AbstractContextManager[None]:
        """A step begins; it ends with the block."""

    def now(self, text: str) -> None:
        """What is going on at this moment."""

    def found(self, text: str) -> None:
        """Something worth keeping on the screen."""
