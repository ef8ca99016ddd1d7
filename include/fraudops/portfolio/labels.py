"""What a portfolio says of its labels: where they come from, and after how long they are believed."""

from __future__ import annotations

from typing import Literal

from fraudops.portfolio.durations import Duration
from fraudops.portfolio.sources import Source
from fraudops.portfolio.strict import Strict

REPORT_FEEDS = ("labels", "dispositions")
"""Datasets of what was said about transactions: by those who were charged, and by investigators."""


class Labels(Strict):
    """How it becomes known what was fraud."""

    delay: Duration
    """After this long without a report a transaction counts as genuine."""
    source: Source | None = None
    """A feed of reported frauds with the columns ``transaction_id``, ``reported_at`` and ``label``.
    Absent: the transactions' own ``label`` column, believed known ``delay`` after the transaction."""
    dispositions: Source | None = None
    """A feed of what investigators found, kept apart from ``source``: ``transaction_id``, ``reported_at``, ``finding``
    (``fraud``, ``not_fraud`` or ``insufficient``) and ``by``, the investigator's user name."""
    blocked: Literal["labelled", "unlabelled"] = "labelled"
    """``labelled``: the labels tell all, as public data sets do. ``unlabelled``: what was really blocked never
    happened, so nobody reports it; training leaves it out, and counts what ``policy.exploration`` let pass for it."""
    unreported: Literal["genuine", "unknown"] = "genuine"
    """What a transaction without a report is after ``delay``. ``unknown``: only what somebody looked at has a label;
    training counts what ``policy.exploration`` sampled for all that was allowed."""

    @property
    def feeds(self) -> dict[str, Source]:
        """Dataset → where what is said of transactions comes from: ``labels``, ``dispositions``."""
        found = dict(zip(REPORT_FEEDS, (self.source, self.dispositions), strict=True))
        return {dataset: source for dataset, source in found.items() if source is not None}

    @property
    def datasets(self) -> tuple[str, ...]:
        """Datasets of what is said of transactions: by feeds, and by closing cases, which needs no feed. None where the
        transactions' own file says it."""
        return REPORT_FEEDS if self.source is not None else ()

    @property
    def selective(self) -> bool:
        """Whether decisions tell which labels become known."""
        return self.blocked == "unlabelled" or self.unreported == "unknown"
