"""What a portfolio's YAML may say about shadows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fraudops.portfolio.strict import Strict


class ShadowRule(Strict):
    """A challenger scores live partitions beside the champion before anybody is asked about it."""

    days: Annotated[int, Field(ge=1, le=366)]
    """For so long; the two are compared once the labels of these days have matured."""
    verdicts: tuple[Literal["PROMOTE", "HOLD"], ...] = ("PROMOTE", "HOLD")
    """After which verdicts of a training run a shadow starts by itself."""
