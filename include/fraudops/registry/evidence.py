"""What the gates look at: measured numbers, without a file, a table or a model behind them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fraudops.portfolio import Gates


@dataclass(frozen=True)
class Estimate:
    """A number with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def signed(self) -> str:
        """With its sign, as differences are written."""
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True)
class Rows:
    """Held-out rows that something was measured on."""

    first: str | None
    """Key of the first partition they come from."""
    last: str | None
    n: int
    positives: int

    def __str__(self) -> str:
        if not self.n:
            return "no transactions"
        span = self.first if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.n:,} transactions of {span} with {frauds(self.positives)}"

    @property
    def rate(self) -> float:
        """Share of frauds, which is the average precision of a random ranking."""
        return self.positives / self.n if self.n else 0.0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def frauds(count: int) -> str:
    """``1 fraud``, ``92 frauds``."""
    return "1 fraud" if count == 1 else f"{count:,} frauds"


@dataclass(frozen=True)
class Pair:
    """One measure of the challenger and of another model, on the same rows."""

    challenger: float
    other: float
    difference: Estimate
    """The challenger's less the other's."""
    together: Estimate
    """The same difference with the wider interval that holds for all measures by which a challenger may win."""


@dataclass(frozen=True)
class Segment:
    """Share of a segment's fraud within the alert budget."""

    name: str
    positives: int
    challenger: float
    other: float
    difference: Estimate
    """Its interval holds for all segments at once."""


@dataclass(frozen=True)
class Compared:
    """The challenger beside another model on the same rows and the same draws."""

    average_precision: Pair
    precision: Pair
    """Within the alert budget."""
    recall: Pair
    """Within the alert budget."""
    savings: Pair | None
    """None where nothing is measured in money."""
    segments: tuple[Segment, ...]
    too_small: int
    """Segments that hold too few frauds to be judged."""
    k: int
    """The alert budget of these rows."""
    drawn: str
    """Such as ``30 days``: what the intervals come from."""


@dataclass(frozen=True)
class AgainstChampion:
    """The champion and the challenger on the same rows, which neither has seen."""

    name: str
    """Such as ``v1 (random_forest)``."""
    trained_until: str
    rows: Rows
    tie: str | None = None
    """Why the two are the same, where they are."""
    obstacle: str | None = None
    """Why the champion cannot be scored on these rows, where it cannot."""
    compared: Compared | None = None
    """None where it could not be measured."""
    calibration: Calibration | None = None
    """The champion's, on these rows."""


@dataclass(frozen=True)
class Calibration:
    """What the probabilities promised, and what happened."""

    expected: float
    observed: float
    ratio: Estimate | None
    """Observed over expected frauds."""
    slope: Estimate | None
    """1 where scores are neither too extreme (below) nor too timid (above)."""


@dataclass(frozen=True)
class Footprint:
    """What it takes to run a model: the very file that would be put in use."""

    one_row_ms: float
    """Processor time for one transaction, milliseconds."""
    thousand_rows_ms: float
    size_mb: float
    """Of the file, in 10⁶ bytes."""


@dataclass(frozen=True)
class Evidence:
    """Everything the gates look at."""

    challenger: str
    """Such as ``v3 (lightgbm)``."""
    baseline: str
    is_baseline: bool
    split: str
    minimum_positives: int
    margin: float
    test: Rows
    average_precision: Estimate | None
    """The challenger's, on the test slice; None where it holds no fraud or nothing else."""
    over_baseline: Compared | None
    """Beside the baseline, on the test slice; None for the baseline itself, and where there is nothing to measure."""
    champion: AgainstChampion | None
    gates: Gates
    calibration: Calibration | None = None
    """The challenger's: on the rows that the champion has not seen either, where there is a champion."""
    footprint: Footprint | None = None
    other_footprint: Footprint | None = None
    """The champion's, else the baseline's."""
    instead_of: str | None = None
    """In one sentence, why the baseline stands here in place of the candidate that was chosen."""
