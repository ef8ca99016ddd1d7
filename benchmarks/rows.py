"""One line of the result: what was measured of us, of a reference, and whether a goal is met."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes
    ----------
    ours, reference
        In ``unit``; None where there is none, or where the row was skipped.
    ratio
        Oriented as the goal words it; see ``benchmarks/README.md``.
    goal, met
        What is aimed at, in words, and whether it is reached; None where nothing is aimed at or measured.
    details
        More keys of the row: runs, intervals, counts.
    skipped
        Why nothing was measured.
    """

    name: str
    unit: str
    ours: float | None = None
    reference: float | None = None
    ratio: float | None = None
    goal: str | None = None
    met: bool | None = None
    details: dict[str, Any] = field(default_factory=dict)
    skipped: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        found: dict[str, Any] = {
            "name": self.name,
            "ours": rounded(self.ours),
            "reference": rounded(self.reference),
            "ratio": rounded(self.ratio),
            "unit": self.unit,
            "goal": self.goal,
            "met": self.met,
        }
        return {**found, **self.details, **({"skipped": self.skipped} if self.skipped else {})}


class Absent(Exception):
    """What a suite needs is not there; the message says what would bring it."""


@dataclass(frozen=True)
class Conditions:
    """How a suite is to measure.

    Attributes
    ----------
    data
        Folder of the real data sets; None where nobody named one.
    work
        Empty folder for temporary files.
    quick
        Fewer runs, and without what takes minutes.
    say
        Tells a person what is going on.
    """

    data: Path | None
    work: Path
    quick: bool
    say: Callable[[str], None]


@dataclass(frozen=True)
class Suite:
    """Some rows that are measured together."""

    name: str
    rows: tuple[str, ...]
    """Their names, so that a suite that cannot run can say what is missing."""
    measure: Callable[[Conditions], Iterable[Row]]


def measure(suites: Sequence[Suite], conditions: Conditions) -> list[Row]:
    """The rows of all suites; those of a suite without its data are there, skipped, with the reason."""
    found: list[Row] = []
    for suite in suites:
        conditions.say(f"{suite.name} …")
        try:
            found += suite.measure(conditions)
        except Absent as absent:
            found += [Row(name, unit="", skipped=str(absent)) for name in suite.rows]
    return found


def median(values: Iterable[float]) -> float:
    """Median, as a plain number."""
    return float(statistics.median(values))


def rounded(value: float | None) -> float | None:
    """Four significant decimals are more than any of these measurements is worth."""
    return None if value is None else round(value, 4)
