"""How an aggregate is declared, and the register of all that are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fraudops.aggregates.view import View

Formula = Callable[["View", int], Any]
"""From an entity's view and a window in microseconds to one value a row."""

HANDBOOK = "Le Borgne et al., Fraud Detection Handbook, chapter 3 (Baseline feature transformation)"


class Unit(StrEnum):
    """What an aggregate's numbers are. All are stored as double: a row that names no entity has none."""

    COUNT = "count"
    MONEY = "money"
    """Formulas compute in minor units; stored are units of the currency."""
    SHARE = "share"
    RATIO = "ratio"
    SECONDS = "seconds"
    FLAG = "flag"
    """1 for yes, 0 for no."""


@dataclass(frozen=True)
class Aggregate:
    """One way to sum up what an entity did before.

    Attributes
    ----------
    name
        As in the portfolio's YAML and in the column's name.
    formula
        Computes it.
    unit
        What its numbers are.
    description
        One line for the documentation, without a full stop.
    windowed
        Whether it is measured over the portfolio's windows; if not, it looks back as far as the longest of them.
    amount
        Whether it needs amounts.
    labels
        Whether it needs to know what was fraud.
    other
        Whether it counts another entity, which the YAML names under ``of``.
    reach
        How many windows before a row lies the oldest payment that can matter.
    source
        Where the idea is from.
    """

    name: str
    formula: Formula
    unit: Unit
    description: str
    windowed: bool = True
    amount: bool = False
    labels: bool = False
    other: bool = False
    reach: int = 1
    source: str = ""


AGGREGATES: dict[str, Aggregate] = {}
"""Every declared aggregate by its name, in the order of the modules."""


def aggregate(unit: Unit, description: str, **facts: Any) -> Callable[[Formula], Formula]:
    """Declare the decorated formula; the function's name is the aggregate's.

    Parameters
    ----------
    facts
        Further attributes of :class:`Aggregate`.

    Raises
    ------
    ValueError
        Another aggregate has this name.
    """

    def declare(formula: Formula) -> Formula:
        name = formula.__name__
        if name in AGGREGATES:
            raise ValueError(f"the aggregate {name!r} is declared twice")
        AGGREGATES[name] = Aggregate(name, formula, unit, description, **facts)
        return formula

    return declare
