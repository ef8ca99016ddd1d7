"""One decision tree as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class UnlikeError(Exception):
    """An ensemble has something that a :class:`Tree` cannot say."""


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree. Nodes are numbered; the first is the root.

    Attributes
    ----------
    left, right
        Next nodes; -1 in leaves.
    column
        Of the matrix, that an inner node looks at.
    threshold
        A value up to it, itself included, goes left.
    missing_left
        Whether a missing value does.
    value
        Of leaves.
    cover
        How much of what the tree was grown on reached each node.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    column: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    cover: NDArray[np.float64]

    @property
    def leaf_values(self) -> NDArray[np.float64]:
        """In the order of the leaves among the nodes."""
        return self.value[self.left < 0]
