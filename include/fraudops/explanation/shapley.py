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
from dataclasses import dataclass, field
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
        nodes = _Nodes.of(trees)
        self.base, self._width, self._levels = nodes.base, width, nodes.levels
        self._column, self._previous = (np.array(given, np.intp) for given in (nodes.column, nodes.previous))
        self._split, self._left, self._right = (
            np.array(given, np.intp) for given in (nodes.split, nodes.left, nodes.right)
        )
        self._threshold, self._missing_left = np.array(nodes.threshold), np.array(nodes.missing_left, np.bool_)
        at, weights = _quadrature(nodes.longest)
        self._factor, self._credit = _tables(nodes, at)
        self._weight = np.array(nodes.value) * weights[:, None]
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
        return np.bincount(self._column, np.einsum("qn,qn->n", below, credit), self._width)

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
    share, known = np.array(nodes.share), np.array(nodes.known)
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


@dataclass(frozen=True, eq=False)
class _Open:
    """A node that is about to be numbered.

    Attributes
    ----------
    path
        Column → last node above that was reached by a look at it.
    """

    tree: Tree
    node: int
    parent: int
    column: int
    share: float
    path: dict[int, int]

    @property
    def is_leaf(self) -> bool:
        """Whether nothing comes after it."""
        return bool(self.tree.left[self.node] < 0)


@dataclass
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
        Of leaves.
    split, threshold, missing_left, left, right
        Of inner nodes: the column they look at, where they go.
    longest
        Most columns of a path.
    """

    column: list[int] = field(default_factory=list)
    previous: list[int] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    split: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=list)
    longest: int = 0
    base: float = 0.0

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> _Nodes:
        """Of some trees."""
        nodes = cls()
        level = [_Open(tree, 0, place, 0, 1.0, {}) for place, tree in enumerate(trees)]
        while level:
            level = nodes._number(level)
        return nodes

    def _number(self, level: list[_Open]) -> list[_Open]:
        """Number the nodes of a level, two for each inner node of the one above, and find those of the next."""
        start = len(self.column)
        order = sorted(range(len(level)), key=lambda place: level[place].is_leaf)
        place_of = np.empty(len(level), np.intp)
        place_of[order] = np.arange(len(level))
        following: list[_Open] = []
        for place in order:
            following += self._add(level[place], len(self.levels) > 0)
        inner = len(following) // 2
        parent = np.array([level[place].parent for place in order], np.intp)
        left, right = place_of[::2], place_of[1::2]
        if self.levels:
            self.left += (start + left).tolist()
            self.right += (start + right).tolist()
        cuts = start, start + inner, start + len(level)
        self.levels.append(
            _Level(slice(cuts[0], cuts[2]), slice(cuts[0], cuts[1]), slice(cuts[1], cuts[2]), parent, left, right)
        )
        return [
            _Open(at.tree, at.node, number // 2, at.column, at.share, at.path) for number, at in enumerate(following)
        ]

    def _add(self, at: _Open, has_edge: bool) -> list[_Open]:
        """Its children."""
        number, tree = len(self.column), at.tree
        previous = at.path.get(at.column, 0)
        path = {**at.path, at.column: number} if has_edge else at.path
        self.column.append(at.column)
        self.previous.append(previous)
        self.share.append(at.share)
        self.known.append(at.share * (self.known[previous] if number else 1.0))
        self.value.append(float(tree.value[at.node]) if at.is_leaf else 1.0)
        cover = float(tree.cover[at.node])
        if at.is_leaf:
            self.base += self.value[number] * cover / float(tree.cover[0])
            self.longest = max(self.longest, len(path))
            return []
        self.split.append(int(tree.column[at.node]))
        self.threshold.append(float(tree.threshold[at.node]))
        self.missing_left.append(bool(tree.missing_left[at.node]))
        children = (int(tree.left[at.node]), int(tree.right[at.node]))
        return [_Open(tree, child, 0, self.split[-1], float(tree.cover[child]) / cover, path) for child in children]
