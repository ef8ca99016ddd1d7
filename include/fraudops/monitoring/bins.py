"""Bins with fixed edges: what was counted on different days may be added up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

MISSING = 0
"""Number of the bin of missing values, whatever the column."""
_TAILS = (0.01, 0.99)
_MOST_CATEGORIES = 30
"""Commonest categories that have a bin of their own."""
_MOST_KNOWN = 2_000
"""Where training saw more categories than this, it is not remembered which, and none counts as new."""
_LEAST = 1e-300
_SCORE_LIMIT, _SCORE_STEP = 12.0, 0.1


@dataclass(frozen=True)
class Bins:
    """How one column is counted.

    Attributes
    ----------
    edges
        Of a number: lower bounds of all bins but the first, ascending.
    categories
        Of a category: those with a bin of their own; None for a number.
    rare
        Other categories that training has seen; they share a bin.
    told
        Whether a category that is neither counts as new; False where too many were seen to remember them.
    """

    name: str
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] | None = None
    rare: tuple[str, ...] = ()
    told: bool = True

    @classmethod
    def of_numbers(cls, name: str, values: np.ndarray, count: int) -> Bins:
        """Bins that are about equally full; a value that fills one by itself has its own."""
        there = values[np.isfinite(values)]
        if not len(there):
            return cls(name)
        ranks = np.unique([*np.linspace(0, 1, count + 1)[1:-1], *_TAILS])
        marks = np.quantile(there, ranks, method="lower")
        repeated = np.unique(marks[:-1][np.diff(marks) == 0])
        # Twice the same quantile: this value fills a bin, which ends right behind it.
        edges = np.unique([*marks, *repeated, *np.nextafter(repeated, np.inf)])
        return cls(name, tuple(float(edge) for edge in edges if edge > there.min()))

    @classmethod
    def of_categories(cls, name: str, values: pd.Series) -> Bins:
        """A bin for each common category."""
        counts = values.dropna().astype(str).value_counts()
        ordered = sorted(counts.index, key=lambda category: (-int(counts[category]), category))
        rare = tuple(sorted(ordered[_MOST_CATEGORIES:]))
        told = len(rare) <= _MOST_KNOWN
        return cls(name, (), tuple(ordered[:_MOST_CATEGORIES]), rare if told else (), told)

    @property
    def is_number(self) -> bool:
        """Whether the bins have an order."""
        return self.categories is None

    @property
    def count(self) -> int:
        """How many bins there are, the one of missing values included."""
        return len(self.edges) + 2 if self.categories is None else len(self.categories) + 3

    @property
    def new(self) -> int | None:
        """Number of the bin of categories that training had never seen."""
        return None if self.categories is None else len(self.categories) + 2

    @cached_property
    def _places(self) -> dict[str, int]:
        known = self.categories or ()
        places = {category: number for number, category in enumerate(known, start=1)}
        return places | dict.fromkeys(self.rare, len(known) + 1)

    def codes(self, values: pd.Series) -> np.ndarray:
        """Number of each value's bin."""
        if self.categories is None:
            numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
            there = np.isfinite(numbers)
            places = np.searchsorted(np.asarray(self.edges), np.where(there, numbers, 0.0), side="right") + 1
            return np.where(there, places, MISSING)
        is_text = isinstance(values.dtype, pd.StringDtype)
        # Looked up once for each different value; what is no text becomes one first, else 1 and True were the same.
        texts = values if is_text else values.astype(object).map(str, na_action="ignore")
        number, different = pd.factorize(texts)
        otherwise = len(self.categories) + (2 if self.told else 1)
        places = np.array([*(self._places.get(str(value), otherwise) for value in different), MISSING], dtype=np.int64)
        return places[number]

    def counted(self, values: pd.Series, weight: np.ndarray | None = None) -> np.ndarray:
        """Values in each bin, shape (count,)."""
        return np.bincount(self.codes(values), weights=weight, minlength=self.count).astype(np.float64)

    def labels(self) -> list[str]:
        """For people: what lies in each bin."""
        if self.categories is not None:
            return ["missing", *self.categories, "rare", "new"]
        shown = [_short(edge) for edge in self.edges]
        if not shown:
            return ["missing", "any"]
        between = [f"{low} to {high}" for low, high in pairwise(shown)]
        # The least number above 0 stands for 0 itself, which fills the bin before it.
        first = "up to 0" if 0 < self.edges[0] < _LEAST else f"below {shown[0]}"
        return ["missing", first, *between, f"{shown[-1]} or more"]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "name": self.name,
            "edges": list(self.edges),
            "categories": None if self.categories is None else list(self.categories),
            "rare": list(self.rare),
            "told": self.told,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Bins:
        """The inverse of :meth:`to_dict`."""
        categories = stored["categories"]
        return cls(
            stored["name"],
            tuple(stored["edges"]),
            None if categories is None else tuple(categories),
            tuple(stored["rare"]),
            stored["told"],
        )


LADDER = 2 * round(_SCORE_LIMIT / _SCORE_STEP) + 1
"""Steps of :func:`ladder`."""


def ladder(scores: np.ndarray) -> np.ndarray:
    """Step of each probability on a scale of log-odds that is the same for every model, the highest score first.

    A tenth of a log-odd a step: transactions that lie closer than that count as equally suspicious.
    """
    inside = np.clip(scores, 1e-9, 1 - 1e-9)
    odds = np.clip(np.log(inside) - np.log1p(-inside), -_SCORE_LIMIT, _SCORE_LIMIT)
    return LADDER - 1 - np.rint((odds + _SCORE_LIMIT) / _SCORE_STEP).astype(np.int64)


def padded(rows: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Arrays whose last axes differ in length, side by side; and which cells are really there.

    Returns
    -------
    (ndarray, ndarray)
        Shapes (arrays, …, longest) and (arrays, longest).
    """
    arrays = list(rows)
    longest = max((array.shape[-1] for array in arrays), default=0)
    valid = np.array([[place < array.shape[-1] for place in range(longest)] for array in arrays], dtype=bool)
    wide = [np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, longest - a.shape[-1])]) for a in arrays]
    return np.stack(wide) if wide else np.zeros((0, 0)), valid.reshape(len(arrays), longest)


def _short(value: float) -> str:
    if abs(value) < _LEAST:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
