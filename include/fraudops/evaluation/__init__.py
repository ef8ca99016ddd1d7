"""Evaluation: how good scores are, how sure that is, and figures that show it."""
