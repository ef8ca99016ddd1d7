"""What a check found, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from fraudops.monitoring.checks import (
    ALERTS,
    CALIBRATION,
    FEATURES,
    FRAUDS,
    MISSING_VALUES,
    NEW,
    PRECISION_AVERAGE,
    RECALL,
    SCORES,
    Check,
    gravest,
)

_WHAT = {PRECISION_AVERAGE: "average precision", RECALL: "recall within the alert budget"}
_OF = {FEATURES: "of all transactions", FRAUDS: "of known frauds", SCORES: ""}


def sentence(check: Check) -> str:
    """One check, with its numbers."""
    value, reference = check.value or 0.0, check.reference or 0.0
    if check.family in _WHAT:
        return f"{_WHAT[check.family]} {value:.3f}{_interval(check)}, at the gate {reference:.3f}"
    if check.family == CALIBRATION:
        return f"{value:.2f} times as many frauds as the scores expect{_interval(check, 2)}"
    if check.family == ALERTS:
        return f"{value:.2%} of transactions are reviewed or blocked, at the gate {reference:.2%}"
    if check.family == MISSING_VALUES:
        return f"{check.column}: {value:.1%} missing, in the reference {reference:.1%}"
    if check.family == NEW:
        return f"{check.column}: {value:.1%} of the values are new ({check.note})"
    moved = f", {check.moved:.0%} of them lie elsewhere" if check.moved is not None else ""
    what = f"{check.column} {_OF.get(check.family, '')}".strip()
    return f"{what}: PSI {value:.2f}, by chance up to {reference:.2f}{moved}"


def sentences(checks: Sequence[Check], families: Sequence[str]) -> list[str]:
    """The gravest check of each family, and how many others of it show as much."""
    found = []
    for family in families:
        worst = gravest(checks, family)
        if worst is None:
            continue
        others = sum(c.family == family and c.level == worst.level for c in checks) - 1
        more = f" (and {others} more)" if others > 0 and worst.level != "ok" else ""
        found.append(f"{sentence(worst)}{more}")
    return found


def _interval(check: Check, digits: int = 3) -> str:
    if check.low is None or check.high is None:
        return ""
    return f" [{check.low:.{digits}f}, {check.high:.{digits}f}]"
