"""Shapley values of trees, to the bit the same for a row alone and among others.

What a leaf adds to a row's margin is a product over the columns on its path: a column is known (then the row is let
through, or not) or unknown (then a share ``z`` of the training rows is). The Shapley value of a column is an integral
over how likely the others are known, of a polynomial: Gauss and Legendre's sums are exact with a few nodes ``t``.
A product is carried down the trees, what lies below is added up on the way back; all trees take each step together.

The boosters' own functions compute the same (path-dependent TreeSHAP) leaf by leaf, which takes five times longer.

References
----------
Lundberg, Erion, Lee (2018), Consistent individualized feature attribution for tree ensembles, arXiv 1802.03888.
Owen (1972), Multilinear extensions of games, Management Science 18 (the integral).
Yu, Bifet, Read, Xu (2022), Linear TreeSHAP, arXiv 2209.08192 (sums over edges).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudops.trees import Tree

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


class TreeShap:
    """Contributions of a matrix's columns to the sum of some trees' values.

    Attributes
    ----------
    base
        Average of the sum over what the trees were grown on.
    """

    def __init__(self, trees: Sequence[Tree], width: int) -> None:
        """Prepare what rows have in common.

        Parameters
        ----------
        width
            Columns of the matrices.
        """
        nodes = _Nodes(trees, width)
        self.base, self._width, self._levels = nodes.base, width, nodes.levels
        self._column, self._previous = nodes.column, nodes.previous
        self._split, self._threshold, self._missing_left = nodes.split, nodes.threshold, nodes.missing_left
        self._left, self._right = nodes.left, nodes.right
        at, weights = _quadrature(nodes.longest)
        self._factor, self._credit = _tables(nodes, at)
        self._weight = nodes.value * weights[:, None]
        self._number = np.arange(len(self._column))

    def __call__(self, matrix: NDArray[Any]) -> Floats:
        """Contributions; shape (n, width). With :attr:`base` they add up to the trees' sum."""
        found = np.zeros((len(matrix), self._width))
        # Megabytes that are fresh from the system take as long as what is done with them: they are asked for once.
        room = np.empty((2, len(self._weight), len(self._column)))
        for place, row in enumerate(matrix):
            found[place] = self._of(row, *room)
        return found

    def _of(self, row: NDArray[Any], products: Floats, credit: Floats) -> Floats:
        through = self._let_through(row)
        state = (through.take(self._previous) + through) * len(through) + self._number
        # "clip" spares the look whether a place is outside; none is.
        self._factor.take(state, axis=1, out=products, mode="clip")
        self._credit.take(state, axis=1, out=credit, mode="clip")
        for above, level in pairwise(self._levels):
            products[:, level.nodes] *= products[:, above.nodes].take(level.parent, axis=1, mode="clip")
        # Of leaves only; inner nodes are given what lies below them, from the leaves up.
        below = products
        for level in self._levels:
            below[:, level.leaves] *= self._weight[:, level.leaves]
        for above, level in zip(self._levels[-2::-1], self._levels[:0:-1], strict=True):
            here = below[:, level.nodes]
            left, right = (here.take(places, axis=1, mode="clip") for places in (level.left, level.right))
            np.add(left, right, out=below[:, above.inner])
        return np.asarray(np.bincount(self._column, np.einsum("qn,qn->n", below, credit), self._width), np.float64)

    def _let_through(self, row: NDArray[Any]) -> NDArray[np.intp]:
        """1 for each node whose column lets the row through at every node of the path that looks at it, else 0."""
        values = row[self._split]
        left = values <= self._threshold
        left |= (values != values) & self._missing_left
        through = np.ones(len(self._column), np.intp)
        through[self._left], through[self._right] = left, ~left
        for level in self._levels[1:]:
            through[level.nodes] &= through.take(self._previous[level.nodes])
        return through


