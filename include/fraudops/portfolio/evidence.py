"""What a portfolio says about its models for the evidence pack: purpose, materiality, whom to compare."""

from __future__ import annotations

from typing import Literal

from fraudops.portfolio.strict import Strict


class ModelCard(Strict):
    """What only the people who answer for a model can say about it."""

    purpose: str = ""
    """What the scores are for (default: the portfolio's description)."""
    materiality: Literal["low", "medium", "high"] | None = None
    """Tier of the model inventory; it decides how much validation is expected."""
    materiality_reason: str = ""
    """Why this tier: exposure, volumes, reliance on the scores."""
    intended_use: str = ""
    """Who acts upon the scores, and how."""
    not_for: tuple[str, ...] = ()
    """Uses that it was not made for."""


class Fairness(Strict):
    """Whom decisions are compared for; the answer is shown, no verdict depends on it."""

    attributes: tuple[str, ...] = ()
    """Columns that are protected attributes or stand for one, with role category, boolean or number. A model need
    not see them: leave them out with ``features.exclude``."""
    fewest_rows: int = 100
    """Groups with fewer transactions in the test slice are put together as the others."""
