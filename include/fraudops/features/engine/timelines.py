"""Moments of many entities in one ascending array, so that one search finds a window's edge for every row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Side = Literal["left", "right"]

_LARGEST_KEY = 2**62
_DIGIT = 16
"""NumPy sorts integers of 16 bits by radix, in linear time."""


def stable_order(codes: Ints) -> Ints:
    """Positions that sort small non-negative integers and keep the order of equal ones."""
    largest = int(codes.max(initial=0))
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    for shift in range(_DIGIT, largest.bit_length(), _DIGIT):
        digit = (codes >> shift).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


@dataclass(frozen=True)
class Scale:
    """Makes one number of an entity and a moment; the numbers of two entities lie farther apart than one may look.

    Attributes
    ----------
    first, last
        Earliest and latest moment, in microseconds.
    margin
        How far before a moment one may look, in microseconds.
    """

    first: int
    last: int
    margin: int

    @property
    def _span(self) -> int:
        return self.last - self.first + self.margin + 3

    @property
    def _in_block(self) -> int:
        """Entities whose numbers fit beside each other into 62 bits."""
        return max(1, _LARGEST_KEY // self._span)

    def keys(self, codes: Ints, moments: Ints) -> Ints:
        """The numbers; they begin anew with each block of entities."""
        codes = codes if codes.max(initial=0) < self._in_block else codes % self._in_block
        keys: Ints = codes * self._span
        keys += moments
        keys -= self.first
        return keys

    def blocks(self, codes: Ints) -> list[int]:
        """Where each block begins in ascending codes, and where the last one ends."""
        last = int(codes[-1]) // self._in_block if len(codes) else 0
        starts = np.searchsorted(codes, np.arange(last + 1) * self._in_block)
        return [*starts.tolist(), len(codes)]


class Timelines:
    """Moments, ascending by (entity, moment).

    Parameters
    ----------
    scale
        The same one for all that are looked up in each other; no moment lies outside of it by more than 1.
    codes, moments
        Entity as a small integer, and microseconds. Shape (n,).
    """

    def __init__(self, scale: Scale, codes: Ints, moments: Ints) -> None:
        self._scale = scale
        self.codes = codes
        self._keys, self._blocks = scale.keys(codes, moments), scale.blocks(codes)

    def __len__(self) -> int:
        return len(self._keys)

    def places(self, others: Timelines, before: int, side: Side = "right") -> Ints:
        """Where the stretch ``before`` µs earlier than each moment of others ends among these.

        Returns
        -------
        Array of int, shape of ``others``
            Place of this timelines' first moment of the same entity that is later ("left": or as late); where there is
            none, place of the next entity's first.
        """
        if before > self._scale.margin:
            raise ValueError(f"looks {before} µs back, farther than the {self._scale.margin} µs of its margin")
        wanted = others._keys - before
        if max(len(self._blocks), len(others._blocks)) == 2:
            return np.searchsorted(self._keys, wanted, side)
        return self._block_by_block(others, wanted, side)

    def _block_by_block(self, others: Timelines, wanted: Ints, side: Side) -> Ints:
        found = np.full(len(wanted), len(self), np.int64)
        own = [*self._blocks, *[len(self)] * (len(others._blocks) - len(self._blocks))]
        for (start, stop), (first, last) in zip(pairwise(own), pairwise(others._blocks), strict=False):
            found[first:last] = start + np.searchsorted(self._keys[start:stop], wanted[first:last], side)
        return found
