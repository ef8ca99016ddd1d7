"""Reads portfolio files. Errors name the file, the key, the value and what would be right."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from fraudops.errors import ConfigurationError
from fraudops.portfolio.schema import Portfolio


def load_portfolio(path: Path) -> Portfolio:
    """Read one portfolio.

    Raises
    ------
    ConfigurationError
        With every problem found, a line each.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"not valid YAML: {error}", where=str(path)) from None
    if not isinstance(content, dict):
        raise ConfigurationError("the file holds no mapping of keys to values", where=str(path))
    try:
        portfolio = Portfolio.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(_explain(error), where=str(path)) from None
    if portfolio.name != path.stem:
        raise ConfigurationError(
            f"name is {portfolio.name!r} but the file is called {path.name!r}",
            where=str(path),
            remedy="give both the same name",
        )
    return portfolio


def load_all(folder: Path) -> dict[str, Portfolio]:
    """Read every ``*.yaml`` of a folder; name → portfolio, sorted by name."""
    return {path.stem: load_portfolio(path) for path in sorted(folder.glob("*.yaml"))}


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"]) or "(whole file)"
        message = problem["msg"].removeprefix("Value error, ")
        given = "" if problem["type"] == "missing" or not problem["loc"] else f" (got {problem['input']!r:.120})"
        lines.append(f"\n  {key}: {message}{given}")
    return f"{len(lines)} problem{'s' if len(lines) > 1 else ''}:" + "".join(lines)
