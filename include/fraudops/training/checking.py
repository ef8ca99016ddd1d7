"""Checks a portfolio's file down to the parameters of its estimators."""

from __future__ import annotations

from pathlib import Path

from fraudops.portfolio import Portfolio, PortfolioError
from fraudops.portfolio.loading import examine
from fraudops.training.estimators import unknown_parameters


def check_portfolio(path: Path) -> Portfolio:
    """Read a portfolio as :func:`~fraudops.portfolio.load_portfolio` does, and ask the estimators' libraries as well.

    Raises
    ------
    PortfolioError
        With every problem found, each with its line, key and value.
    ConfigurationError
        The file cannot be read as text.
    """
    found = examine(path)
    parameters = unknown_parameters(found.training) if found.training else []
    problems = [*found.problems, *(found.placed(problem) for problem in parameters)]
    if problems or found.portfolio is None:
        raise PortfolioError(problems, where=str(path))
    return found.portfolio
