"""What a command was given: a portfolio, a day."""

from __future__ import annotations

from datetime import date

from fraudops.errors import ConfigurationError, ContractError
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


def given_day(text: str, where: str | None = None) -> date:
    """A day as a person writes it.

    Parameters
    ----------
    where
        The option that it was given by.

    Raises
    ------
    ContractError
        It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ContractError(f"{text!r} is not a day", where=where, remedy="write it such as 2026-03-05") from None
