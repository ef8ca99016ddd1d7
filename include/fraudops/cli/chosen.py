"""The portfolio that a command was given."""

from __future__ import annotations

from fraudops.errors import ConfigurationError
from fraudops.portfolio import Portfolio, load_all
from fraudops.settings import Settings


def chosen_portfolio(settings: Settings, name: str) -> Portfolio:
    """The portfolio of a name.

    Raises
    ------
    ConfigurationError
        There is none; says which there are.
    """
    known = load_all(settings.portfolios)
    if name not in known:
        raise ConfigurationError(
            f"there is no portfolio {name!r}",
            where=str(settings.portfolios),
            remedy=f"choose one of {', '.join(known)}",
        )
    return known[name]
