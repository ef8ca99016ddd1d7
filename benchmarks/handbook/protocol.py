"""The Handbook's protocol: which payments are tested, and which may be learned from.

The book trains on 2018-07-25 to 07-31, waits seven days, and tests 2018-08-08 to 08-14. Before each test day it takes
out the cards with a fraud in the training week, or since then up to eight days before. The same is done for the weeks
that follow, each one week later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from fraudops.evaluation.cards import CardPrecision, card_precision, known_compromised
from fraudops.evaluation.ranking import average_precision, roc_auc

WEEK = timedelta(days=7)
DELAY = timedelta(days=7)
TESTED = tuple(datetime(2018, 8, day, tzinfo=UTC) for day in (8, 15, 22, 29))
"""First days of the test weeks."""
CARDS = 100


@dataclass(frozen=True)
class Found:
    """What scores are worth in one test week."""

    average_precision: float
    card_precision: float
    roc_auc: float
    n: int
    positives: int

    def to_dict(self) -> dict[str, float]:
        """As JSON-able values."""
        return dict(self.__dict__)


def known(payments: pd.DataFrame, start: datetime) -> pd.DataFrame:
    """Payments whose labels are known when a test week begins: those more than one delay old."""
    return payments[(payments["event_time"] < pd.Timestamp(start - DELAY)).to_numpy()]


def training_week(payments: pd.DataFrame, start: datetime) -> pd.DataFrame:
    """The last week of these: what the book trains on."""
    found = known(payments, start)
    return found[(found["event_time"] >= pd.Timestamp(start - DELAY - WEEK)).to_numpy()]


def tested(payments: pd.DataFrame, start: datetime) -> pd.DataFrame:
    """Payments of a test week, without those of cards that are known to be compromised."""
    first = pd.Timestamp(start - DELAY - WEEK)
    times = payments["event_time"]
    recent = payments[((times >= first) & (times < pd.Timestamp(start + WEEK))).to_numpy()]
    day = recent["day"].to_numpy()
    compromised = known_compromised(
        recent["customer_id"].to_numpy(), day, recent["label"].to_numpy(), day + 8, since=int(day.min())
    )
    return recent[(recent["event_time"] >= pd.Timestamp(start)).to_numpy() & ~compromised]


def measure(rows: pd.DataFrame, score: np.ndarray) -> Found:
    """The book's measures of some scores of the rows of a test week."""
    label = rows["label"].to_numpy()
    cards = card_precision(rows["customer_id"].to_numpy(), rows["day"].to_numpy(), label, score, k=CARDS)
    precision, area = average_precision(label, score), roc_auc(label, score)
    if not isinstance(cards, CardPrecision) or precision is None or area is None:
        raise ValueError("the test week holds no fraud")
    return Found(precision, cards.value, area, len(rows), int(label.sum()))
