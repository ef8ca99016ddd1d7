"""The page that a validation leaves: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, Template, select_autoescape


@dataclass(frozen=True)
class CheckLine:
    """One check and how it went."""

    column: str | None
    expected: str
    observed: str
    passed: bool
    expectation: str
    """Great Expectations' name of the check."""

    @property
    def sentence(self) -> str:
        """For a message."""
        return f"{self.column or 'partition'}: expected {self.expected}; observed {self.observed}"


def render_page(title: str, content: Mapping[str, Any], lines: Sequence[CheckLine]) -> str:
    """The page of a result.

    Parameters
    ----------
    content
        What ``result.json`` holds.
    lines
        Its checks, shown by column in their order.
    """
    groups: dict[str | None, list[CheckLine]] = {}
    for line in lines:
        groups.setdefault(line.column, []).append(line)
    failed = [line for line in lines if not line.passed]
    return _template().render(title=title, result=content, groups=groups, failed=failed)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("fraudops.intake", "pages"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("validation.html")
