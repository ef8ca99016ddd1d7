"""From the model's columns to the numbers an estimator takes; fitted on training rows, travels in the model.

One path for every estimator:

1. :func:`prepare` gives each column its type: numbers (an infinite one counts as missing), and texts, in which
   a missing one is a category of its own.
2. Categories become indicators. Rare ones share an indicator, and so does a category never seen in training.
3. Numbers: medians for missing values, with an indicator that the value was missing, for estimators that
   need one (linear, forest); as they are for boosters, which learn where a missing value belongs.
4. Linear models see signed logarithms, standardised: amounts and counts have long tails.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from fraudops.errors import ContractError
from fraudops.features import ModelColumns

Family = Literal["linear", "forest", "booster"]
"""Kinds of estimators that want their input alike."""

MISSING = "(missing)"
RAREST = 20
"""A category seen less often than this in training shares an indicator with the other rare ones."""
MOST_CATEGORIES = 40
"""At most this many indicators per column, that of the rare ones included."""


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
            values = pd.to_numeric(frame[name]).to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            raise ContractError(
                "a value is not a number", where=f"column {name}", remedy="check the column's role and source"
            ) from None
        prepared[name] = np.where(np.isfinite(values), values, np.nan)
    for name in columns.categorical:
        texts = frame[name].astype(object)
        prepared[name] = texts.where(texts.notna(), MISSING).astype(str).to_numpy(dtype=object)
    return pd.DataFrame(prepared, index=frame.index)


def preprocessor(columns: ModelColumns, family: Family) -> ColumnTransformer:
    """The unfitted transformation of :func:`prepare`'s result for a family of estimators."""
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=RAREST,
        max_categories=MOST_CATEGORIES,
        sparse_output=False,
        dtype=np.float64 if family == "linear" else np.float32,
    )
    parts: list[tuple[str, object, list[str]]] = []
    if columns.numeric:
        parts.append(("numbers", _numbers(family), list(columns.numeric)))
    if columns.categorical:
        parts.append(("categories", categories, list(columns.categorical)))
    return ColumnTransformer(parts, sparse_threshold=0.0, verbose_feature_names_out=False)


def origins(fitted: ColumnTransformer, columns: ModelColumns) -> tuple[str, ...]:
    """For each number the estimator is given, the model's column that it comes from."""
    found: list[str] = []
    if columns.numeric:
        outputs = fitted.named_transformers_["numbers"].get_feature_names_out(list(columns.numeric))
        was_missing = {f"missingindicator_{name}": name for name in columns.numeric}
        # The numbers themselves come first, the indicators after them.
        found += [*columns.numeric, *(was_missing[name] for name in outputs[len(columns.numeric) :])]
    if columns.categorical:
        encoder = fitted.named_transformers_["categories"]
        together = encoder.infrequent_categories_
        for name, known, rare in zip(columns.categorical, encoder.categories_, together, strict=True):
            found += [name] * (len(known) if rare is None else len(known) - len(rare) + 1)
    return tuple(found)


def signed_log(values: np.ndarray) -> np.ndarray:
    """Logarithm of 1 + size, with the sign kept: shortens long tails, leaves small numbers nearly as they are."""
    return np.sign(values) * np.log1p(np.abs(values))


def _numbers(family: Family) -> Pipeline:
    if family == "booster":
        return make_pipeline(FunctionTransformer(_as_float32, feature_names_out="one-to-one"))
    # An all-missing column keeps its place (as zeros): it may have values in another month.
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    if family == "forest":
        return make_pipeline(impute, FunctionTransformer(_as_float32, feature_names_out="one-to-one"))
    return make_pipeline(impute, FunctionTransformer(signed_log, feature_names_out="one-to-one"), StandardScaler())


def _as_float32(values: np.ndarray) -> np.ndarray:
    """Half the memory; what trees compute with anyway."""
    return np.asarray(values, dtype=np.float32)
