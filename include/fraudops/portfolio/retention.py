"""What a portfolio's YAML may say about how long its records are kept, and which of it does not go together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fraudops.portfolio.durations import Duration, format_duration
from fraudops.portfolio.labels import Labels
from fraudops.portfolio.problems import Problem
from fraudops.portfolio.strict import Strict
from fraudops.portfolio.training import Training

FIVE_YEARS = timedelta(days=1827)
"""Five years, leap days included."""
_YEAR_AND_A_BIT = timedelta(days=400)

COMPLIANCE = ("transactions", "features", "scores", "history", "alerts", "notices", "cases")
"""Records of what was decided, and what it takes to show how: kept for five years unless somebody says why not."""


class Retention(Strict):
    """How long each kind of record is kept, counted from the end of the time that it is about.

    What is under a legal hold stays. The ledger, models that were champion, evidence packs, and verdicts are never
    removed.
    """

    transactions: Duration = FIVE_YEARS
    """Transactions, and where each row came from (``lineage``)."""
    protected: Duration = FIVE_YEARS
    """Personal data. Nothing is computed from it, so it may go earlier than the transactions."""
    labels: Duration = FIVE_YEARS
    """Reports of fraud, counted from their arrival."""
    reference: Duration | None = None
    """Customers, watch lists, holidays and rates, counted from their arrival. Null: as long as the portfolio, since
    what is in force today may have arrived long ago."""
    features: Duration = FIVE_YEARS
    scores: Duration = FIVE_YEARS
    """Scores and decisions of champions, and those of shadows."""
    history: Duration = FIVE_YEARS
    """What partitions held before they were corrected: decisions that were made then rest on it."""
    alerts: Duration = FIVE_YEARS
    notices: Duration = FIVE_YEARS
    """What e-mails said, and to whom. That there was one is kept, so that none is sent again."""
    cases: Duration = FIVE_YEARS
    """Timelines and attachments of cases, and whom they were about, counted from their closing. That there was one,
    and what was found, is kept."""
    quarantine: Duration = _YEAR_AND_A_BIT
    """Rows that could not be used, counted from the newest partition of their file."""
    validation: Duration = _YEAR_AND_A_BIT
    """Results and pages of the validation of each partition."""
    restatements: Duration | None = None
    """What would have been decided, counted from when it was computed; None: as long as the scores."""
    references: Duration | None = None
    """What monitoring compared with, counted from the last day of that champion; None: as long as the scores."""
    training: Duration = _YEAR_AND_A_BIT
    """Data sets, predictions and report pages of training runs of which no version ever was champion or shadow."""
    models: Duration = _YEAR_AND_A_BIT
    """Files of versions that never were champion or shadow."""
    reason: str = ""
    """Why a record of compliance is kept for less than five years; needed where one is."""


def incoherent_retention(retention: Retention, training: Training | None, labels: Labels | None) -> Iterator[Problem]:
    """Settings by which something would outlive what it takes to understand it."""
    yield from _too_short(retention)
    for kind in ("transactions", "features", "alerts"):
        if getattr(retention, kind) < retention.scores:
            why = {
                "transactions": "a decision cannot be shown again without them",
                "features": "a decision cannot be shown again without them",
                "alerts": "scores without alerts would look as if nobody had been told",
            }[kind]
            yield Problem(
                ("retention", kind),
                f"{kind} would be removed before the scores: {why}",
                format_duration(getattr(retention, kind)),
                f"keep them at least as long as the scores, {format_duration(retention.scores)}",
            )
    if retention.references is not None and retention.references < retention.scores:
        yield Problem(
            ("retention", "references"),
            "what monitoring compared with would be removed before what it found: a status could not be shown again",
            format_duration(retention.references),
            f"at least as long as the scores, {format_duration(retention.scores)}",
        )
    if training is not None and labels is not None:
        needed = training.window + labels.delay
        for kind in ("transactions", "labels", "features"):
            # A window that is longer than what is kept by default means "all that there is".
            if kind in retention.model_fields_set and getattr(retention, kind) < needed:
                yield Problem(
                    ("retention", kind),
                    f"{kind} would be removed while training still learns from them",
                    format_duration(getattr(retention, kind)),
                    f"keep them at least for training.window and labels.delay, {format_duration(needed)}",
                )
    if retention.history > retention.transactions:
        yield Problem(
            ("retention", "history"),
            "what a partition held before would outlive the partition",
            format_duration(retention.history),
            f"at most as long as the transactions, {format_duration(retention.transactions)}",
        )


def _too_short(retention: Retention) -> Iterator[Problem]:
    for kind in COMPLIANCE:
        kept = getattr(retention, kind)
        if kept < FIVE_YEARS and not retention.reason.strip():
            yield Problem(
                ("retention", kind),
                "a record of compliance would be kept for less than five years",
                format_duration(kept),
                f"at least {format_duration(FIVE_YEARS)}, or say why not under retention.reason",
            )
