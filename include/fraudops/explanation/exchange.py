"""Contributions by exchanging values with typical ones, for a model of which nothing is known but its margins.

A block's contribution is measured at both ends and averaged: how far the margin falls when the block takes its
typical values while all else stays, and how far it rises when a typical row takes the block's values. These are
the last and the first step of the paths over which Shapley values average; the first alone would hide a block whose
news another one also bears, the second one that matters only in combination. Unlike Shapley values they need not
add up to the margin: what is left over is said beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXCHANGE = "exchange"
_AT_ONCE = 50_000
"""Rows given to the model in one call: bounds the memory."""

Margins = Callable[[NDArray[Any]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Exchanged:
    """Margins of n rows, and what each block moved them by.

    Attributes
    ----------
    base
        The typical row's margin, n times.
    blocks
        Shape (n, blocks).
    margin
        Shape (n,).
    """

    base: NDArray[np.float64]
    blocks: NDArray[np.float64]
    margin: NDArray[np.float64]


def exchange(
    margins: Margins, matrix: NDArray[Any], typical: NDArray[Any], blocks: Sequence[NDArray[np.intp]]
) -> Exchanged:
    """Explain rows of a matrix; they are made once, not anew for every exchange.

    Parameters
    ----------
    margins
        From a matrix to log-odds.
    matrix
        Rows to explain. Shape (n, columns).
    typical
        The row that they are compared with. Shape (1, columns).
    blocks
        Places of the columns that are exchanged together.
    """
    found = Exchanged(np.zeros(len(matrix)), np.zeros((len(matrix), len(blocks))), np.zeros(len(matrix)))
    rows = max(1, _AT_ONCE // (2 * len(blocks) + 1))
    for at in range(0, len(matrix), rows):
        _explain(margins, matrix[at : at + rows], typical, blocks, _part(found, at, rows))
    return found


def _part(found: Exchanged, at: int, rows: int) -> Exchanged:
    here = slice(at, at + rows)
    return Exchanged(found.base[here], found.blocks[here], found.margin[here])


def _explain(
    margins: Margins,
    rows: NDArray[Any],
    typical: NDArray[Any],
    blocks: Sequence[NDArray[np.intp]],
    found: Exchanged,
) -> None:
    """One call of the model: the rows, a typical row, the rows without each block, each block's values alone."""
    n, g = len(rows), len(blocks)
    without, alone = np.tile(rows, (g, 1)), np.tile(typical, (n * g, 1))
    for number, inside in enumerate(blocks):
        own = slice(number * n, (number + 1) * n)
        without[own, inside], alone[own, inside] = typical[0, inside], rows[:, inside]
    given = margins(np.concatenate([rows, typical, without, alone]))
    found.margin[:], found.base[:] = given[:n], given[n]
    fallen = given[:n] - given[n + 1 : n + 1 + n * g].reshape(g, n)
    risen = given[n + 1 + n * g :].reshape(g, n) - given[n]
    found.blocks[:] = ((fallen + risen) / 2).T
