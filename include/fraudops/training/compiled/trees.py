"""Trees of other libraries, walked by LightGBM's engine: the quickest one at hand for a single row.

A tree is a tree: where a row ends depends on comparisons alone, and these are exact. What the leaves add up to is
left to whoever knows in which order and how exactly the other library adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudops.trees import Tree

SMALLEST = 1.1e-35
"""LightGBM reads values of up to 1e-35 (in 32 bits) as 0."""
_MISSING_IS_NAN, _MISSING_GOES_LEFT = 8, 2


def as_booster(trees: Sequence[Tree], width: int, *, averaged: bool = False) -> Any:
    """A ``lightgbm.Booster`` of these trees, which predicts the sum of their values, or its share of their number.

    Leaves are numbered in the order of a tree's nodes.
    """
    from lightgbm import Booster

    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={width - 1}",
        *(["average_output"] if averaged else []),
        "feature_names=" + " ".join(f"c{place}" for place in range(width)),
        "feature_infos=" + " ".join(["none"] * width),
    ]
    texts = [f"Tree={number}\n{_text(tree)}\n\n" for number, tree in enumerate(trees)]
    sizes = "tree_sizes=" + " ".join(str(len(text)) for text in texts)
    content = "\n".join([*head, sizes, "", ""]) + "".join(texts) + "end of trees\n\nparameters:\nend of parameters\n"
    return Booster(model_str=content)


def _text(tree: Tree) -> str:
    inner = np.flatnonzero(tree.left >= 0)
    ends = np.flatnonzero(tree.left < 0)
    number = np.empty(len(tree.left), np.int64)
    number[inner], number[ends] = np.arange(len(inner)), ~np.arange(len(ends))
    kind = _MISSING_IS_NAN + _MISSING_GOES_LEFT * tree.missing_left[inner].astype(np.int64)
    lines = [f"num_leaves={len(ends)}", "num_cat=0"]
    if len(inner):
        lines += [
            _line("split_feature", tree.column[inner]),
            _line("threshold", tree.threshold[inner]),
            _line("decision_type", kind),
            _line("left_child", number[tree.left[inner]]),
            _line("right_child", number[tree.right[inner]]),
        ]
    lines += [_line("leaf_value", tree.value[ends]), "is_linear=0", "shrinkage=1"]
    return "\n".join(lines)


def _line(name: str, values: NDArray[Any]) -> str:
    # What Python writes of a number is the shortest text that is read as the same number.
    return f"{name}={' '.join(map(repr, values.tolist()))}"
