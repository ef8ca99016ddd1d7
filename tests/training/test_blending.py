"""Blends: averages over fitted members."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fraudops.errors import ContractError
from fraudops.evaluation.ranking import average_precision
from fraudops.explanation.contributions import contributions
from fraudops.explanation.groups import group_columns
from fraudops.features import ModelColumns
from fraudops.portfolio import Blend, Candidate, Policy
from fraudops.training.blending import BlendedEstimator, Member
from fraudops.training.calibration import log_odds
from fraudops.training.model import FraudModel, fit_model, refit_model

from tests.training import history

COLUMNS = ModelColumns(("amount", "age"), ("channel",))
MEMBERS = {
    "boosted": Candidate(estimator="lightgbm", parameters={"n_estimators": 20}),
    "trees": Candidate(estimator="extra_trees", parameters={"n_estimators": 10}, negative_rate=0.5),
    "forest": Candidate(estimator="random_forest", parameters={"n_estimators": 10}, negative_rate=0.5),
    "line": Candidate(estimator="logistic_regression"),
}


class _Says:
    """An estimator whose answer is its only column."""

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        return np.column_stack([1 - matrix[:, 0], matrix[:, 0]])


def _two(average: str, weights: tuple[float, float] = (0.75, 0.25)) -> BlendedEstimator:
    members = (Member("a", "x", weights[0], 0, 1, _Says()), Member("b", "x", weights[1], 1, 2, _Says()))
    return BlendedEstimator(members, average)  # type: ignore[arg-type]


def _rows() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rows = history.transactions().rename(columns={"fraud": "label"})
    return rows.iloc[:3_000], rows.iloc[3_000:4_000], rows.iloc[4_000:]


def _fit(candidate: Candidate, *, jobs: int = 1) -> FraudModel:
    train, validation, _ = _rows()
    members = {name: MEMBERS[name] for name in candidate.blend.members} if candidate.blend else {}
    return fit_model(
        "shop", "mean", candidate, COLUMNS, train, validation,
        days=8, policy=Policy(alerts_per_day=5), seed=1, jobs=jobs, members=members,
    )  # fmt: skip


def test_probabilities_and_log_odds_are_averaged_by_weight() -> None:
    matrix = np.array([[0.8, 0.2], [0.1, 0.1]])
    assert _two("probability").predict_proba(matrix)[:, 1] == pytest.approx([0.65, 0.1])
    mean = 0.75 * np.log(0.8 / 0.2) + 0.25 * np.log(0.2 / 0.8)
    found = _two("log_odds").predict_proba(matrix)[:, 1]
    assert log_odds(found) == pytest.approx([mean, np.log(0.1 / 0.9)], abs=1e-4)


def test_ranks_are_places_among_known_scores_and_keep_the_order_beyond_them() -> None:
    known = np.column_stack([np.linspace(0.0, 0.01, 101), np.linspace(0.0, 1.0, 101)])
    blend = _two("rank", (0.5, 0.5)).scaled_on(known)
    found = blend.predict_proba(np.array([[0.005, 0.5], [0.005, 0.25], [0.02, 0.9], [0.03, 0.9]]))[:, 1]
    # The members disagree on how large a score is, and agree that it is the middle one.
    assert found[0] == pytest.approx(0.5, abs=1e-4)
    assert found[1] == pytest.approx(0.375, abs=1e-4)
    assert found[3] > found[2]


@pytest.mark.parametrize("average", ["probability", "log_odds", "rank"])
def test_a_blend_is_a_model_like_any_other(average: str) -> None:
    candidate = Candidate(blend=Blend(members=tuple(MEMBERS), average=average))  # type: ignore[arg-type]
    model, (*_, test) = _fit(candidate), _rows()
    score = model.score(test)
    found = average_precision(test["label"].to_numpy(), score)
    assert found is not None
    assert found > 3 * test["label"].mean()
    assert model.to_bytes() == _fit(candidate, jobs=2).to_bytes()
    assert (np.concatenate([model.score(test.iloc[[row]]) for row in range(5)]) == score[:5]).all()
    assert score.sum() == pytest.approx(test["label"].sum(), rel=0.5)


def test_members_share_a_matrix_where_they_can_and_each_sees_its_own_columns() -> None:
    model, (*_, test) = _fit(Candidate(blend=Blend(members=tuple(MEMBERS), weights=(2, 1, 0.5, 0.5)))), _rows()
    places = {member.name: (member.start, member.stop) for member in model.members}
    assert places["trees"] == places["forest"]
    assert len({places["boosted"], places["trees"], places["line"]}) == 3
    assert [member.weight for member in model.members] == [0.5, 0.25, 0.125, 0.125]
    matrix = model.matrix(test)
    assert matrix.shape[1] == len(model.origins) == max(stop for _, stop in places.values())
    by_hand = sum(member.weight * member.probability(matrix) for member in model.members)
    assert model.raw(test) == pytest.approx(by_hand)
    assert model.describe()["members"]["boosted"]["parameters"] == {"n_estimators": 20}


def test_a_blend_can_be_explained() -> None:
    model, (*_, test) = _fit(Candidate(blend=Blend(members=("boosted", "line")))), _rows()
    highest = test.iloc[np.argsort(-model.score(test))[:20]]
    groups = group_columns(COLUMNS.all, history.portfolio())
    found = dict(zip((group.kind for group in groups), contributions(model, highest, groups).groups.T, strict=True))
    assert found["amount"].mean() > 0.5


def test_a_member_that_is_not_there_is_told() -> None:
    train, validation, _ = _rows()
    with pytest.raises(ContractError, match="fitted with its members"):
        fit_model(
            "shop", "mean", Candidate(blend=Blend(members=("boosted", "line"))), COLUMNS, train, validation,
            days=8, policy=Policy(), seed=1,
        )  # fmt: skip


@pytest.mark.parametrize(
    "candidate", [MEMBERS["trees"], Candidate(blend=Blend(members=("boosted", "line"), average="rank"))]
)
def test_a_second_fit_keeps_what_was_learned_from_unseen_rows(candidate: Candidate) -> None:
    train, validation, test = _rows()
    members = {name: MEMBERS[name] for name in candidate.blend.members} if candidate.blend else {}
    first = _fit(candidate)
    again = refit_model(first, candidate, pd.concat([train, validation]), members=members)
    assert again.calibration is first.calibration
    assert again.thresholds is first.thresholds
    assert again.facts["rows"] == len(train) + len(validation)
    assert again.facts["calibrated_before_refit_on"]["rows"] == len(train)
    assert not np.array_equal(again.score(test), first.score(test))
    assert refit_model(first, candidate, train, members=members).score(test) == pytest.approx(first.score(test))
