"""Reads portfolio files. Errors name the file, the line, the key, the value and what would be right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fraudops.errors import ConfigurationError
from fraudops.portfolio.checking import read_portfolio, readable_training
from fraudops.portfolio.document import Document, read_document
from fraudops.portfolio.problems import PortfolioError, Problem
from fraudops.portfolio.schema import Portfolio
from fraudops.portfolio.training import Training


@dataclass(frozen=True)
class Examination:
    """What a file says, and what is wrong with it."""

    path: Path
    document: Document
    portfolio: Portfolio | None
    """None where anything is wrong."""
    problems: tuple[Problem, ...]

    @property
    def training(self) -> Training | None:
        """The section ``training``, if that much can be read."""
        return self.portfolio.training if self.portfolio else readable_training(self.document)

    def placed(self, problem: Problem) -> Problem:
        """A problem that somebody else found, with its line."""
        return replace(problem, line=self.document.line_of(problem.path))


def examine(path: Path) -> Examination:
    """Read a file and collect all that is wrong with it.

    Raises
    ------
    ConfigurationError
        The file cannot be read as text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError("not UTF-8 text", where=str(path), remedy="save the file as UTF-8") from None
    document = read_document(text)
    portfolio, problems = read_portfolio(document)
    name = document.content.get("name") if isinstance(document.content, dict) else None
    if isinstance(name, str) and name != path.stem:
        message = f"name is {name!r} but the file is called {path.name!r}"
        problems.append(Problem(("name",), message, remedy="give both the same name", line=document.line_of(("name",))))
    return Examination(path, document, None if problems else portfolio, tuple(problems))


def load_portfolio(path: Path) -> Portfolio:
    """Read one portfolio.

    Raises
    ------
    PortfolioError
        With every problem found, each with its line, key and value.
    ConfigurationError
        The file cannot be read as text.
    """
    found = examine(path)
    if found.portfolio is None:
        raise PortfolioError(found.problems, where=str(path))
    return found.portfolio


def load_all(folder: Path) -> dict[str, Portfolio]:
    """Read every ``*.yaml`` of a folder; name → portfolio, sorted by name."""
    return {path.stem: load_portfolio(path) for path in sorted(folder.glob("*.yaml"))}
