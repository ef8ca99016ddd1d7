"""The search within the training slice, and early stopping."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from fraudops.features import ModelColumns
from fraudops.portfolio import Candidate, EarlyStopping, Policy, Range, Search
from fraudops.training.estimators import ESTIMATORS, make
from fraudops.training.lessons import Lesson
from fraudops.training.model import FraudModel, fit_model
from fraudops.training.search import SPACES, halton, proposals, settle, value_at

from tests.training import history

COLUMNS = ModelColumns(("amount", "age"), ("channel",))
SMALL = {"n_estimators": 20}


def _rows() -> pd.DataFrame:
    return history.transactions().rename(columns={"fraud": "label"})


def _lesson(rows: pd.DataFrame, gap: timedelta = timedelta(days=5)) -> Lesson:
    return Lesson(COLUMNS, rows, gap=gap, seed=1)


def test_what_is_held_out_is_the_last_part_one_gap_later() -> None:
    rows = _rows().iloc[:3_000]
    shorter, last = _lesson(rows).held_back(0.25)
    assert len(last) == pytest.approx(750, abs=2)
    assert last["event_time"].iloc[-1] == rows["event_time"].iloc[-1]
    assert last["event_time"].iloc[0] - shorter.rows["event_time"].iloc[-1] > timedelta(days=5)


def test_halton_fills_the_space_evenly() -> None:
    points = halton(63, 3)
    assert points.min() > 0
    assert points.max() < 1
    assert points[:, 0][:3] == pytest.approx([0.5, 0.25, 0.75])
    for axis in range(3):
        # Every eighth of each axis holds about an eighth of the points.
        assert np.histogram(points[:, axis], 8, (0, 1))[0].min() >= 6


def test_values_come_from_ranges_and_choices() -> None:
    assert value_at(Range(low=1, high=100, scale="log"), 0.5) == 10.0
    assert value_at(Range(low=7, high=63, integer=True, scale="log"), 1.0) == 63
    assert value_at(Range(low=0, high=1), 0.25) == 0.25
    assert [value_at(Range(choices=("sqrt", 0.5)), u) for u in (0.0, 0.49, 0.5, 0.999)] == ["sqrt"] * 2 + [0.5] * 2


def test_the_first_trial_is_the_candidate_as_written_and_what_it_sets_is_left_alone() -> None:
    candidate = Candidate(estimator="lightgbm", parameters={"learning_rate": 0.1}, search=Search(trials=6))
    found = proposals(candidate, seed=1)
    assert found[0] == {}
    assert len(found) == 6
    assert set(found[1]) == set(SPACES["lightgbm"]) - {"learning_rate"}
    assert found == proposals(candidate, seed=1)
    assert found != proposals(candidate, seed=2)
    stated = Candidate(
        estimator="lightgbm", parameters={"reg_lambda": 1.0},
        search=Search(trials=4, sampler="random", space={"reg_lambda": Range(choices=(5, 7))}),
    )  # fmt: skip
    assert {trial["reg_lambda"] for trial in proposals(stated, seed=1)[1:]} <= {5, 7}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_accepts_its_own_space(estimator: str) -> None:
    for trial in proposals(Candidate(estimator=estimator, search=Search(trials=3)), seed=0):
        made = make(Candidate(estimator=estimator, parameters=trial), seed=0)
        assert trial.items() <= made.get_params().items()


def test_the_best_trial_on_later_rows_wins() -> None:
    # With no more than one row allowed to differ from the other a tree of one leaf is left: it ranks nothing.
    space = {"min_child_samples": Range(choices=(20,))}
    candidate = Candidate(
        estimator="lightgbm", parameters={**SMALL, "min_child_samples": 100_000}, search=Search(trials=2, space=space)
    )
    chosen, facts = settle(candidate, _lesson(_rows().iloc[:3_000]))
    assert chosen.parameters == {**SMALL, "min_child_samples": 20}
    assert (chosen.search, chosen.early_stopping) == (None, None)
    told = facts["search"]
    assert told["chosen"] == 1
    assert told["trials"][1]["average_precision"] > told["trials"][0]["average_precision"]
    assert told["judged_rows"] == pytest.approx(750, abs=2)


def test_the_rows_that_trials_are_judged_on_are_not_learned_from() -> None:
    rows = _rows().iloc[:3_000]
    candidate = Candidate(estimator="lightgbm", parameters=SMALL, search=Search(trials=3))
    _, before = settle(candidate, _lesson(rows))
    shorter, _ = _lesson(rows).held_back(candidate.search.holdout)  # type: ignore[union-attr]
    swapped = rows.copy()
    within_gap = swapped.index[len(shorter.rows) : 2_250]
    swapped.loc[within_gap, "label"] = ~swapped.loc[within_gap, "label"]
    assert settle(candidate, _lesson(swapped))[1] == before


@pytest.mark.parametrize("estimator", ["lightgbm", "xgboost"])
def test_boosting_stops_where_later_rows_gain_no_more(estimator: str) -> None:
    stop = EarlyStopping(rounds=10, most=400, holdout=0.25)
    candidate = Candidate(estimator=estimator, parameters={"learning_rate": 0.3}, early_stopping=stop)
    chosen, facts = settle(candidate, _lesson(_rows().iloc[:3_000]))
    found = facts["search"]["trials"][0]["rounds"]
    assert 1 <= found < 200
    # Scaled: three quarters of the rows were learned from.
    assert chosen.parameters["n_estimators"] == -(-found * 4 // 3)
    longer = EarlyStopping(rounds=10, most=5, holdout=0.25)
    capped, _ = settle(candidate.model_copy(update={"early_stopping": longer}), _lesson(_rows().iloc[:3_000]))
    assert capped.parameters["n_estimators"] <= 5


def test_with_too_few_frauds_a_candidate_is_taken_as_written_and_says_so() -> None:
    rows = _rows().iloc[:3_000].copy()
    rows.loc[rows.index[-900:], "label"] = False
    candidate = Candidate(estimator="xgboost", parameters=SMALL, search=Search(trials=3))
    chosen, facts = settle(candidate, _lesson(rows))
    assert chosen.parameters == SMALL
    assert "frauds" in facts["search"]["left_out"]


def test_a_search_gives_the_same_model_again_and_its_story_is_json() -> None:
    rows = _rows()
    candidate = Candidate(
        estimator="xgboost", search=Search(trials=3), early_stopping=EarlyStopping(rounds=5, most=40), negative_rate=0.5
    )

    def fit(jobs: int) -> FraudModel:
        return fit_model(
            "shop", "searched", candidate, COLUMNS, rows.iloc[:3_000], rows.iloc[3_000:4_000],
            days=8, policy=Policy(), seed=1, jobs=jobs, gap=timedelta(days=5),
        )  # fmt: skip

    model = fit(1)
    assert model.to_bytes() == fit(2).to_bytes()
    told = model.describe()
    assert json.loads(json.dumps(told)) == told
    assert len(told["search"]["trials"]) == 3
    assert told["parameters"]["n_estimators"] >= 1
