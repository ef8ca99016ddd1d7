"""Random numbers that depend on the seed, the purpose and the day, and on nothing else.

Every day draws from streams of its own. That is why a day can be computed alone, in any order, and is the same
however many days are asked for; and why a new purpose leaves the numbers of all others as they were.
"""

from __future__ import annotations

import math
from datetime import date
from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of the simulated world: never renumber them."""

    POPULATION = 1
    PAYMENTS = 2
    COMPROMISED_TERMINALS = 3
    COMPROMISED_PAYMENTS = 4
    STOLEN_CARDS = 5
    STOLEN_PAYMENTS = 6
    HIGH_AMOUNTS = 7
    CARD_TESTING = 8
    CHARGEBACKS = 9
    MISSING_COUNTRIES = 10
    DIRTY_ROWS = 11
    DISPOSITIONS = 12


def stream(seed: int, purpose: IntEnum, day: date | None = None) -> np.random.Generator:
    """The random numbers of one purpose on one day (without a day: of the world as a whole)."""
    ordinal = 0 if day is None else day.toordinal()
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, int(purpose), ordinal))))


def before(rate: float, day: date) -> int:
    """How many events of a steady rate a day have happened before the day; see :func:`starting`."""
    return math.floor(rate * day.toordinal())


def starting(rate: float, day: date) -> int:
    """How many events of a steady rate a day happen on the day.

    Spread as evenly as whole numbers allow, so that a short history has its share of rare events too.

    Examples
    --------
    >>> sum(starting(0.25, date(2026, 3, day)) for day in range(1, 29))
    7
    """
    return math.floor(rate * (day.toordinal() + 1)) - before(rate, day)
