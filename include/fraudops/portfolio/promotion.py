"""What a portfolio's YAML may say about the way from challenger to champion."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from fraudops.portfolio.durations import Duration
from fraudops.portfolio.shadow import ShadowRule
from fraudops.portfolio.strict import Strict

Share = Annotated[float, Field(ge=0, le=1)]


class SegmentGate(Strict):
    """No group of payments may lose for what the others gain."""

    columns: tuple[str, ...] = ()
    """Columns of role ``category`` or ``boolean`` whose values are segments, such as ``channel``."""
    amount_bands: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    """Bounds between bands of the amount, in major units, ascending; absent: thirds of the frauds by amount;
    empty: none."""
    loss: Share | None = 0.1
    """How much less of a segment's fraud may be found within the alert budget; ``null``: for information."""
    minimum_positives: Annotated[int, Field(ge=1)] = 20
    """Frauds without which a segment is not judged."""

    @field_validator("amount_bands")
    @classmethod
    def _ascending(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and list(value) != sorted(set(value)):
            raise ValueError(f"the bounds of amount bands must ascend, got {list(value)}")
        return value


class CalibrationGate(Strict):
    """What the probabilities promise must be about what happens. ``null``: for information."""

    factor: Annotated[float, Field(gt=1)] | None = 2.0
    """Frauds that happened over frauds that were expected may be off by this factor, either way."""
    slope: Annotated[float, Field(gt=1)] | None = 2.0
    """So may the calibration slope, which is 1 where scores are neither too extreme nor too timid."""


class Gates(Strict):
    """What a challenger has to pass; ``null`` shows a measure to the approver, and lets no verdict depend on it."""

    confidence: Annotated[float, Field(ge=0.8, le=0.999)] = 0.95
    """Of the intervals; where several may decide together it holds for all of them at once."""
    savings_margin: Annotated[float, Field(ge=0)] | None = 0.05
    """How far below the champion's the savings may lie, lower end of the interval."""
    recall_loss: Share | None = 0.05
    """How much less of the fraud may be found within the alert budget, lower end of the interval."""
    calibration: CalibrationGate = CalibrationGate()
    segments: SegmentGate = SegmentGate()
    one_row_ms: Annotated[float, Field(gt=0)] | None = None
    """Longest processor time for one transaction, in milliseconds: median of several."""
    thousand_rows_ms: Annotated[float, Field(gt=0)] | None = None
    """The same for a thousand transactions at once."""
    size_mb: Annotated[float, Field(gt=0)] | None = None
    """Largest model file, in megabytes (10⁶ bytes)."""


class Promotion(Strict):
    """What makes a challenger champion: the gates, and who decides."""

    needs_approval: bool = True
    approvers: tuple[str, ...] = ()
    """Roles, or users, of ``roles.yaml``; empty: the role ``model_validator``."""
    deadline: Duration = timedelta(days=3)
    """After this long without an answer the answer is no."""
    margin: Annotated[float, Field(ge=0)] = 0.02
    """How far below the champion's the average precision may lie, lower end of the interval."""
    gates: Gates = Gates()
    shadow: ShadowRule | None = None
    """Absent: a person starts a shadow, or nobody does."""
