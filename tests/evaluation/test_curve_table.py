from __future__ import annotations

import json

import numpy as np
import pytest
from fraudops.evaluation.costs import ALLOW, BLOCK, REVIEW, CostModel, RowCosts
from fraudops.evaluation.curve_table import MOST_POINTS, CurveTable

COSTS = CostModel(review=400, friction=1500, recovered=0.9)


def scored(n: int, *, distinct: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    label = random.random(n) < 0.02
    score = np.clip(random.beta(1, 30, n) + 0.4 * label * random.random(n), 0, 1)
    if distinct:
        score = np.round(score * distinct) / distinct
    return label, score, random.integers(-500, 20_000, n)


@pytest.mark.parametrize("distinct", [20, None])
def test_each_point_is_what_counting_gives(distinct: int | None) -> None:
    label, score, amount = scored(3_000, distinct=distinct)
    block = float(np.quantile(score, 0.99))
    table = CurveTable.of(label, score, amount, COSTS, block=block)
    assert table.caught_minor is not None
    assert table.cost_minor is not None
    for place in range(0, len(table.threshold), 7):
        flagged = score >= table.threshold[place]
        assert table.flagged[place] == flagged.sum()
        assert table.caught[place] == (flagged & label).sum()
        assert table.caught_minor[place] == np.maximum(amount[flagged & label], 0).sum()
        decision = np.where(flagged, np.where(score >= block, BLOCK, REVIEW), ALLOW)
        assert table.cost_minor[place] == pytest.approx(RowCosts.of(label, decision, amount, COSTS).cost()[0], abs=1)


def test_there_are_few_points_and_those_that_were_asked_for_are_among_them() -> None:
    label, score, amount = scored(40_000)
    asked = float(np.sort(score)[-1_234])
    table = CurveTable.of(label, score, amount, COSTS, keep=[asked])
    assert len(table.threshold) <= MOST_POINTS < len(np.unique(score))
    assert asked in table.threshold
    assert (table.flagged[0], table.flagged[-1]) == (1, 40_000)
    assert np.all(np.diff(table.threshold) < 0)
    assert len(json.dumps(table.to_dict())) < 30_000


def test_without_amounts_nothing_is_told_in_money_and_without_rows_nothing_at_all() -> None:
    label, score, amount = scored(50)
    assert CurveTable.of(label, score).to_dict()["cost_minor"] is None
    assert CurveTable.of(label, score, amount).cost_minor is None
    none = np.zeros(0)
    empty = CurveTable.of(none.astype(bool), none, none, COSTS).to_dict()
    assert empty["threshold"] == empty["flagged"] == empty["cost_minor"] == []
