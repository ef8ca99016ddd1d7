"""What a portfolio's YAML says about training: which rows, which candidates, and how they are evaluated."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from fraudops.portfolio.durations import Duration
from fraudops.portfolio.strict import Strict

Estimator = Literal[
    "random_forest", "logistic_regression", "lightgbm", "xgboost", "extra_trees", "hist_gradient_boosting"
]
BLEND = "blend"
"""What a candidate without an estimator of its own is called."""
Share = Annotated[float, Field(gt=0, lt=1)]
_STOPPABLE = ("lightgbm", "xgboost")


class Range(Strict):
    """Values of one parameter that a search may try."""

    low: float | None = None
    high: float | None = None
    scale: Literal["linear", "log"] = "linear"
    """``log``: each doubling is as likely as any other; for rates and strengths."""
    integer: bool = False
    choices: tuple[Any, ...] = ()
    """Instead of a range."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if self.choices:
            if self.low is not None or self.high is not None:
                raise ValueError("give either choices, or low and high")
        elif self.low is None or self.high is None or self.low >= self.high:
            raise ValueError("give low and high, low below high, or choices")
        elif self.scale == "log" and self.low <= 0:
            raise ValueError(f"on a scale of logarithms low must be above 0, got {self.low:g}")
        return self


class Search(Strict):
    """A small search for parameters, judged on the last part of the training slice."""

    trials: Annotated[int, Field(ge=2, le=500)] = 16
    """The budget. The first trial is the candidate as it is written; counted, not timed, so that the same rows
    and seed give the same model."""
    sampler: Literal["halton", "random"] = "halton"
    """``halton`` spreads its trials evenly over the space."""
    space: dict[str, Range] = Field(default_factory=dict)
    """Parameter → what may be tried; empty: the estimator's own space."""
    holdout: Share = 0.25
    """Share of the training rows, the latest ones, that trials are judged on; before it lies one label delay."""


class EarlyStopping(Strict):
    """Boosting stops where the last part of the training slice gains no more."""

    rounds: Annotated[int, Field(ge=1)] = 50
    """So many rounds without gain (log-loss) end it."""
    most: Annotated[int, Field(ge=1)] = 2_000
    """Rounds at most."""
    holdout: Share = 0.25
    """Share of the training rows, the latest ones; a search's own goes before it."""


class Blend(Strict):
    """Soft voting: the average over several candidates, each fitted as it stands in the YAML."""

    members: tuple[str, ...] = Field(min_length=2)
    """Names of other candidates, which are no blends themselves."""
    weights: tuple[float, ...] = ()
    """One per member, above 0; empty: equal ones."""
    average: Literal["probability", "log_odds", "rank"] = "probability"
    """``rank``: each member's place among its scores of the selection slice."""

    @model_validator(mode="after")
    def _weights_match(self) -> Blend:
        if self.weights and len(self.weights) != len(self.members):
            raise ValueError(f"{len(self.members)} members but {len(self.weights)} weights")
        if any(weight <= 0 for weight in self.weights):
            raise ValueError(f"weights must be above 0, got {', '.join(f'{weight:g}' for weight in self.weights)}")
        if len(set(self.members)) < len(self.members):
            raise ValueError("a member is named twice: give it a larger weight")
        return self


class Candidate(Strict):
    """A model's specification: an estimator, or a blend of other candidates."""

    estimator: Estimator | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Passed to the estimator, beside its defaults here."""
    blend: Blend | None = None
    search: Search | None = None
    early_stopping: EarlyStopping | None = None
    negative_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the genuine training rows that is learned from; probabilities are corrected for it."""
    refit: bool = False
    """Fit again on all rows whose labels were known when the gate slice began; see docs/models.md."""
    description: str = ""

    @property
    def kind(self) -> str:
        """The estimator's name, or ``blend``."""
        return self.estimator or BLEND

    @model_validator(mode="after")
    def _is_one_thing(self) -> Candidate:
        if (self.estimator is None) == (self.blend is None):
            raise ValueError("a candidate has either an estimator or a blend")
        if self.blend and (self.parameters or self.search or self.early_stopping or self.negative_rate < 1):
            raise ValueError(
                "a blend's members have parameters, search, early_stopping and negative_rate; itself it has none"
            )
        if self.early_stopping and self.estimator not in _STOPPABLE:
            raise ValueError(f"early_stopping is for {' and '.join(_STOPPABLE)}, not for {self.estimator}")
        return self


class Prequential(Strict):
    """Evaluation over several test windows, each with models that knew only what was known at its start."""

    windows: Annotated[int, Field(ge=1)] = 4
    length: Duration = timedelta(days=7)
    """Of a test window."""
    step: Duration = timedelta(days=7)
    """From the start of one window to the start of the next."""
    candidates: tuple[str, ...] = ()
    """Which are evaluated; empty: all."""
    cards: str | None = None
    """Entity whose precision among the k highest a day is measured; absent: the card, else the first entity."""
    cards_per_day: Annotated[int, Field(ge=1)] | None = None
    """That k; absent: the policy's alerts a day."""
    remember: Duration = timedelta(days=7)
    """A card with a fraud known from this last stretch before the window's labels end is left out: it is no news."""


class Training(Strict):
    """How candidates are trained and on which rows."""

    schedule: str | None = None
    """Cron expression of the periodic retraining, UTC."""
    window: Duration = timedelta(days=365)
    """Matured rows of this last stretch are used."""
    split: Literal["time", "random"] = "time"
    """``random`` exists for comparison with published numbers; it leaks and never leads to a promotion."""
    shares: tuple[float, float, float] = (0.6, 0.2, 0.2)
    """Train, select and calibrate, gate: shares of the window's rows in the order of time."""
    seed: int = 42
    minimum_positives: int = 20
    """Frauds that the gate needs to decide at all."""
    baseline: str = "logistic_regression"
    """Candidate below which no model may ship."""
    candidates: dict[str, Candidate]
    prequential: Prequential = Prequential()

    def members_of(self, name: str) -> dict[str, Candidate]:
        """Candidates that a blend averages over, in its order; of any other candidate none."""
        blend = self.candidates[name].blend
        return {member: self.candidates[member] for member in blend.members} if blend else {}

    @field_validator("shares")
    @classmethod
    def _shares_add_up(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(value) <= 0 or abs(sum(value) - 1) > 1e-9:
            raise ValueError(f"the three shares must be positive and add up to 1, got {value}")
        return value

    @model_validator(mode="after")
    def _names_are_candidates(self) -> Training:
        if self.baseline not in self.candidates:
            raise ValueError(f"baseline {self.baseline!r} is none of the candidates {sorted(self.candidates)}")
        for name, candidate in self.candidates.items():
            for member in candidate.blend.members if candidate.blend else ():
                if member not in self.candidates or self.candidates[member].blend:
                    single = sorted(other for other, found in self.candidates.items() if not found.blend)
                    raise ValueError(f"member {member!r} of blend {name!r} is none of the candidates {single}")
        for name in self.prequential.candidates:
            if name not in self.candidates:
                raise ValueError(f"prequential names {name!r}, which is none of the candidates")
        return self
