"""How differently decisions fall on groups of transactions: rates, their ratios to a reference group, intervals.

A ratio says how much more often a group is flagged; it does not say why, nor that it should not be.

References
----------
Walter (1975), The distribution of Levin's measure of attributable risk, Biometrika 62: the logarithm of a ratio of
two shares, with half a case added, and its variance. The four-fifths line: 29 CFR 1607.4 D.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

FOUR_FIFTHS = 0.8
"""A ratio below it, or above its reciprocal, is marked."""
OTHERS = "(others)"
_ROUNDING = 1e-9
_Counts = tuple[str, int, int, int, int]
"""Name, transactions, frauds, flagged, false alarms."""
_Z = 1.959963984540054


@dataclass(frozen=True)
class Ratio:
    """A rate over the reference group's; ``value`` is None where that is 0, the interval where nothing is known."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def marked(self) -> bool:
        """Whether it lies beyond the four-fifths line, on either side."""
        return self.value is not None and not FOUR_FIFTHS - _ROUNDING <= self.value <= 1 / FOUR_FIFTHS + _ROUNDING


@dataclass(frozen=True)
class GroupRates:
    """One group of transactions.

    Attributes
    ----------
    frauds, flagged, false_alarms
        How many of its ``n`` transactions were fraud, were flagged, were flagged and genuine.
    selection_ratio, false_positive_ratio
        Its rates over those of the reference group; None for that group itself.
    """

    group: str
    n: int
    frauds: int
    flagged: int
    false_alarms: int
    selection_ratio: Ratio | None
    false_positive_ratio: Ratio | None

    @property
    def selection_rate(self) -> float:
        """Share of its transactions that was flagged."""
        return self.flagged / self.n

    @property
    def false_positive_rate(self) -> float | None:
        """Share of its genuine transactions that was flagged."""
        genuine = self.n - self.frauds
        return self.false_alarms / genuine if genuine else None


def group_rates(group: np.ndarray, label: np.ndarray, flagged: np.ndarray, *, fewest: int) -> tuple[GroupRates, ...]:
    """Rates of each group, the largest first: it is what the others are compared with.

    Parameters
    ----------
    group
        Name of each transaction's group.
    label, flagged
        True for fraud; true for what is reviewed or blocked.
    fewest
        Groups with fewer transactions are put together, as :data:`OTHERS`, last.
    """
    frame = pd.DataFrame({"group": group, "label": np.asarray(label, bool), "flagged": np.asarray(flagged, bool)})
    sizes = frame["group"].value_counts()
    frame["group"] = frame["group"].where(frame["group"].map(sizes) >= fewest, OTHERS)
    frame["false"] = frame["flagged"] & ~frame["label"]
    counts = frame.groupby("group").agg(
        n=("label", "size"), frauds=("label", "sum"), flagged=("flagged", "sum"), false_alarms=("false", "sum")
    )
    found: list[_Counts] = [
        (str(name), int(row["n"]), int(row["frauds"]), int(row["flagged"]), int(row["false_alarms"]))
        for name, row in counts.iterrows()
    ]
    found.sort(key=lambda item: (item[0] == OTHERS, -item[1], item[0]))
    return tuple(_rates(item, found[0]) for item in found)


def ratio(cases: int, n: int, reference_cases: int, reference_n: int) -> Ratio | None:
    """Share of cases over the reference's, with its 95 % interval; None where either is of nothing."""
    if not n or not reference_n:
        return None
    value = (cases / n) / (reference_cases / reference_n) if reference_cases else None
    a, m, b, k = cases + 0.5, n + 0.5, reference_cases + 0.5, reference_n + 0.5
    middle = np.log(a / m) - np.log(b / k)
    half = _Z * np.sqrt(max(1 / a - 1 / m + 1 / b - 1 / k, 0.0))
    return Ratio(value, float(np.exp(middle - half)), float(np.exp(middle + half)))


def _rates(item: _Counts, reference: _Counts) -> GroupRates:
    name, n, frauds, flagged, false = item
    if item is reference:
        return GroupRates(name, n, frauds, flagged, false, None, None)
    _, its_n, its_frauds, its_flagged, its_false = reference
    return GroupRates(
        name, n, frauds, flagged, false,
        ratio(flagged, n, its_flagged, its_n),
        ratio(false, n - frauds, its_false, its_n - its_frauds),
    )  # fmt: skip
