"""The page that a validation leaves: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, Template, select_autoescape

_SHOWN = 40
"""Up to this many columns are all shown."""
_WORTH_FOLDING = 4
_FOLDED = 50
"""Columns under one fold."""


@dataclass(frozen=True)
class CheckLine:
    """One check and how it went."""

    column: str | None
    expected: str
    observed: str
    passed: bool

    @property
    def sentence(self) -> str:
        """For a message."""
        return f"{self.column or 'partition'}: expected {self.expected}; observed {self.observed}"


@dataclass(frozen=True)
class Section:
    """Columns that are shown in one table."""

    columns: Mapping[str | None, Sequence[CheckLine]]
    folded: bool

    @property
    def title(self) -> str:
        """The first and the last of its columns, in words."""
        names = [name or "the partition" for name in self.columns]
        return f"{names[0]} to {names[-1]}: {len(names)} columns"

    @property
    def checks(self) -> int:
        """How many lines it has."""
        return sum(len(lines) for lines in self.columns.values())


def render_page(title: str, content: Mapping[str, Any], lines: Sequence[CheckLine]) -> str:
    """The page of a result.

    Parameters
    ----------
    content
        What ``result.json`` holds.
    lines
        Its checks, shown by column in their order.
    """
    columns: dict[str | None, list[CheckLine]] = {}
    for line in lines:
        columns.setdefault(line.column, []).append(line)
    failed = [line for line in lines if not line.passed]
    return _template().render(title=title, result=content, sections=sections_of(columns), failed=failed)


def sections_of(columns: Mapping[str | None, Sequence[CheckLine]]) -> list[Section]:
    """Where there are many columns, neighbours with which all is well are folded away, some dozens at a time."""
    if len(columns) <= _SHOWN:
        return [Section(columns, folded=False)]
    found: list[Section] = []
    for well, run in groupby(columns.items(), key=lambda item: item[0] is not None and _holds(item[1])):
        members = list(run)
        folded = well and len(members) >= _WORTH_FOLDING
        for start in range(0, len(members), _FOLDED):
            found.append(Section(dict(members[start : start + _FOLDED]), folded))
    return found


def _holds(lines: Sequence[CheckLine]) -> bool:
    return all(line.passed for line in lines)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("fraudops.intake", "pages"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("validation.html")
