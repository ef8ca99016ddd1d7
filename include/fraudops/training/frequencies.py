"""How common a category is, as a number: for columns with too many categories to have an indicator each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class Frequencies(TransformerMixin, BaseEstimator):
    """Logarithm of 1 + the number of training rows with a row's category; 0 for one that training never saw.

    Attributes
    ----------
    counts_
        Per column: category → number of training rows.
    """

    def fit(self, frame: pd.DataFrame, label: np.ndarray | None = None) -> Frequencies:
        """Count the categories of every column."""
        del label
        self.counts_ = {name: dict(sorted(frame[name].value_counts().items())) for name in frame.columns}
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """A column for each column."""
        found = np.empty((len(frame), len(self.counts_)), np.float32)
        for place, (name, counts) in enumerate(self.counts_.items()):
            found[:, place] = np.log1p([counts.get(value, 0) for value in frame[name]])
        return found

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the matrix's columns."""
        del input_features
        return np.array([f"{name}_frequency" for name in self.counts_], dtype=object)
