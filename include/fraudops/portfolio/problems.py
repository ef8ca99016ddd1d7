"""What is wrong with a portfolio: each problem with its key, the value, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fraudops.errors import ConfigurationError

Path = tuple[str | int, ...]
"""Keys and places in lists that lead to a value of the YAML."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    path: Path
    """Where; empty for the file as a whole."""
    message: str
    value: str | None = None
    """What is there."""
    remedy: str | None = None
    """What would be right."""
    line: int | None = None
    """Line of the file, where that is known."""

    @property
    def key(self) -> str:
        """``features.behaviour[0].entity``."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return text or "(whole file)"

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        place = f"line {self.line}, " if self.line is not None else ""
        given = f" (got {self.value})" if self.value is not None else ""
        remedy = f" → {self.remedy}" if self.remedy else ""
        return f"{place}{self.key}: {self.message}{given}{remedy}"


class PortfolioError(ConfigurationError):
    """A portfolio's YAML is wrong.

    Attributes
    ----------
    problems
        Every one that was found, in the order of the file's lines.
    """

    def __init__(self, problems: Iterable[Problem], *, where: str) -> None:
        self.problems = tuple(sorted(problems, key=lambda item: item.line or 0))
        count = len(self.problems)
        lines = "".join(f"\n  {problem.sentence}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count > 1 else ''}:{lines}", where=where)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that somebody most likely meant."""
    by_plain = {text.casefold(): text for text in known}
    close = difflib.get_close_matches(str(name).casefold(), by_plain, n=1, cutoff=0.6)
    return by_plain[close[0]] if close else None


def choose_of(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not known: the nearest one, or the list of them."""
    names = sorted(known)
    found = nearest(name, names)
    if found is not None:
        return f"did you mean {found!r}?"
    return f"use one of {', '.join(names)}" if names else "there is none"


def no_column(path: Path, name: str, known: Iterable[str]) -> Problem:
    """A column is named that is not there."""
    return Problem(path, f"there is no column {name!r}", remedy=choose_of(name, known))


def not_a_share(path: Path, value: float) -> Iterator[Problem]:
    """A problem where a number is no share."""
    if not 0 <= value <= 1:
        yield Problem(path, "a share lies between 0 and 1", f"{value:g}")