def _quadrature(longest: int) -> tuple[Floats, Floats]:
    """Places and weights on (0, 1), exact for products over as many columns as the longest path has."""
    places, weights = np.polynomial.legendre.leggauss(max(1, (longest + 1) // 2))
    return (places + 1) / 2, weights / 2


def _tables(nodes: _Nodes, places: Floats) -> tuple[Floats, Floats]:
    """By what the product changes at each node, and what its column is credited with for what lies below.

    Three stretches of columns: of nodes whose column let the row through neither before nor now, before but not
    now, and both. Shape (quadrature, 3 × nodes).
    """
    share, known = nodes.share, nodes.known
    t, before = places[:, None], known[nodes.previous]
    passed, passed_before = t + (1 - t) * known, t + (1 - t) * before
    had = (1 - before) / passed_before
    factor = [np.broadcast_to(share, passed.shape), (1 - t) * known / passed_before, passed / passed_before]
    credit = [np.zeros_like(had), -1 / (1 - t) - had, (1 - known) / passed - had]
    return np.hstack(factor), np.hstack(credit)


@dataclass(frozen=True, eq=False)
class _Level:
    """Nodes of all trees that are equally far from their roots: the inner ones, then the leaves.

    Attributes
    ----------
    nodes, inner, leaves
        Where they are.
    parent
        For each, the place of its parent in the level above.
    left, right
        For each inner node of the level above, the places of its children here.
    """

    nodes: slice
    inner: slice
    leaves: slice
    parent: Places
    left: Places
    right: Places


class _Nodes:
    """The nodes of all trees, level by level; first the roots.

    Attributes
    ----------
    column
        That was looked at above each.
    previous
        Last node above that was reached by a look at the same column; where there is none the first root, which
        stands for "let through, and all others too".
    share
        Of the rows at the node above, those that go here.
    known
        Product of the shares of the path's nodes that were reached by a look at this one's column.
    value
        Of leaves; 1 for inner nodes.
    split, threshold, missing_left, left, right
        Of inner nodes: the column they look at, where they go.
    longest
        Most columns of a path.
    """

    def __init__(self, trees: Sequence[Tree], width: int) -> None:
        flat = _Flat.of(trees)
        self.base = float((flat.value * flat.reached)[flat.left < 0].sum())
        self.levels: list[_Level] = []
        self.longest = 0
        self.column = self.previous = self.split = self.left = self.right = np.zeros(0, np.intp)
        self.share = self.known = self.value = self.threshold = np.zeros(0)
        self.missing_left = np.zeros(0, np.bool_)
        none = np.zeros(len(trees), np.intp)
        level = _Open(flat.roots, none, none, np.zeros((len(trees), width), np.intp))
        while len(level.at):
            level = self._take_in(level, flat)

    def _take_in(self, level: _Open, flat: _Flat) -> _Open:
        """Number the nodes of a level, the inner ones first, and find those of the next one."""
        start, inner = len(self.column), int((flat.left[level.at] >= 0).sum())
        order = np.argsort(flat.left[level.at] < 0, kind="stable")
        place = np.argsort(order)
        at, column, last = level.at[order], level.column[order], level.last[order]
        here, stop = np.arange(len(at)), start + len(at)
        previous = last[here, column]
        share = flat.share[at]
        known = share
        if start:
            last[here, column] = start + here
            known = share * self.known[previous]
            self.left = np.concatenate([self.left, start + place[::2]])
            self.right = np.concatenate([self.right, start + place[1::2]])
        self.longest = max(self.longest, int((last > 0).sum(axis=1).max()))
        self.levels.append(
            _Level(
                slice(start, stop),
                slice(start, start + inner),
                slice(start + inner, stop),
                level.parent[order],
                place[::2],
                place[1::2],
            )
        )
        ahead = at[:inner]
        for name, values in {
            "column": column,
            "previous": previous,
            "share": share,
            "known": known,
            "value": np.where(flat.left[at] < 0, flat.value[at], 1.0),
            "split": flat.split[ahead],
            "threshold": flat.threshold[ahead],
            "missing_left": flat.missing_left[ahead],
        }.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))
        return _Open(
            np.column_stack([flat.left[ahead], flat.right[ahead]]).ravel(),
            np.repeat(here[:inner], 2),
            np.repeat(flat.split[ahead], 2),
            np.repeat(last[:inner], 2, axis=0),
        )


@dataclass(frozen=True, eq=False)
class _Open:
    """The nodes of a level that are about to be numbered.

    Attributes
    ----------
    at
        Where they are in :class:`_Flat`; children of one node side by side.
    parent
        Place of each one's parent in the level above.
    column
        That was looked at there.
    last
        For each node and column of the matrix, the last node above that was reached by a look at it; else 0.
    """

    at: Places
    parent: Places
    column: Places
    last: Places


@dataclass(frozen=True, eq=False)
class _Flat:
    """The nodes of all trees, one tree after the other.

    Attributes
    ----------
    share, reached
        Of the rows at the node above, and at the root, those that come here.
    """

    roots: Places
    left: Places
    right: Places
    split: Places
    threshold: Floats
    missing_left: NDArray[np.bool_]
    value: Floats
    share: Floats
    reached: Floats

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> _Flat:
        """Of some trees, one at least."""
        sizes = np.array([len(tree.left) for tree in trees])
        roots = np.cumsum(sizes) - sizes
        offset = np.repeat(roots, sizes)
        left, right = (
            np.concatenate([getattr(tree, side) for tree in trees]).astype(np.intp) for side in ("left", "right")
        )
        inner = left >= 0
        left, right = np.where(inner, left + offset, -1), np.where(inner, right + offset, -1)
        cover = np.concatenate([tree.cover for tree in trees])
        share = np.ones(len(left))
        for side in (left, right):
            share[side[inner]] = cover[side[inner]] / cover[inner]
        return cls(
            roots,
            left,
            right,
            np.concatenate([tree.column for tree in trees]).astype(np.intp),
            np.concatenate([tree.threshold for tree in trees]),
            np.concatenate([tree.missing_left for tree in trees]),
            np.concatenate([tree.value for tree in trees]),
            share,
            cover / cover[offset],
        )
