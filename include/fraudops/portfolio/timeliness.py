"""What a portfolio's YAML may say about being in time."""

from __future__ import annotations

from datetime import timedelta

from fraudops.portfolio.durations import Duration
from fraudops.portfolio.strict import Strict


class Timeliness(Strict):
    """By when a partition must have been scored; people are told once of each that is not."""

    scored_within: Duration
    """After the end of the partition."""
    look_back: Duration = timedelta(days=7)
    """What should have been scored longer ago than this is told to nobody any more."""
