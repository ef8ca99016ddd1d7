"""What the monitoring pages draw: states over time, numbers with intervals, distributions, as shapes with positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fraudops.monitoring.checks import (
    ALERTS,
    CALIBRATION,
    FAMILIES,
    FRAUDS,
    MISSING_VALUES,
    NEW,
    PRECISION_AVERAGE,
    RECALL,
    Check,
    gravest,
)
from fraudops.monitoring.history import Distribution, History, Point, history
from fraudops.monitoring.status import State
from fraudops.monitoring.wording import sentence
from fraudops.portfolio import Portfolio

from fraudops_airflow.web.archive import Archive

SHOWN_PARTITIONS = 60
"""Partitions in the pictures over time."""
_SHOWN_DISTRIBUTIONS = 12
_HEIGHT = 100.0
_LINES = {
    PRECISION_AVERAGE: "Average precision",
    RECALL: "Recall within the alert budget",
    "precision": "Precision within the alert budget",
    CALIBRATION: "Observed over expected frauds",
    ALERTS: "Share of transactions reviewed or blocked",
}


@dataclass(frozen=True)
class Cell:
    """Status of one partition, in a strip."""

    key: str
    status: str


@dataclass(frozen=True)
class Row:
    """One family of checks: what it looks at, its status, the strip, what was found last."""

    family: str
    about: str
    status: str
    since: str
    cells: tuple[Cell, ...]
    finding: str


@dataclass(frozen=True)
class Mark:
    """A number in a picture; positions are percentages from the left and from the top."""

    x: float
    y: float
    low: float
    high: float
    title: str


@dataclass(frozen=True)
class Picture:
    """A number over time: measured with its interval, the estimate, and the reference's level."""

    title: str
    bottom: str
    top: str
    first: str
    last: str
    measured: tuple[tuple[Mark, ...], ...]
    """One run of marks per champion: another champion is compared with another reference."""
    estimated: tuple[Mark, ...]
    references: tuple[tuple[float, float, float], ...]
    """From, to, height of each champion's reference."""
    text: str


@dataclass(frozen=True)
class Shape:
    """A distribution then and now."""

    name: str
    family: str
    status: str
    text: str
    bars: tuple[tuple[str, float, float], ...]
    """Label, height then and now in percent of the highest."""


@dataclass(frozen=True)
class Watched:
    """The page of one portfolio."""

    portfolio: Portfolio
    newest: State
    strip: tuple[Cell, ...]
    reasons: tuple[str, ...]
    rows: tuple[Row, ...]
    pictures: tuple[Picture, ...]
    shapes: tuple[Shape, ...]
    quiet: int
    """Distributions that are not drawn, because nothing is to be seen in them."""
    sources: tuple[str, ...]
    window: tuple[str, ...]
    cohorts: tuple[str, ...]
    young: tuple[str, ...]


def watched(archive: Archive, portfolio: Portfolio) -> Watched | None:
    """Everything of one portfolio; None where nobody has looked yet."""
    found = history(archive.workspace, portfolio, most=SHOWN_PARTITIONS)
    if found is None:
        return None
    newest = found.newest
    loud = [d for d in found.distributions if d.check.level in ("watch", "act")]
    drawn = (loud + [d for d in found.distributions if d not in loud and d.check.value is not None])[
        : max(_SHOWN_DISTRIBUTIONS, len(loud))
    ]
    return Watched(
        portfolio=portfolio,
        newest=newest,
        strip=tuple(Cell(state.key, state.status) for state in found.states),
        reasons=tuple(
            sentence(check) for family in newest.reasons if (check := gravest(found.checks, family)) is not None
        ),
        rows=tuple(_row(found, family, about) for family, about in FAMILIES.items()),
        pictures=tuple(
            picture for family, title in _LINES.items() if (picture := _picture(found, family, title)) is not None
        ),
        shapes=tuple(_shape(item) for item in drawn),
        quiet=len(found.distributions) - len(drawn),
        sources=tuple(
            sentence(c) for c in found.checks if c.family in (MISSING_VALUES, NEW) and c.level in ("watch", "act")
        ),
        window=found.window,
        cohorts=found.cohorts,
        young=found.young,
    )


