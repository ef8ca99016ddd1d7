"""What can be started from a form: for each, the workflow, its fields, and what it will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fraudops_airflow.web.runs import arriving, keeping, scoring
from fraudops_airflow.web.runs.asked import Field
from fraudops_airflow.web.runs.plan import Plan, Scene


@dataclass(frozen=True)
class Action:
    """One form; ``lead``: when somebody wants it."""

    name: str
    workflow: str
    label: str
    lead: str
    fields: Callable[[Scene], list[Field]]
    plan: Callable[[Scene], Plan]


GROUPS: tuple[tuple[str, tuple[Action, ...]], ...] = (
    (
        "Data that comes in",
        (
            Action("ingest", "ingest", "Ingest a day", "One partition that has come, or whose file was corrected.",
                   arriving.ingest_fields, arriving.ingest),
            Action("backfill", "ingest", "Backfill a range", "Days that were never ingested, or all of them again.",
                   arriving.backfill_fields, arriving.backfill),
            Action("land", "land", "Land files", "Any number of days in one run: the first load, or files by name.",
                   arriving.land_fields, arriving.land),
        ),
    ),
    (
        "Scores and models",
        (
            Action("score", "score", "Score a day again", "A partition whose score is missing, or stale.",
                   scoring.score_fields, scoring.score),
            Action("restate", "restate", "Restate a range", "What would be alerted today for days of the past.",
                   scoring.restate_fields, scoring.restate),
            Action("train", "train", "Train", "New candidates against the champion.",
                   scoring.train_fields, scoring.train),
        ),
    ),
    (
        "The record",
        (
            Action("reconcile", "reconcile", "Reconcile", "Find what is undone, and do it.",
                   keeping.no_fields, keeping.reconcile),
            Action("report", "report", "Monthly pack", "What happened in a month, for compliance.",
                   keeping.report_fields, keeping.report),
            Action("verify", "verify", "Verify", "Whether what is kept is still what was written.",
                   keeping.verify_fields, keeping.verify),
        ),
    ),
)  # fmt: skip

ACTIONS = {action.name: action for _, group in GROUPS for action in group}

WORKFLOWS = (
    "ingest", "watch", "land", "score", "monitor", "comply", "train", "evaluate", "promote", "rollback", "shadow",
    "restate", "notify", "reconcile", "clocks", "report", "retain", "verify",
)  # fmt: skip
"""Every workflow, in the order in which data flows."""


def workflows_of(has_compliance: bool) -> tuple[str, ...]:
    """The workflows that a portfolio has."""
    return tuple(name for name in WORKFLOWS if has_compliance or name != "comply")
