"""Turns a frame's numbers into columns of an estimator's matrix; fitted on training rows.

Columns that say nothing are left out: without a value, always the same, or the very copy of another one. That a
value is missing is said once for all columns that are missing together: of four hundred columns there may be a
dozen such blocks.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

MISSING_INDICATOR = "missingindicator_"


class Numbers(TransformerMixin, BaseEstimator):
    """Float32 columns with missing values as they are: for boosters, which learn where these belong.

    Attributes
    ----------
    kept_
        Names of the columns that say something, in their order.
    """

    def fit(self, frame: pd.DataFrame, label: np.ndarray | None = None) -> Numbers:
        """Find out which columns say something."""
        del label
        seen: set[bytes] = set()
        self.kept_ = [name for name in frame.columns if self._says(frame[name].to_numpy(np.float32), seen)]
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Matrix of the columns that say something."""
        return np.ascontiguousarray(frame[self.kept_].to_numpy(np.float32))

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the matrix's columns."""
        del input_features
        return np.array(self.kept_, dtype=object)

    @property
    def origins_(self) -> list[str]:
        """The column that each column of the matrix comes from."""
        return list(self.kept_)

    def _says(self, values: np.ndarray, seen: set[bytes]) -> bool:
        missing = np.isnan(values)
        there = values[~missing]
        if not len(there) or (there.min() == there.max() and not missing.any()):
            return False
        return is_new(values, seen)


class FilledNumbers(Numbers):
    """Float32 columns without gaps: medians for missing values, and indicators of what is missing together.

    Attributes
    ----------
    medians_
        Of the training values of the columns in ``kept_``.
    indicated_
        Column that stands for each block of columns that are missing together: the first of them.
    """

    def fit(self, frame: pd.DataFrame, label: np.ndarray | None = None) -> FilledNumbers:
        """Learn medians and blocks."""
        super().fit(frame, label)
        self.medians_ = np.array([np.nanmedian(frame[name].to_numpy(np.float32)) for name in self.kept_], np.float32)
        blocks: set[bytes] = set()
        self.indicated_ = [name for name in frame.columns if _gaps(frame[name].to_numpy(np.float32), blocks)]
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Matrix of the filled columns, and the indicators after them."""
        found = np.empty((len(frame), len(self.kept_) + len(self.indicated_)), np.float32)
        for place, (name, median) in enumerate(zip(self.kept_, self.medians_, strict=True)):
            values = frame[name].to_numpy(np.float32)
            found[:, place] = np.where(np.isnan(values), median, values)
        for place, name in enumerate(self.indicated_, len(self.kept_)):
            found[:, place] = frame[name].isna()
        return found

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the matrix's columns."""
        del input_features
        return np.array([*self.kept_, *(MISSING_INDICATOR + name for name in self.indicated_)], dtype=object)

    @property
    def origins_(self) -> list[str]:
        """The column that each column of the matrix comes from."""
        return [*self.kept_, *self.indicated_]

    def _says(self, values: np.ndarray, seen: set[bytes]) -> bool:
        """A column of one value and gaps says only what its indicator says."""
        there = values[~np.isnan(values)]
        return bool(len(there)) and there.min() < there.max() and is_new(values, seen)


def is_new(values: np.ndarray, seen: set[bytes]) -> bool:
    """Whether these values have not been seen before; they have from now on."""
    digest = hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).digest()
    if digest in seen:
        return False
    seen.add(digest)
    return True


def _gaps(values: np.ndarray, blocks: set[bytes]) -> bool:
    """Whether some but not all values are missing, in other rows than in the columns before."""
    missing = np.isnan(values)
    return bool(missing.any()) and not missing.all() and is_new(np.packbits(missing), blocks)
