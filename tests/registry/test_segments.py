from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from fraudops.portfolio import Portfolio, Promotion
from fraudops.registry.segments import segments_of

N = 400


@pytest.fixture
def frame() -> pd.DataFrame:
    """Every tenth payment is fraud; amounts rise from 1.00 to 400.00."""
    place = np.arange(N)
    return pd.DataFrame(
        {
            "label": place % 10 == 0,
            "amount_minor": 100 * (place + 1),
            "channel": np.where(place < 220, "online", "shop"),
            "country": pd.Series(np.where(place < 390, "NL", None), dtype="string"),
            "one": "same",
        }
    )


def _with(cards: Portfolio, **segments: Any) -> Portfolio:
    promotion = Promotion.model_validate({"gates": {"segments": {"minimum_positives": 10, **segments}}})
    return cards.model_copy(update={"promotion": promotion})


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


def test_values_of_a_column_are_segments(cards: Portfolio, frame: pd.DataFrame) -> None:
    found = segments_of(_with(cards, columns=["channel"], amount_bands=[]), frame)
    assert {name: int(held.sum()) for name, held in found.members.items()} == {
        "channel online": 220,
        "channel shop": 180,
    }


def test_a_segment_with_too_few_frauds_is_counted_and_one_of_everything_is_none(
    cards: Portfolio, frame: pd.DataFrame
) -> None:
    found = segments_of(_with(cards, columns=["country", "one", "gone"], amount_bands=[]), frame)
    assert list(found.members) == ["country NL"]
    assert found.too_small == 1


def test_bands_begin_with_their_lower_bound(cards: Portfolio, frame: pd.DataFrame) -> None:
    found = segments_of(_with(cards, amount_bands=[101, 300]), frame)
    assert {name: int(held.sum()) for name, held in found.members.items()} == {
        "amount below 101.00": 100,
        "amount from 101.00 to below 300.00": 199,
        "amount from 300.00": 101,
    }


def test_a_portfolio_that_says_nothing_has_thirds_of_its_frauds(cards: Portfolio, frame: pd.DataFrame) -> None:
    found = segments_of(_with(cards), frame)
    assert [int((held & frame["label"]).sum()) for held in found.members.values()] == [13, 13, 14]


def test_without_amounts_there_are_no_bands(cards: Portfolio, frame: pd.DataFrame) -> None:
    columns = {name: column for name, column in cards.columns.items() if name != "amount"}
    bare = _with(cards).model_copy(update={"columns": columns})
    assert segments_of(bare, frame).members == {}
