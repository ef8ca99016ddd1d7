"""Evaluation over several windows: nothing that was not known at a window's start may matter to its model."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio, Prequential
from fraudops.training.prequential import MEASURES, evaluate_candidates, spread, spreads, train_on
from fraudops.training.windows import (
    History,
    Window,
    card_column,
    evaluation_name,
    partitions_of,
    windows,
)
from fraudops.workspace import Workspace

from tests.training import history
from tests.training.conftest import empty

WINDOW = Window(history.START + timedelta(days=28), history.START + timedelta(days=35))


def _with_plan(shop: Portfolio, **plan: object) -> Portfolio:
    changed = Prequential.model_validate(plan)
    return shop.model_copy(update={"training": shop.training.model_copy(update={"prequential": changed})})


def _history(ws: Workspace, shop: Portfolio) -> History:
    keys = ws.store.keys("transactions", shop.name)
    return History.load(ws, shop, keys, history.end())


def test_windows_end_where_labels_end_and_lie_one_step_apart() -> None:
    plan = Prequential.model_validate({"windows": 3, "length": "7d", "step": "5d"})
    found = windows(plan, datetime(2026, 4, 5, 13, tzinfo=UTC))
    assert [window.start.day for window in found] == [19, 24, 29]
    assert found[-1].end == datetime(2026, 4, 5, tzinfo=UTC)
    assert found[0].name == "2026-03-19 to 2026-03-25"
    assert evaluation_name(found, plan) == "prequential_2026-03-19_2026-04-05_7d"


def test_what_was_known_at_a_start_is_what_had_matured(ws: Workspace, shop: Portfolio) -> None:
    known = _history(ws, shop).known_at(WINDOW.start)
    assert known["event_time"].max() <= WINDOW.start - shop.labels.delay
    truth = history.transactions().set_index("transaction_id")["fraud"]
    assert (known["label"].to_numpy() == truth.reindex(known["transaction_id"]).to_numpy()).all()


def test_cards_that_were_known_are_left_out_by_what_had_been_reported(ws: Workspace, shop: Portfolio) -> None:
    found = _with_plan(shop, remember="10d")
    rows, left_out = _history(ws, found).within(WINDOW)
    payments = history.transactions()
    inside = payments[(payments["event_time"] >= WINDOW.start) & (payments["event_time"] < WINDOW.end)]
    since = (WINDOW.start - shop.labels.delay - timedelta(days=10)).replace(hour=0)
    frauds = payments[payments["fraud"] & (payments["event_time"] >= since)]
    # The shop's reports count from the end of the third day after.
    known_from = frauds["event_time"].dt.floor("D") + pd.Timedelta(days=4)
    expected = [
        ((frauds["customer_id"] == customer) & (known_from <= time.floor("D"))).any()
        for customer, time in zip(inside["customer_id"], inside["event_time"], strict=True)
    ]
    assert left_out == sum(expected) > 0
    assert list(rows["transaction_id"]) == list(inside["transaction_id"][~np.array(expected)])


def test_later_labels_and_payments_change_no_model(tmp_path: object, ws: Workspace, shop: Portfolio) -> None:
    rows = history.transactions()
    later = (rows["event_time"] >= WINDOW.start - shop.labels.delay).to_numpy()
    other = rows.copy()
    other.loc[later, "fraud"] = ~other.loc[later, "fraud"]
    other.loc[later, "amount"] = 1.0
    changed = empty(tmp_path)  # type: ignore[arg-type]
    history.write(changed, shop, other)
    models = [
        train_on(shop, "lightgbm", _history(one, shop).known_at(WINDOW.start), where="here", seed=1)
        for one in (ws, changed)
    ]
    assert models[0].to_bytes() == models[1].to_bytes()


def test_candidates_are_measured_in_a_window(ws: Workspace, shop: Portfolio) -> None:
    found = evaluate_candidates(ws, shop, WINDOW, as_of=history.end(), candidates=["logistic_regression", "xgboost"])
    assert [result.candidate for result in found] == ["logistic_regression", "xgboost"]
    assert len({(result.learned, result.metrics.n, result.left_out) for result in found}) == 1
    for result in found:
        assert result.metrics.average_precision is not None
        assert result.metrics.average_precision > 2 * result.metrics.positives / result.metrics.n
        assert result.cards is not None
        assert result.cards.k == 5
        assert result.cards.days == 7
    again = evaluate_candidates(ws, shop, WINDOW, as_of=history.end(), candidates=["xgboost"], jobs=2)
    assert again[0].to_dict() == found[1].to_dict()
    told = [json.loads(json.dumps(result.to_dict())) for result in found]
    summary = spreads(told)
    # 800 genuine payments cannot show one false alarm in 1,000; the shop states no costs.
    assert set(summary["xgboost"]) == set(MEASURES) - {"savings", "recall at 1 false alarm in 1,000"}
    assert summary["xgboost"]["average precision"].mean == found[1].metrics.average_precision
    assert summary["xgboost"]["average precision"].deviation is None


def test_a_spread_says_mean_deviation_extremes_and_how_many() -> None:
    found = spread([0.2, 0.4, 0.9])
    assert (found.mean, found.low, found.high, found.windows) == (pytest.approx(0.5), 0.2, 0.9, 3)
    assert found.deviation == pytest.approx(np.std([0.2, 0.4, 0.9], ddof=1))


def test_what_cannot_be_evaluated_is_told(ws: Workspace, shop: Portfolio) -> None:
    with pytest.raises(ContractError, match=r"no candidate 'forest'.*choose one of lightgbm"):
        evaluate_candidates(ws, shop, WINDOW, as_of=history.end(), candidates=["forest"])
    early = Window(history.START + timedelta(days=3), history.START + timedelta(days=10))
    with pytest.raises(ContractError, match="nothing could be learned"):
        partitions_of(ws, shop, [early], history.end())
    late = Window(history.end(), history.end() + timedelta(days=7))
    with pytest.raises(ContractError, match="no transaction whose label is known"):
        evaluate_candidates(ws, shop, late, as_of=history.end(), candidates=["xgboost"])
    with pytest.raises(ContractError, match=r"no entity 'till'.*customer"):
        card_column(_with_plan(shop, cards="till"))
