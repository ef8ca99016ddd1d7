from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from fraudops.errors import ContractError
from fraudops.features import ModelColumns
from fraudops.training.preprocessing import MISSING, Family, origins, prepare, preprocessor, signed_log

COLUMNS = ModelColumns(("amount", "age", "never"), ("channel", "name"))
FAMILIES: tuple[Family, ...] = ("linear", "forest", "booster")


def _rows(rows: int = 300) -> pd.DataFrame:
    random = np.random.default_rng(0)
    age = np.where(random.random(rows) < 0.3, np.nan, random.normal(40, 10, rows))
    channel = random.choice(np.array(["online", "shop", None], dtype=object), rows)
    return pd.DataFrame(
        {
            "amount": random.lognormal(3, 1, rows),
            "age": age,
            "never": np.nan,
            "channel": channel,
            "name": [f"n{n}" for n in range(rows)],
            "unused": 1,
        }
    )


def test_missing_numbers_become_the_training_median_and_leave_an_indicator() -> None:
    rows = _rows()
    fitted = preprocessor(COLUMNS, "forest").fit(prepare(rows, COLUMNS))
    matrix = fitted.transform(prepare(rows.iloc[:50], COLUMNS))
    named = dict(zip(fitted.get_feature_names_out(), matrix.T, strict=True))
    missing = rows["age"].iloc[:50].isna().to_numpy()
    # The median of all training rows, not of the fifty that are transformed.
    assert named["age"][missing] == pytest.approx(rows["age"].median(), rel=1e-6)
    assert (named["missingindicator_age"] == missing).all()
    assert "missingindicator_amount" not in named


def test_boosters_get_missing_values_as_they_are() -> None:
    rows = _rows()
    matrix = preprocessor(COLUMNS, "booster").fit_transform(prepare(rows, COLUMNS))
    assert (np.isnan(matrix[:, 1]) == rows["age"].isna()).all()
    assert matrix.dtype == np.float32


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unseen_category_and_a_missing_one_survive(family: Family) -> None:
    rows = _rows()
    fitted = preprocessor(COLUMNS, family).fit(prepare(rows, COLUMNS))
    new = rows.iloc[:2].assign(channel=["telegraph", None], name=["x", None])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found unknown categories")
        matrix = fitted.transform(prepare(new, COLUMNS))
    names = list(fitted.get_feature_names_out())
    assert matrix[:, names.index(f"channel_{MISSING}")].tolist() == [0, 1]
    # Every name is rare, so that they share one indicator, and so does one never seen.
    assert matrix[:, names.index("name_infrequent_sklearn")].tolist() == [1, 1]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_number_knows_its_column(family: Family) -> None:
    rows = _rows()
    fitted = preprocessor(COLUMNS, family).fit(prepare(rows, COLUMNS))
    found = origins(fitted, COLUMNS)
    names = fitted.get_feature_names_out()
    assert len(found) == len(names)
    for origin, name in zip(found, names, strict=True):
        assert name in (origin, f"missingindicator_{origin}") or name.startswith(f"{origin}_")


def test_an_infinite_number_counts_as_missing() -> None:
    rows = _rows(5).assign(age=[np.inf, -np.inf, 1, 2, np.nan])
    assert prepare(rows, COLUMNS)["age"].isna().tolist() == [True, True, False, False, True]


def test_extension_types_are_taken() -> None:
    rows = _rows(4).assign(age=pd.array([1, None, 3, 4], dtype="Int64"), amount=pd.array([True] * 4, dtype="boolean"))
    prepared = prepare(rows, COLUMNS)
    assert prepared["age"].isna().tolist() == [False, True, False, False]
    assert prepared["amount"].tolist() == [1.0] * 4


def test_absent_columns_are_named() -> None:
    with pytest.raises(ContractError, match="age, channel"):
        prepare(_rows().drop(columns=["age", "channel"]), COLUMNS)
    with pytest.raises(ContractError, match="column age: a value is not a number"):
        prepare(_rows(2).assign(age=["4", "old"]), COLUMNS)


def test_signed_logarithms() -> None:
    assert signed_log(np.array([-np.e + 1, 0, np.e - 1])) == pytest.approx([-1, 0, 1])
