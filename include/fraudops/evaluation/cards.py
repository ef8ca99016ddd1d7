"""Card precision: of the cards that people look at in a day, the share that was compromised.

People do not look at payments but at cards: a card with five suspicious payments is one case. A card whose
compromise is known already is no case any more: it would be blocked, and finding it again is no merit.

References
----------
Le Borgne, Siblini, Lebichot and Bontempi, Reproducible Machine Learning for Credit Card Fraud Detection, chapter 4,
"Precision top-k metrics".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fraudops.evaluation.bootstrap import RESAMPLES, Interval


@dataclass(frozen=True)
class CardPrecision:
    """Share of compromised cards among the k most suspicious of each day, averaged over days.

    Attributes
    ----------
    value
        Mean over the days.
    interval
        By drawing days anew; None for a single day.
    k
        Cards looked at a day; a day with fewer cards is measured on those.
    per_day
        One share a day, in the order of time.
    cards, compromised
        Card-days that there were to look at, and how many of them were compromised.
    """

    value: float
    interval: Interval | None
    k: int
    per_day: tuple[float, ...]
    cards: int
    compromised: int

    @property
    def days(self) -> int:
        """How many days the mean is taken over."""
        return len(self.per_day)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "value": self.value,
            "interval": None if self.interval is None else self.interval.to_list(),
            "k": self.k,
            "per_day": list(self.per_day),
            "days": self.days,
            "cards": self.cards,
            "compromised": self.compromised,
        }


def known_compromised(
    card: np.ndarray, day: np.ndarray, label: np.ndarray, known_day: np.ndarray, *, since: int
) -> np.ndarray:
    """Which payments are of a card that was known to be compromised before their day began.

    Parameters
    ----------
    card
        Card (or customer) of each payment; a missing one is no card.
    day
        Day of each payment, as a whole number.
    label
        True for fraud.
    known_day
        First day at whose beginning the payment's label was known: for a payment of day d and a delay of seven
        days d + 8, since its last hour matures within day d + 7.
    since
        Frauds of earlier days are left aside: their cards have long been replaced.

    Returns
    -------
    ndarray of bool
        One per payment.
    """
    codes, distinct = pd.factorize(card)
    counted = label & (codes >= 0) & (day >= since)
    first = np.full(len(distinct), np.iinfo(np.int64).max)
    np.minimum.at(first, codes[counted], known_day[counted])
    return np.where(codes >= 0, first[codes] <= day, False) if len(distinct) else np.zeros(len(codes), dtype=bool)


def card_precision(
    card: np.ndarray,
    day: np.ndarray,
    label: np.ndarray,
    score: np.ndarray,
    *,
    k: int,
    seed: int = 42,
    resamples: int = RESAMPLES,
) -> CardPrecision | None:
    """Measure the k most suspicious cards of each day; one that was found compromised is not met again.

    A card's score of a day is its highest, and it is compromised that day if any of its payments was fraud. Of equal
    scores the card whose first payment comes earlier in the arrays is taken.

    Parameters
    ----------
    card, day, label, score
        Of each payment; a missing card is left out. Payments of cards that were known before
        (:func:`known_compromised`) are left out by the caller.
    k
        Cards that people can look at in a day.
    seed, resamples
        Of the draws of days.

    Returns
    -------
    CardPrecision or None
        None without any card.
    """
    codes, _ = pd.factorize(card)
    there = codes >= 0
    if not there.any():
        return None
    codes, day = codes[there], np.asarray(day)[there]
    label, score = np.asarray(label, dtype=bool)[there], np.asarray(score, dtype=np.float64)[there]
    found = np.zeros(int(codes.max()) + 1, dtype=bool)
    shares, cards, compromised = [], 0, 0
    for today in np.unique(day):
        rows = np.flatnonzero((day == today) & ~found[codes])
        met, highest, fraud = _by_card(codes[rows], score[rows], label[rows])
        looked_at = np.lexsort((met, -highest))[:k]
        shares.append(float(fraud[looked_at].mean()) if len(looked_at) else 0.0)
        found[met[looked_at][fraud[looked_at]]] = True
        cards, compromised = cards + len(met), compromised + int(fraud.sum())
    return CardPrecision(
        float(np.mean(shares)), _interval(np.array(shares), seed, resamples), k, tuple(shares), cards, compromised
    )


def _by_card(codes: np.ndarray, score: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each card of a day, its highest score, and whether any of its payments was fraud."""
    met, place = np.unique(codes, return_inverse=True)
    highest = np.full(len(met), -np.inf)
    np.maximum.at(highest, place, score)
    return met, highest, np.bincount(place, weights=label, minlength=len(met)) > 0


def _interval(shares: np.ndarray, seed: int, resamples: int) -> Interval | None:
    if len(shares) < 2:
        return None
    drawn = np.random.default_rng(seed).integers(0, len(shares), (resamples, len(shares)))
    low, high = np.percentile(shares[drawn].mean(axis=1), [2.5, 97.5])
    return Interval(float(low), float(high))
