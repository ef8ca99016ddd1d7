"""A model that needs no training: the probability of fraud is the amount over a thousand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from fraudops.features import ModelColumns
from fraudops.training.calibration import log_odds
from fraudops.training.thresholds import Thresholds

THRESHOLDS = Thresholds(review=0.5, block=0.9, alerts_per_day=0.0, block_precision=None, block_rows=0)


@dataclass
class AmountModel:
    """What decisions use of a fitted model."""

    factor: float = 1.0
    columns: ModelColumns = field(
        default_factory=lambda: ModelColumns(("amount", "customer_amount_ratio_30d"), ("channel",))
    )
    background: Mapping[str, Any] = field(
        default_factory=lambda: {"amount": 20.0, "customer_amount_ratio_30d": 1.0, "channel": "online"}
    )

    thresholds: Thresholds = THRESHOLDS

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        return np.clip(frame["amount"].to_numpy(dtype=float) * self.factor / 1000, 0, 1)

    @property
    def origins(self) -> tuple[str, ...]:
        return self.columns.all

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        return frame[list(self.columns.all)].to_numpy(dtype=object)

    @property
    def estimator(self) -> None:
        """Nothing of which exact contributions are known."""

    def margins(self, matrix: np.ndarray) -> np.ndarray:
        return log_odds(self.score(pd.DataFrame(matrix, columns=list(self.columns.all))))

    def decide(self, scores: np.ndarray, amount_minor: np.ndarray | None = None) -> np.ndarray:
        return self.thresholds.decide(scores, amount_minor)
