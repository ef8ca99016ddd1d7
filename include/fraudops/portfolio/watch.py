"""What a portfolio's YAML may say about watching its landing folder."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

from fraudops.portfolio.durations import Duration
from fraudops.portfolio.strict import Strict


def _at_least_a_second(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("must be a second or more")
    return value


_Seconds = Annotated[Duration, AfterValidator(_at_least_a_second)]


class Watch(Strict):
    """A file that arrives in the landing folder is landed and scored at once."""

    enabled: bool = True
    """False: there is no watch; files wait for ``ingest``, ``land``, or a person."""
    every: _Seconds = timedelta(seconds=5)
    """How often the folder is looked at."""
    settle: _Seconds = timedelta(seconds=10)
    """A file is taken when it has not changed for so long: its sender may still be writing."""
