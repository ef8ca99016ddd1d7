from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from fraudops.errors import ContractError
from fraudops.features import ModelColumns
from fraudops.training.preprocessing import MISSING, Family, origins, prepare, preprocessor, signed_log
from sklearn.metrics import roc_auc_score

COLUMNS = ModelColumns(("amount", "age", "never"), ("channel", "town", "name"))
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
            "town": [f"t{n % 30}" for n in range(rows)],
            "unused": 1,
            "label": random.random(rows) < 0.2,
        }
    )


def test_missing_numbers_become_the_training_median_and_leave_an_indicator() -> None:
    rows = _rows()
    fitted = preprocessor(COLUMNS, "forest").fit(prepare(rows, COLUMNS), rows["label"])
    matrix = fitted.transform(prepare(rows.iloc[:50], COLUMNS))
    named = dict(zip(fitted.get_feature_names_out(), matrix.T, strict=True))
    missing = rows["age"].iloc[:50].isna().to_numpy()
    # The median of all training rows, not of the fifty that are transformed.
    assert named["age"][missing] == pytest.approx(rows["age"].median(), rel=1e-6)
    assert (named["missingindicator_age"] == missing).all()
    assert "missingindicator_amount" not in named


def test_boosters_get_missing_values_as_they_are() -> None:
    rows = _rows()
    matrix = preprocessor(COLUMNS, "booster").fit_transform(prepare(rows, COLUMNS), rows["label"])
    assert (np.isnan(matrix[:, 1]) == rows["age"].isna()).all()
    assert matrix.dtype == np.float32


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unseen_category_and_a_missing_one_survive(family: Family) -> None:
    rows = _rows()
    fitted = preprocessor(COLUMNS, family).fit(prepare(rows, COLUMNS), rows["label"])
    new = rows.iloc[:2].assign(channel=["telegraph", None], town=["u", "v"], name=["x", None])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found unknown categories")
        matrix = fitted.transform(prepare(new, COLUMNS))
    names = list(fitted.get_feature_names_out())
    assert matrix[:, names.index(f"channel_{MISSING}")].tolist() == [0, 1]
    # Every town is rare, so that they share one indicator, and so does one never seen.
    assert matrix[:, names.index("town_infrequent_sklearn")].tolist() == [1, 1]
    # There are more names than indicators: one never seen is as risky as all rows are, and has been seen 0 times.
    overall = rows["label"].mean()
    if family != "linear":
        assert matrix[:, names.index("name")] == pytest.approx(overall, rel=1e-6)
        assert matrix[:, names.index("name_frequency")].tolist() == [0, 0]
    assert np.isfinite(matrix[:, names.index("amount") :][:, 3:]).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_number_knows_its_column(family: Family) -> None:
    rows = _rows()
    fitted = preprocessor(COLUMNS, family).fit(prepare(rows, COLUMNS), rows["label"])
    found = origins(fitted)
    names = fitted.get_feature_names_out()
    assert len(found) == len(names)
    for origin, name in zip(found, names, strict=True):
        assert name in (origin, f"missingindicator_{origin}") or name.startswith(f"{origin}_")


def _risky_shops(rows: int = 6_000, shops: int = 600) -> pd.DataFrame:
    """Some shops are compromised; the shop's name is all that tells."""
    random = np.random.default_rng(5)
    shop = random.integers(0, shops, rows)
    risk = np.where(np.arange(shops) % 10 == 0, 0.5, 0.01)
    return pd.DataFrame({"shop": [f"s{n}" for n in shop], "label": random.random(rows) < risk[shop]})


SHOPS = ModelColumns((), ("shop",))


@pytest.mark.parametrize("family", FAMILIES)
def test_hundreds_of_categories_become_their_rate_of_fraud_and_how_common_they_are(family: Family) -> None:
    rows = _risky_shops()
    fitted = preprocessor(SHOPS, family)
    learned = fitted.fit_transform(prepare(rows, SHOPS), rows["label"])
    matrix = fitted.transform(prepare(rows, SHOPS))
    assert origins(fitted) == ("shop", "shop")
    risky = rows["shop"].str.removeprefix("s").astype(int) % 10 == 0
    # Known rows of their shops apart, each shop's history separates them; so it does for the rows learned from.
    assert roc_auc_score(risky, matrix[:, 0]) > 0.9
    assert roc_auc_score(risky, learned[:, 0]) > 0.85


def test_a_row_that_is_learned_from_is_not_told_its_own_label() -> None:
    random = np.random.default_rng(6)
    rows = pd.DataFrame({"shop": [f"s{n}" for n in range(3_000)], "label": random.random(3_000) < 0.1})
    learned = preprocessor(SHOPS, "booster").fit_transform(prepare(rows, SHOPS), rows["label"])
    # Every shop occurs once: an encoding that used a row's own label would give it away.
    assert np.ptp(learned[rows["label"].to_numpy(), 0]) < 0.02
    assert roc_auc_score(rows["label"], learned[:, 0]) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("family", FAMILIES)
def test_columns_that_say_nothing_are_left_out(family: Family) -> None:
    random = np.random.default_rng(7)
    n = 500
    value, gap = random.normal(size=n), random.random(n) < 0.4
    rows = pd.DataFrame(
        {
            "always": 3.0,
            "never": np.nan,
            "value": value,
            "again": value,
            "first": np.where(gap, np.nan, random.normal(size=n)),
            "second": np.where(gap, np.nan, random.normal(size=n)),
            "flag": np.where(gap, np.nan, 1.0),
            "label": random.random(n) < 0.2,
        }
    )
    columns = ModelColumns(tuple(rows.columns[:-1]), ())
    fitted = preprocessor(columns, family).fit(prepare(rows, columns), rows["label"])
    names = list(fitted.get_feature_names_out())
    # A booster sees from a gap what the others are told by one indicator for all that is missing together.
    rest = ["flag"] if family == "booster" else ["missingindicator_first"]
    assert names == ["value", "first", "second", *rest]
    assert origins(fitted) == ("value", "first", "second", "flag" if family == "booster" else "first")
    later = rows.assign(always=4.0, never=1.0, second=np.nan)
    assert fitted.transform(prepare(later, columns)).shape == (n, len(names))


def test_an_infinite_number_counts_as_missing() -> None:
    rows = _rows(5).assign(age=[np.inf, -np.inf, 1e300, 2, np.nan])
    assert prepare(rows, COLUMNS)["age"].isna().tolist() == [True, True, True, False, True]


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
