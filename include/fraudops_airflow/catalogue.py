"""The portfolios that DAGs are made for."""

from __future__ import annotations

from fraudops.errors import ConfigurationError
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.settings import Settings


def valid_portfolios() -> list[Portfolio]:
    """Every portfolio whose YAML is right, sorted by name; one bad file does not take the others away."""
    return [portfolio for portfolio, _ in _read() if portfolio is not None]


def problems() -> list[str]:
    """What is wrong with the portfolios that were left out."""
    return [problem for _, problem in _read() if problem is not None]


def _read() -> list[tuple[Portfolio | None, str | None]]:
    found: list[tuple[Portfolio | None, str | None]] = []
    for path in sorted(Settings.from_environment().portfolios.glob("*.yaml")):
        try:
            found.append((load_portfolio(path), None))
        except ConfigurationError as error:
            found.append((None, str(error)))
    return found
