"""What it takes to run a registered model: processor time and bytes of the very file that would be put in use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from fraudops.registry.evidence import Footprint

if TYPE_CHECKING:
    import pandas as pd

    from fraudops.training.model import FraudModel

_ONE_ROW_REPEATS = 25
_MANY_REPEATS = 5
_MANY = 1_000


def footprint(model: FraudModel, rows: pd.DataFrame, size: int) -> Footprint:
    """Measure a loaded model on some rows.

    Processor time and not the clock's, and the median of several: neither another process nor a first call's
    imports may decide about a model.

    Parameters
    ----------
    rows
        At least one; they are repeated where there are fewer than a thousand.
    size
        Bytes of the file.
    """
    many = rows.iloc[np.resize(np.arange(len(rows)), _MANY)].reset_index(drop=True)
    ones = [many.iloc[[number]] for number in range(_ONE_ROW_REPEATS)]
    model.score(ones[0])
    return Footprint(
        one_row_ms=_median_milliseconds(model, ones),
        thousand_rows_ms=_median_milliseconds(model, [many] * _MANY_REPEATS),
        size_mb=_rounded(size / 1e6),
    )


def _median_milliseconds(model: FraudModel, frames: list[pd.DataFrame]) -> float:
    taken = []
    for frame in frames:
        start = time.process_time_ns()
        model.score(frame)
        taken.append(time.process_time_ns() - start)
    return _rounded(float(np.median(taken)) / 1e6)


def _rounded(value: float) -> float:
    """To three digits: more would claim more than was measured."""
    return float(f"{value:.3g}")
