"""Which bounds a portfolio sets to a partition."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from fraudops.portfolio.strict import Strict


class Validation(Strict):
    """Bounds of a partition, beside those that follow from the columns."""

    minimum_rows: int = 1
    maximum_missing: dict[str, float] = Field(default_factory=dict)
    """Column → largest share of missing values."""
    learn_from: int = 28
    """How many earlier partitions the learned bounds (rows, mean amount, missing) are taken from."""
    learn_after: Annotated[int, Field(ge=5)] = 5
    """Nothing is learned from fewer than these: where money has a rhythm of week and month, as long as that is."""
    tolerance: float = 6.0
    """Learned bounds: median ± this many robust standard deviations (and never tighter than ±50 %)."""
    quarantined: float = 0.05
    """Largest share of a partition's rows that may be in quarantine."""

    @model_validator(mode="after")
    def _can_learn(self) -> Validation:
        if 0 < self.learn_from < self.learn_after:
            raise ValueError(
                f"learn_after is {self.learn_after}, and learn_from only {self.learn_from}: nothing is learned"
            )
        return self
