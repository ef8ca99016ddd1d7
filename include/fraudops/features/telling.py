"""Columns that tell the label nearly perfectly: most often the label under another name, or a consequence of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from fraudops.evaluation.ranking import average_precision
from fraudops.features.columns import ModelColumns
from fraudops.features.contract import Breach, Finding

NEARLY_PERFECT = 0.95
"""Average precision of a single column from which on it is told. In published fraud data the best has about 0.7."""
FEWEST = 10
"""Frauds below which nothing can be said."""
_FEW_VALUES = 50
"""A number with so few values may be a code, of which no order can be expected."""


def telling_columns(frame: pd.DataFrame, label: pd.Series, columns: ModelColumns) -> list[Finding]:
    """Columns that alone rank the frauds first.

    Parameters
    ----------
    frame
        Rows of :func:`fraudops.features.model_frame`. Length n.
    label
        True for fraud, missing where not known. Length n.
    columns
        What the model sees.

    Returns
    -------
    list of Finding
        In the order of the columns; empty where fewer than :data:`FEWEST` frauds are known.
    """
    known = label.notna().to_numpy()
    truth = label[known].to_numpy(dtype=bool)
    if truth.sum() < FEWEST:
        return []
    found = []
    for name in columns.all:
        best = max(_average_precisions(frame.loc[known, name], truth, name in columns.categorical))
        if best >= NEARLY_PERFECT:
            detail = f"alone it ranks the {truth.sum():,} frauds among {len(truth):,} rows with average precision "
            found.append(Finding(name, Breach.TELLS, f"{detail}{best:.3f}"))
    return found


def _average_precisions(values: pd.Series, truth: np.ndarray, category: bool) -> Iterator[float]:
    """By the column's values, upwards and downwards; and by how often each of its values was fraud."""
    if not category:
        numbers = values.to_numpy(dtype=np.float64)
        missing = np.isnan(numbers)
        for sign in (1.0, -1.0):
            for rest in (-np.inf, np.inf):
                yield average_precision(truth, np.where(missing, rest, sign * numbers)) or 0.0
    if category or values.nunique() <= _FEW_VALUES:
        yield _by_rate(values, truth)


def _by_rate(values: pd.Series, truth: np.ndarray) -> float:
    """Ranks every other row by the share of frauds among the remaining rows with its value.

    With the rows themselves among them, a column of which every value is another would be perfect.
    """
    learned = np.arange(len(truth)) % 2 == 0
    if not truth[~learned].any():
        return 0.0
    codes = pd.factorize(values, use_na_sentinel=False)[0]
    rates = pd.Series(truth[learned]).groupby(codes[learned]).mean()
    scores = pd.Series(codes[~learned]).map(rates).fillna(float(truth[learned].mean()))
    return average_precision(truth[~learned], scores.to_numpy()) or 0.0
