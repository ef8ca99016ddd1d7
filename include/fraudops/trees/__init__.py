"""Fitted trees as plain arrays, whichever library grew them."""

from fraudops.trees.tree import Tree, UnlikeError

__all__ = ["Tree", "UnlikeError"]
