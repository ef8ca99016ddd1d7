"""How scores become decisions: the section ``policy`` of a portfolio."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fraudops.portfolio.strict import Strict

Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Money in major units of the portfolio's currency."""

Share = Annotated[float, Field(ge=0, le=1)]


class Costs(Strict):
    """What decisions cost, in major units (euros, not cents). A missed fraud costs its amount."""

    review: Cost
    """A person's look at one transaction."""
    friction: Cost
    """A genuine payment that was blocked: the call, the lost sale, the customer who leaves."""
    recovered: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of a fraud's amount that a review saves; less than 1 where money may be gone before anybody looks.
    A block saves all of it."""


class Exploration(Strict):
    """What is decided by chance, so that what the policy hides stays known: a blocked payment yields no label."""

    pass_blocks: Share = 0.0
    """Share of would-be blocks that go to review instead."""
    sample_below: Share = 0.0
    """Share of what would be allowed that is reviewed all the same."""
    budget_share: Share = 0.2
    """Such samples take at most this share of the alert budget; the share above is lowered where they would take
    more."""


class Policy(Strict):
    """How scores become decisions."""

    alerts_per_day: float = 20
    """Alert budget. Without costs the review threshold is set so that the selection slice would have raised this
    many; with costs it is a limit."""
    block_precision: float = 0.9
    """What is blocked lies above a score above which this share was fraud on the selection slice: without costs above
    the lowest such score, with costs above the one that is expected to cost least."""
    block_minimum: int = 5
    """…provided that at least this many rows lie above it; otherwise nothing is blocked."""
    costs: Costs | None = None
    """Absent: nothing is measured in money."""
    thresholds: Literal["score", "value"] = "score"
    """``score``: a transaction is reviewed from a score on. ``value``: from an expected loss (score × amount) on, so
    that a large payment needs less suspicion than a small one; needs ``costs``."""
    exploration: Exploration = Exploration()
