"""Figures and verdicts as several pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fraudops.database import Verdict
from fraudops.registry.gate_lines import failed_gates
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval, where there is one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class VerdictLine:
    """What a comparison found."""

    run_id: str
    """Of the challenger's training, whose report tells of it."""
    outcome: str
    reason: str
    challenger: str
    candidate: str
    champion: str | None
    as_of: datetime
    failed: tuple[str, ...]
    """Names of the gates that speak against a promotion."""


def average_precision(metrics: dict[str, Any]) -> Figure | None:
    """Average precision of a model version's metrics, with its interval where one was computed."""
    value = metrics.get("average_precision")
    if not isinstance(value, int | float):
        return None
    interval = metrics.get("average_precision_interval")
    if isinstance(interval, list | tuple) and len(interval) == 2:
        return Figure(float(value), float(interval[0]), float(interval[1]))
    return Figure(float(value))


def verdicts() -> Select[tuple[Verdict]]:
    """A question for verdicts, each with its challenger and champion."""
    return select(Verdict).options(joinedload(Verdict.challenger), joinedload(Verdict.champion))


def verdict_line(verdict: Verdict) -> VerdictLine:
    """What a page says of a verdict; challenger and champion are loaded with it."""
    return VerdictLine(
        run_id=verdict.challenger.run_id,
        outcome=verdict.outcome,
        reason=verdict.reason,
        challenger=verdict.challenger.version,
        candidate=verdict.challenger.candidate,
        champion=verdict.champion.version if verdict.champion else None,
        as_of=verdict.as_of,
        failed=tuple(failed_gates(verdict.gates)),
    )
