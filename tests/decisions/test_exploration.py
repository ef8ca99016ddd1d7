"""Chance that can be repeated, and that says how likely a label was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.exploration import REASONS, Explored, explore
from fraudops.decisions.scoring import score
from fraudops.labels.selective import PASSED_BLOCK, POLICY, SAMPLE
from fraudops.portfolio import Portfolio

from tests.decisions.amounts import THRESHOLDS
from tests.decisions.conftest import Bank

KEY = b"k" * 32
EXPLORING = replace(THRESHOLDS, pass_blocks=0.05, sample_below=0.01)


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


def _selective(cards: Portfolio, **labels: str) -> Portfolio:
    return cards.model_copy(update={"labels": cards.labels.model_copy(update=labels)})


def _explore(portfolio: Portfolio, decision: str, n: int = 40_000, key: bytes = KEY) -> Explored:
    return explore(portfolio, np.full(n, decision, dtype=object), [f"t{i}" for i in range(n)], EXPLORING, key=key)


def test_the_stated_share_of_blocks_goes_to_review(cards: Portfolio) -> None:
    found = _explore(cards, "block")
    passed = found.route == PASSED_BLOCK
    # Four standard deviations of 40,000 draws.
    assert passed.mean() == pytest.approx(0.05, abs=0.0044)
    assert set(found.decision[passed]) == {"review"}
    assert set(found.decision[~passed]) == {"block"}
    assert set(found.route[~passed]) == {POLICY}


def test_the_stated_share_of_what_is_allowed_is_looked_at(cards: Portfolio) -> None:
    found = _explore(cards, "allow")
    assert (found.route == SAMPLE).mean() == pytest.approx(0.01, abs=0.002)
    assert ((found.route == SAMPLE) == (found.decision == "review")).all()


def test_a_review_is_left_to_the_policy(cards: Portfolio) -> None:
    found = _explore(cards, "review")
    assert set(found.route) == {POLICY}
    assert set(found.decision) == {"review"}


def test_a_re_run_chooses_the_same_and_another_key_others(cards: Portfolio) -> None:
    first, again, other = _explore(cards, "block"), _explore(cards, "block"), _explore(cards, "block", key=b"o" * 32)
    assert (first.route == again.route).all()
    passed, theirs = first.route == PASSED_BLOCK, other.route == PASSED_BLOCK
    # Whom one key passes tells nothing about whom another does, and what is passed nothing about what is sampled.
    assert (passed & theirs).mean() == pytest.approx(0.05**2, abs=0.001)
    sampled = _explore(cards, "allow").route == SAMPLE
    assert (passed & sampled).mean() == pytest.approx(0.05 * 0.01, abs=0.0005)


def test_a_transaction_s_chance_does_not_depend_on_the_others(cards: Portfolio) -> None:
    ids = [f"t{i}" for i in range(1_000)]
    all_of_them = explore(cards, np.full(1_000, "block", dtype=object), ids, EXPLORING, key=KEY).route
    alone = [explore(cards, np.array(["block"], dtype=object), [one], EXPLORING, key=KEY).route[0] for one in ids]
    assert alone == all_of_them.tolist()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, {"block": 1.0, "review": 1.0, "allow": 1.0}),
        ({"blocked": "unlabelled"}, {"block": 0.05, "review": 1.0, "allow": 1.0}),
        ({"blocked": "unlabelled", "unreported": "unknown"}, {"block": 0.05, "review": 1.0, "allow": 0.01}),
    ],
)
def test_the_propensity_is_the_chance_that_the_label_becomes_known(
    cards: Portfolio, labels: dict[str, str], expected: dict[str, float]
) -> None:
    portfolio = _selective(cards, **labels)
    for decision, propensity in expected.items():
        assert set(_explore(portfolio, decision, 1_000).propensity) == {propensity}


def test_scores_keep_route_and_propensity_and_alerts_say_that_chance_chose(bank: Bank) -> None:
    bank.portfolio = _selective(bank.portfolio, blocked="unlabelled")
    day = "2026-03-04"
    bank.day(day, [950.0] * 30 + [600.0] + [10.0] * 200)
    bank.promote("2026-03-01", "2026-02-01", thresholds=replace(THRESHOLDS, pass_blocks=0.5, sample_below=0.05))
    result = score(bank.ws, bank.portfolio, day)
    table = bank.ws.store.read_partition("scores", "cards", day).to_pandas()
    manifest = bank.ws.store.require("scores", "cards", day)
    assert table["propensity"].tolist() == [0.5] * 30 + [1.0] * 201
    counts = table["route"].value_counts().to_dict()
    assert manifest.facts["routes"] == {name: counts.get(name, 0) for name in (POLICY, PASSED_BLOCK, SAMPLE)}
    assert counts[PASSED_BLOCK] >= 5
    assert counts[SAMPLE] >= 2
    assert result.decisions["review"] == counts[PASSED_BLOCK] + counts[SAMPLE] + 1
    before = bank.stored("scores")
    assert score(bank.ws, bank.portfolio, day).state == "unchanged"
    assert bank.stored("scores") == before

    raised = raise_alerts(bank.ws, bank.portfolio, day, actor="service:score")
    assert raised.raised == result.decisions["review"] + result.decisions["block"]
    for alert in bank.alerts():
        assert (alert.reasons[0] == REASONS.get(alert.route)) == (alert.route != POLICY)
    (entry,) = bank.ledger("alerts_raised")
    assert entry.details["samples"] == counts[SAMPLE]
    # What was passed is not announced as a block.
    assert len(bank.notices("immediate")) <= result.decisions["block"]
