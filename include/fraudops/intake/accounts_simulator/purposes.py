"""What streams of random numbers are for (see :mod:`fraudops.intake.simulator.randomness`)."""

from __future__ import annotations

from enum import IntEnum


class Purpose(IntEnum):
    """The numbers are part of the simulated world, and none of the cards': never renumber them."""

    PEOPLE = 101
    EVERYDAY = 102
    STORIES = 103
    TAKEOVERS = 104
    REPORTS = 105
    WATCHLIST = 106
    RATES = 107
    DIRTY_ROWS = 108
