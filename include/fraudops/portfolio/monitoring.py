"""What a portfolio's YAML may say about monitoring: what is compared over which time, and what a difference means."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from fraudops.portfolio.durations import Duration
from fraudops.portfolio.strict import Strict


class Levels(Strict):
    """From where on a difference that chance does not explain is worth a look, and worth acting upon."""

    watch: Annotated[float, Field(gt=0)]
    act: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _act_is_further(self) -> Levels:
        if self.act < self.watch:
            raise ValueError(f"act ({self.act:g}) must not lie below watch ({self.watch:g})")
        return self


class Hysteresis(Strict):
    """How many of the last partitions must agree before a status changes."""

    of: Annotated[int, Field(ge=1, le=100)] = 5
    enter: Annotated[int, Field(ge=1)] = 3
    """A status begins when this many of them show it…"""
    leave: Annotated[int, Field(ge=0)] = 1
    """…and ends when at most this many still do."""

    @model_validator(mode="after")
    def _is_one(self) -> Hysteresis:
        if not self.leave < self.enter <= self.of:
            raise ValueError(f"leave < enter <= of must hold, got {self.leave}, {self.enter}, {self.of}")
        return self


class Monitoring(Strict):
    """What is watched while a champion is in use; docs/monitoring.md explains each measure."""

    window: Duration = timedelta(days=7)
    """Scored partitions of this last stretch are compared with the reference; whole weeks hold every weekday."""
    cohorts: Duration = timedelta(days=28)
    """Matured partitions of this last stretch are what performance is measured on."""
    bins: Annotated[int, Field(ge=4, le=50)] = 10
    """Bins of a number, equally full in the reference, beside one for missing values and two for the far ends."""
    drift: Levels = Levels(watch=0.1, act=0.25)
    """Population stability index of a feature, of the score, of the features of frauds."""
    moved: Levels = Levels(watch=0.05, act=0.1)
    """Share of the transactions that lie in other bins now (total variation); both must be reached."""
    loss: Levels = Levels(watch=0.15, act=0.2)
    """How far average precision, and recall within the alert budget, lie below the gate slice's."""
    calibration: Levels = Levels(watch=1.5, act=2.0)
    """Factor by which observed frauds differ from expected ones, either way."""
    alert_rate: Levels = Levels(watch=1.5, act=2.5)
    """Factor by which the share of alerts differs from the gate slice's, either way."""
    missing: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Rise of a column's share of missing values that is worth a look; training does not repair a source."""
    new_categories: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Share of a column's values that training had never seen, worth a look."""
    chance: Annotated[float, Field(gt=0, le=0.2)] = 0.01
    """Chance of one false finding among all that is compared in one look."""
    resamples: Annotated[int, Field(ge=100, le=10_000)] = 400
    """Draws of the bootstrap."""
    fewest_frauds: Annotated[int, Field(ge=1)] = 30
    """Frauds without which neither performance nor the frauds' features are judged."""
    status: Hysteresis = Hysteresis()
    retrain: bool = True
    """Whether `act` starts a training run."""
    retrain_window: Duration | None = None
    """That run learns from this last stretch only: what came before does not know what is new. Absent: as every run."""

    @model_validator(mode="after")
    def _chance_can_be_seen(self) -> Monitoring:
        if self.chance * (self.resamples + 1) < 1:
            raise ValueError(f"{self.resamples} resamples cannot show a chance of {self.chance:g}: draw more")
        return self
