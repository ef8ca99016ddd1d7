"""From the model's columns to the numbers an estimator takes; fitted on training rows, travels in the model.

One path for every estimator:

1. :func:`prepare` gives each column its type: numbers (an infinite one counts as missing), and texts, in which
   a missing one is a category of its own.
2. Categories become indicators. Rare ones share an indicator, and so does a category never seen in training.
   Where a column has too many for that, two numbers stand for a category: how often it was fraud (drawn towards
   the overall rate the fewer its rows are; of training rows it is taken from other stretches of time than their
   own, or a model would read off the labels that it is to predict), and how common it is.
3. Numbers that never vary, or repeat another column, are left out. Medians for missing values, with an indicator
   of what is missing together, for estimators that need one (linear, forest); as they are for boosters, which
   learn where a missing value belongs.
4. Linear models see signed logarithms, standardised: amounts and counts have long tails.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder

from fraudops.errors import ContractError
from fraudops.features import ModelColumns
from fraudops.training.frequencies import Frequencies
from fraudops.training.numbers import FilledNumbers, Numbers

Family = Literal["linear", "forest", "booster"]
"""Kinds of estimators that want their input alike."""

MISSING = "(missing)"
RAREST = 20
"""A category seen less often than this in training shares an indicator with the other rare ones; as many rows of
the overall rate are mixed into a category's own."""
MOST_CATEGORIES = 40
"""A column with more categories than this in training gets two numbers instead of indicators."""
_BLOCKS = 5
"""Stretches of time that the training rows are cut into, in order to encode each by the others."""


def prepare(frame: pd.DataFrame, columns: ModelColumns) -> pd.DataFrame:
    """The model's columns of some rows, each with its type.

    Raises
    ------
    ContractError
        A column is absent, or a number is none.
    """
    absent = [name for name in columns.all if name not in frame.columns]
    if absent:
        raise ContractError(
            f"the model needs columns that are not there: {', '.join(absent)}",
            where="rows to score",
            remedy="build the features with the configuration that the model was trained with",
        )
    prepared: dict[str, np.ndarray] = {}
    for name in columns.numeric:
        try:
            # What is too large for half the memory becomes infinite, and counts as missing with the others.
            with np.errstate(over="ignore"):
                values = pd.to_numeric(frame[name]).to_numpy(dtype=np.float32, na_value=np.nan)
        except (TypeError, ValueError):
            raise ContractError(
                "a value is not a number", where=f"column {name}", remedy="check the column's role and source"
            ) from None
        prepared[name] = np.where(np.isfinite(values), values, np.float32(np.nan))
    for name in columns.categorical:
        texts = frame[name].astype(object)
        prepared[name] = texts.where(texts.notna(), MISSING).astype(str).to_numpy(dtype=object)
    return pd.DataFrame(prepared, index=frame.index)


def preprocessor(columns: ModelColumns, family: Family) -> ColumnTransformer:
    """The unfitted transformation of :func:`prepare`'s result for a family of estimators.

    It is fitted with the labels, on rows in the order of time.
    """
    dtype = np.float64 if family == "linear" else np.float32
    indicators = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=RAREST,
        max_categories=MOST_CATEGORIES,
        sparse_output=False,
        dtype=dtype,
    )
    rates = TargetEncoder(target_type="binary", smooth=float(RAREST), cv=StratifiedKFold(_BLOCKS))
    few = partial(_with_categories, columns.categorical, many=False)
    many = partial(_with_categories, columns.categorical, many=True)
    parts: list[tuple[str, object, object]] = []
    if columns.numeric:
        parts.append(("numbers", _NUMBERS[family](), list(columns.numeric)))
    if columns.categorical:
        parts += [
            ("categories", indicators, few),
            ("rates", make_pipeline(rates, *_scaled(log_odds, family)), many),
            ("frequencies", make_pipeline(Frequencies(), *_scaled(None, family)), many),
        ]
    return ColumnTransformer(parts, sparse_threshold=0.0, verbose_feature_names_out=False)


def origins(fitted: ColumnTransformer) -> tuple[str, ...]:
    """For each number the estimator is given, the model's column that it comes from.

    What is missing together has one indicator; it belongs to the first of these columns.
    """
    found: list[str] = []
    for name, step, columns in fitted.transformers_:
        if name == "numbers":
            found += (step if isinstance(step, Numbers) else step[0]).origins_
        elif name == "categories" and len(columns):
            together = step.infrequent_categories_
            for column, known, rare in zip(columns, step.categories_, together, strict=True):
                found += [column] * (len(known) if rare is None else len(known) - len(rare) + 1)
        elif name in ("rates", "frequencies"):
            found += columns
    return tuple(found)


def _with_categories(names: tuple[str, ...], frame: pd.DataFrame, *, many: bool) -> list[str]:
    """Those of the columns that have many categories, or a few, in the rows that are learned from."""
    counts = {name: frame[name].nunique() for name in names}
    return [name for name in names if counts[name] > 1 and (counts[name] > MOST_CATEGORIES) == many]


def signed_log(values: np.ndarray) -> np.ndarray:
    """Logarithm of 1 + size, with the sign kept: shortens long tails, leaves small numbers nearly as they are."""
    return np.sign(values) * np.log1p(np.abs(values))


def log_odds(rates: np.ndarray) -> np.ndarray:
    """Log-odds of shares, finite for 0 and 1 as well."""
    inside = np.clip(rates, _SURE, 1 - _SURE)
    return np.log(inside) - np.log1p(-inside)


_SURE = 1e-6


def _scaled(function: Callable[[np.ndarray], np.ndarray] | None, family: Family) -> list[object]:
    """Steps that bring a number to what an estimator wants: only linear ones mind its scale."""
    if family == "linear":
        return [FunctionTransformer(function, feature_names_out="one-to-one"), StandardScaler()]
    return [FunctionTransformer(_as_float32, feature_names_out="one-to-one")]


def _linear_numbers() -> Pipeline:
    return make_pipeline(FilledNumbers(), *_scaled(_long_tails_cut, "linear"))


def _long_tails_cut(values: np.ndarray) -> np.ndarray:
    return signed_log(np.asarray(values, dtype=np.float64))


def _as_float32(values: np.ndarray) -> np.ndarray:
    """Half the memory; what trees compute with anyway."""
    return np.asarray(values, dtype=np.float32)


_NUMBERS: dict[Family, Callable[[], object]] = {
    "linear": _linear_numbers,
    "forest": FilledNumbers,
    "booster": Numbers,
}