def _row(found: History, family: str, about: str) -> Row:
    cells = tuple(Cell(s.key, s.families[family][0] if family in s.families else "unknown") for s in found.states)
    status, since = found.newest.families.get(family, ("unknown", found.newest.key))
    loudest = gravest(found.checks, family)
    finding = sentence(loudest) if loudest else "not judged yet: too little has been seen"
    return Row(family, about, status, since, cells, finding)


def _picture(found: History, family: str, title: str) -> Picture | None:
    measured, estimated = found.measured.get(family, ()), found.estimated.get(family, ())
    if not measured and not estimated:
        return None
    values = [v for p in (*measured, *estimated) for v in (p.check.low, p.check.high, p.check.value) if v is not None]
    values += [p.check.reference for p in measured if p.check.reference is not None and family != CALIBRATION]
    values += [1.0] if family == CALIBRATION else []
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.08
    low, high = max(0.0, low - room), high + room
    places = {state.key: number for number, state in enumerate(found.states)}
    wide = max(len(places) - 1, 1)

    def height(value: float) -> float:
        return round(_HEIGHT * (1 - (value - low) / (high - low)), 2)

    def mark(point: Point) -> Mark:
        c = point.check
        value = c.value or 0.0
        about = "estimate without labels" if c.estimated else "measured"
        return Mark(
            x=round(100 * places[point.key] / wide, 2),
            y=height(value),
            low=height(value if c.low is None else c.low),
            high=height(value if c.high is None else c.high),
            title=f"{point.key}, {about}: {_number(family, value)} "
            f"[{_number(family, c.low)}, {_number(family, c.high)}], {c.n:,} transactions",
        )

    runs, references = [], []
    for version in dict.fromkeys(point.version for point in measured):
        mine = [point for point in measured if point.version == version]
        runs.append(tuple(mark(point) for point in mine))
        level = 1.0 if family == CALIBRATION else mine[-1].check.reference
        if level is not None:
            references.append((runs[-1][0].x, runs[-1][-1].x, height(level)))
    return Picture(
        title=title,
        bottom=_number(family, low),
        top=_number(family, high),
        first=found.states[0].key,
        last=found.states[-1].key,
        measured=tuple(runs),
        estimated=tuple(mark(point) for point in estimated),
        references=tuple(references),
        text=_text(family, measured, estimated),
    )


def _text(family: str, measured: Sequence[Point], estimated: Sequence[Point]) -> str:
    parts = []
    if measured:
        c = measured[-1].check
        reference = (
            "" if c.reference is None or family == CALIBRATION else f", at the gate {_number(family, c.reference)}"
        )
        parts.append(
            f"Measured {_number(family, c.value)} [{_number(family, c.low)}, {_number(family, c.high)}]{reference}"
        )
    if estimated:
        c = estimated[-1].check
        parts.append(
            f"estimated without labels {_number(family, c.value)} [{_number(family, c.low)}, {_number(family, c.high)}]"
        )
    return "; ".join(parts) + "."


def _shape(found: Distribution) -> Shape:
    highest = max((share for _, *pair in found.bars for share in pair), default=0.0) or 1.0
    bars = tuple(
        (f"{label}: {then:.1%} then, {now:.1%} now", round(100 * then / highest, 2), round(100 * now / highest, 2))
        for label, then, now in found.bars
        if then or now
    )
    check: Check = found.check
    of = "among known frauds" if check.family == FRAUDS else "among all transactions"
    numbers = [f"PSI {check.value:.2f}" if check.value is not None else check.note]
    if check.reference is not None:
        numbers.append(f"by chance up to {check.reference:.2f}")
    numbers += [
        f"{name} {value:.2f}"
        for name, value in (
            ("total variation", check.moved),
            ("Jensen–Shannon", check.shannon),
            ("Wasserstein", check.earth),
        )
        if value is not None
    ]
    if check.level is None and check.note:
        numbers.append(check.note)
    return Shape(check.column, of, check.level or "unknown", ", ".join(numbers), bars)


def _number(family: str, value: float | None) -> str:
    if value is None:
        return "–"
    if family == ALERTS:
        return f"{value:.2%}"
    return f"{value:.2f}" if family == CALIBRATION else f"{value:.3f}"
