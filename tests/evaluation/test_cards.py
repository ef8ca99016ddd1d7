"""Card precision, against a slow reference written as the book tells it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from fraudops.evaluation.cards import card_precision, known_compromised
from hypothesis import given, settings
from hypothesis import strategies as st


def _slow(card: np.ndarray, day: np.ndarray, label: np.ndarray, score: np.ndarray, k: int) -> list[float]:
    detected: set[object] = set()
    found = []
    for today in sorted(set(day)):
        rows = [i for i in range(len(day)) if day[i] == today and card[i] is not None and card[i] not in detected]
        order = list(dict.fromkeys(card))
        highest = {c: max(score[i] for i in rows if card[i] == c) for c in {card[i] for i in rows}}
        top = sorted(highest, key=lambda c: (-highest[c], order.index(c)))[:k]
        bad = [c for c in top if any(label[i] for i in rows if card[i] == c)]
        found.append(len(bad) / len(top) if top else 0.0)
        detected.update(bad)
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 6))
def test_it_agrees_with_the_slow_reference(seed: int, n: int, k: int) -> None:
    random = np.random.default_rng(seed)
    card = random.choice(np.array(["a", "b", "c", "d", "e", None], dtype=object), n)
    day, label = random.integers(0, 4, n), random.random(n) < 0.3
    score = np.round(random.random(n), 1)
    found = card_precision(card, day, label, score, k=k)
    there = np.array([c is not None for c in card])
    if found is None:
        assert not there.any()
        return
    slow = _slow(card[there], day[there], label[there], score[there], k)
    assert found.per_day == pytest.approx(slow)
    assert found.value == pytest.approx(np.mean(slow))


def test_a_card_counts_once_a_day_and_not_again_once_it_was_found() -> None:
    card = np.array(["a", "a", "b", "a", "c", "b"])
    day = np.array([0, 0, 0, 1, 1, 1])
    label = np.array([True, True, False, True, False, True])
    score = np.array([0.9, 0.8, 0.7, 0.99, 0.5, 0.4])
    found = card_precision(card, day, label, score, k=2)
    assert found is not None
    # Day 0: a and b, one of them compromised. Day 1: a is known, c and b are looked at.
    assert found.per_day == (0.5, 0.5)
    assert (found.cards, found.compromised, found.days) == (4, 2, 2)
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()


def test_the_interval_comes_from_days() -> None:
    random = np.random.default_rng(0)
    n, days = 6_000, 30
    card, day, label = random.integers(0, 500, n), random.integers(0, days, n), random.random(n) < 0.02
    score = label + random.normal(0, 0.5, n)
    found = card_precision(card, day, label, score, k=10)
    assert found is not None
    assert found.interval is not None
    error = np.std(found.per_day, ddof=1) / np.sqrt(days)
    assert found.interval.high - found.interval.low == pytest.approx(2 * 1.96 * error, rel=0.2)
    assert found.interval == card_precision(card, day, label, score, k=10).interval  # type: ignore[union-attr]
    only = card_precision(card[day == 3], day[day == 3], label[day == 3], score[day == 3], k=10)
    assert only is not None
    assert only.interval is None


def test_no_card_at_all_measures_nothing() -> None:
    empty = np.array([None, None], dtype=object)
    assert card_precision(empty, np.array([0, 1]), np.array([True, False]), np.array([0.5, 0.5]), k=3) is None


def test_a_card_is_known_from_the_first_day_that_begins_with_its_label_known() -> None:
    card = np.array(["a", "a", "a", "b", "c", "c", None, None], dtype=object)
    day = np.array([0, 7, 8, 8, 1, 20, 0, 20])
    label = np.array([True, False, False, False, True, False, True, False])
    found = known_compromised(card, day, label, day + 8, since=0)
    assert list(found) == [False, False, True, False, False, True, False, False]
    # What happened before day 1 is forgotten.
    assert list(known_compromised(card, day, label, day + 8, since=1)) == [False] * 5 + [True] + [False] * 2


def test_a_label_never_hides_a_payment_before_it_was_known() -> None:
    random = np.random.default_rng(2)
    n = 400
    card, day = random.integers(0, 40, n), np.sort(random.integers(0, 30, n))
    label = random.random(n) < 0.2
    before = known_compromised(card, day, label, day + 8, since=0)
    later = np.where(day > 12, ~label, label)
    after = known_compromised(card, day, later, day + 8, since=0)
    assert (before == after)[day <= 20].all()
    frame = pd.DataFrame({"card": card, "day": day, "label": label})
    slow = [any(frame[(frame.card == c) & frame.label].day + 8 <= d) for c, d in zip(card, day, strict=True)]
    assert list(before) == slow
