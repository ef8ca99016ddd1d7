"""What a portfolio's YAML may say about its monthly pack."""

from __future__ import annotations

from datetime import timedelta

from fraudops.portfolio.durations import Duration
from fraudops.portfolio.strict import Strict


class MonthlyPack(Strict):
    """The pack that is made when a month is complete."""

    enabled: bool = True
    """Whether it is made and mailed by itself; a person can always have one made."""
    wait: Duration = timedelta(days=5)
    """A month of which a partition is still missing, not scored or not monitored so long after its end is reported as
    it is, and the pack says what is missing."""
