"""The contract over every aggregate that is declared, and aggregates that are made to break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fraudops.aggregates import AGGREGATES
from fraudops.features.columns import ModelColumns, feature_names
from fraudops.features.compute import compute
from fraudops.features.contract import Breach, check_moments
from fraudops.features.telling import telling_columns
from fraudops.portfolio import EntityFeatures, Features, Portfolio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.features.histories import make_history, make_known, with_everything


def _only(portfolio: Portfolio, aggregate: str, entity: str | tuple[str, ...] = "customer") -> Portfolio:
    """The portfolio with one aggregate of one entity."""
    of = "card" if AGGREGATES[aggregate].other else None
    windows = (timedelta(days=2), timedelta(days=10))
    group = EntityFeatures(entity=entity, windows=windows, aggregates=(aggregate,), of=of)
    return portfolio.model_copy(update={"features": Features(behaviour=(group,))})


def _breaches(portfolio: Portfolio, seed: int = 0, rows: int = 250) -> set[Breach]:
    history = make_history(seed, rows)
    known = make_known(history, seed)
    return {finding.breach for finding in check_moments(portfolio, history, known, slice(rows // 2, rows - rows // 10))}


@pytest.mark.parametrize("entity", ["customer", ("customer", "terminal")], ids=str)
@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_an_aggregate_sees_nothing_but_what_was_known(
    portfolios: dict[str, Portfolio], aggregate: str, entity: str | tuple[str, ...]
) -> None:
    assert _breaches(_only(portfolios["cards"], aggregate, entity)) == set()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), rows=st.integers(25, 300), delay=st.sampled_from(["0", "1d", "9d"]))
def test_so_do_all_together_whatever_the_history(
    portfolios: dict[str, Portfolio], seed: int, rows: int, delay: str
) -> None:
    portfolio = with_everything(portfolios["cards"], delay=timedelta(days=int(delay.rstrip("d"))))
    assert _breaches(portfolio, seed, rows) == set()


def _one_payment_ahead(view: Any, window: int) -> Any:
    after = np.minimum(view.places + 1, len(view.history.order) - 1)
    return view.amounts.values[after]


def _mean_of_all_time(view: Any, window: int) -> Any:
    return np.full(len(view.places), view.amounts.values.mean())


def _own_label(view: Any, window: int) -> Any:
    return np.isin(view.rows, view.history.history.reported.row)


def _frauds_of_the_window_known_or_not(view: Any, window: int) -> Any:
    reported = view.history.history.reported
    fraud = np.zeros(len(view.history.history.times), np.int64)
    np.add.at(fraud, reported.row, reported.weight)
    return view.payments(window).total(type(view.amounts)(fraud[view.history.order]))


def _is_busy(view: Any, window: int) -> Any:
    return view.earlier(window).count > 3


def _a_longer_window_than_it_says(view: Any, window: int) -> Any:
    return view.payments(window).total(view.marked("busy", window, _is_busy))


@pytest.mark.parametrize(
    ("formula", "breach"),
    [
        (_one_payment_ahead, Breach.FUTURE),
        (_mean_of_all_time, Breach.FUTURE),
        (_own_label, Breach.LABELS),
        (_frauds_of_the_window_known_or_not, Breach.LABELS),
        (_a_longer_window_than_it_says, Breach.HISTORY),
    ],
)
def test_an_aggregate_that_looks_where_it_must_not_is_caught(
    portfolios: dict[str, Portfolio], monkeypatch: pytest.MonkeyPatch, formula: Callable[..., Any], breach: Breach
) -> None:
    portfolio = _only(portfolios["handbook"], "count")
    portfolio = portfolio.model_copy(
        update={"labels": portfolio.labels.model_copy(update={"delay": timedelta(days=1)})}
    )
    assert _breaches(portfolio) == set()
    monkeypatch.setitem(AGGREGATES, "count", replace(AGGREGATES["count"], formula=formula))
    assert breach in _breaches(portfolio)


def test_what_is_found_names_the_column_and_how_many_rows_moved(
    portfolios: dict[str, Portfolio], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(AGGREGATES, "count", replace(AGGREGATES["count"], formula=_own_label))
    portfolio, history = _only(portfolios["cards"], "count"), make_history()
    found = check_moments(portfolio, history, make_known(history), slice(300, 500))
    assert {finding.column for finding in found} == set(feature_names(portfolio))
    assert all("of 200 rows change when labels are changed" in finding.detail for finding in found)


# -- columns that tell the label ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def label() -> pd.Series:
    label = pd.Series(np.random.default_rng(0).random(2_000) < 0.03, dtype="boolean")
    label[::50] = pd.NA
    return label


def _told(values: Any, label: pd.Series, *, category: bool = False) -> list[str]:
    columns = ModelColumns(() if category else ("x",), ("x",) if category else ())
    return [finding.column for finding in telling_columns(pd.DataFrame({"x": values}), label, columns)]


@pytest.mark.parametrize(
    "leak",
    [
        lambda fraud, random: fraud.astype(float),
        lambda fraud, random: -fraud.astype(float),
        lambda fraud, random: np.where(fraud, random.normal(size=len(fraud)), np.nan),
        lambda fraud, random: np.where(fraud, np.nan, random.normal(size=len(fraud))),
        lambda fraud, random: np.where(fraud, 2.0, random.choice([1.0, 3.0], len(fraud))),
        lambda fraud, random: fraud + 1e-3 * random.normal(size=len(fraud)),
    ],
    ids=["the label", "its opposite", "filled for frauds", "empty for frauds", "a code", "with noise"],
)
def test_a_column_that_tells_the_label_is_caught(label: pd.Series, leak: Callable[..., Any]) -> None:
    fraud = label.fillna(False).to_numpy(dtype=bool)
    assert _told(leak(fraud, np.random.default_rng(1)), label) == ["x"]


def test_a_category_that_tells_the_label_is_caught(label: pd.Series) -> None:
    fraud = label.fillna(False).to_numpy(dtype=bool)
    assert _told(np.where(fraud, "charged back", "settled"), label, category=True) == ["x"]


def test_a_name_of_each_row_does_not_tell_the_label(label: pd.Series) -> None:
    assert _told([f"name {number}" for number in range(len(label))], label, category=True) == []


def test_a_good_column_does_not_tell_the_label(label: pd.Series) -> None:
    fraud = label.fillna(False).to_numpy(dtype=bool)
    good = np.where(fraud, 3.0, 0.0) + np.random.default_rng(2).normal(size=len(fraud))
    assert _told(good, label) == []


def test_of_few_frauds_nothing_is_said() -> None:
    label = pd.Series([True] * 9 + [False] * 91, dtype="boolean")
    assert _told(label.astype(float), label) == []


def test_the_contract_holds_where_there_is_no_behaviour(portfolios: dict[str, Portfolio]) -> None:
    ulb, history = portfolios["ulb"], make_history()
    assert check_moments(ulb, history, make_known(history), slice(100, 200)) == []
    assert compute(ulb, history, make_known(history), slice(100, 200)).num_rows == 100
