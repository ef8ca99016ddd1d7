from __future__ import annotations

import pandas as pd
from fraudops.monitoring.campaigns import campaigns


def test_a_fraud_belongs_to_the_entity_with_most_frauds() -> None:
    terminal = pd.Series(["t1", "t1", "t1", "t2", "t3", None])
    card = pd.Series(["k1", "k2", "k3", "k3", "k4", None])
    # The card k3 links the terminals t1 and t2, and makes no single campaign of them.
    assert campaigns([terminal, card], 6).tolist() == [0, 0, 0, 1, 2, 3]


def test_without_entities_every_fraud_stands_alone() -> None:
    assert campaigns([], 3).tolist() == [0, 1, 2]
    assert campaigns([pd.Series([None, None])], 2).tolist() == [0, 1]
