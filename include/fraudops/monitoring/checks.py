"""What one look compares: a window of scored partitions, and the matured ones, with the champion's reference.

A check is more than ``ok`` only where two things hold at once: chance does not explain the difference, and it is large
enough to matter. So neither many transactions nor few make an alarm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from fraudops.monitoring import null
from fraudops.monitoring.bins import MISSING
from fraudops.monitoring.distances import earth_movers, jensen_shannon, total_variation
from fraudops.monitoring.measures import (
    FEATURE,
    FRAUD,
    SCORE,
    Measured,
    added_up,
    expectations_of,
    outcomes_of,
    units_of,
)
from fraudops.monitoring.performance import FEWEST_UNITS, Measure, expect, measure
from fraudops.monitoring.reference import Panel, Reference
from fraudops.monitoring.status import ORDER, Status, worst
from fraudops.portfolio.monitoring import Levels, Monitoring

FEATURES, SCORES, FRAUDS, ALERTS = "features", "score", "frauds", "alert rate"
MISSING_VALUES, NEW = "missing values", "new categories"
PRECISION_AVERAGE, RECALL, CALIBRATION = "average precision", "recall", "calibration"
FAMILIES = {
    FEATURES: "distribution of what the champion reads",
    SCORES: "distribution of its scores",
    FRAUDS: "what known frauds look like",
    ALERTS: "share of transactions reviewed or blocked",
    PRECISION_AVERAGE: "average precision on matured days",
    RECALL: "share of frauds found within the alert budget, on matured days",
    CALIBRATION: "observed over expected frauds, on matured days",
    MISSING_VALUES: "shares of missing values",
    NEW: "categories that training had never seen",
}
"""Family of checks → what it looks at. Each family has one status."""
_MEASURED = {
    "average_precision": PRECISION_AVERAGE,
    "recall": RECALL,
    "calibration": CALIBRATION,
    "alert_rate": ALERTS,
}


@dataclass(frozen=True)
class Check:
    """One thing that was compared.

    Attributes
    ----------
    family
        One of :data:`FAMILIES`, or a name of its own where nothing is judged.
    column
        The feature; empty where the check is about all.
    value, low, high
        What was found (of a distribution the population stability index), and its interval.
    reference
        The same in the reference; of a distribution what chance exceeds once in twenty looks.
    n
        Transactions (of frauds' features: frauds) that it rests on.
    chance
        How often chance alone shows as much; None where an interval says so.
    moved, shannon, earth
        Further distances of a distribution: total variation, Jensen–Shannon, Wasserstein on bins.
    level
        None where it is not judged; ``note`` then says why.
    estimated
        Whether the value is an estimate without labels.
    """

    family: str
    column: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    n: int = 0
    chance: float | None = None
    moved: float | None = None
    shannon: float | None = None
    earth: float | None = None
    level: Status | None = None
    note: str = ""
    estimated: bool = False

    def to_dict(self) -> dict[str, object]:
        """A row of the stored table."""
        return asdict(self)


def look(
    rule: Monitoring,
    reference: Reference,
    window: Sequence[Measured],
    cohorts: Sequence[Measured],
    young: Sequence[Measured],
    *,
    units: int,
) -> list[Check]:
    """Compare with the reference.

    Parameters
    ----------
    window
        Scored partitions of the last stretch.
    cohorts
        Matured partitions.
    young
        Scored partitions whose labels are not known yet: for the estimate.
    units
        Days that a whole window has.
    """
    complete = len(units_of(window)) >= units
    found = list(_distributions(rule, reference.features, window, FEATURE, FEATURES, complete=complete))
    surprising = {c.column for c in found if c.level is not None and c.chance is not None and c.chance <= rule.chance}
    found += _distributions(rule, reference.score, window, SCORE, SCORES, complete=complete)
    found += _sources(rule, reference.features, window, surprising, complete=complete)
    frauds = sum(item.facts["sums"]["frauds"] for item in cohorts)
    known = len(units_of(cohorts)) >= FEWEST_UNITS and frauds >= rule.fewest_frauds
    found += _distributions(rule, reference.frauds, cohorts, FRAUD, FRAUDS, complete=known)
    found += _performance(rule, reference, cohorts, judged=known)
    found += _estimate(rule, young)
    return found


def levels_of(checks: Sequence[Check]) -> dict[str, Status]:
    """The gravest level of each family that was judged."""
    families = {check.family for check in checks if check.level is not None}
    return {f: worst(c.level for c in checks if c.family == f and c.level is not None) for f in sorted(families)}


def gravest(checks: Sequence[Check], family: str) -> Check | None:
    """The check of a family that speaks loudest: highest level, then least explained by chance, then largest."""
    judged = [check for check in checks if check.family == family and check.level is not None]
    return max(judged, key=lambda c: (ORDER.index(c.level or "ok"), -(c.chance or 0.0), c.value or 0.0), default=None)


# -- inside -------------------------------------------------------------------------------------------


def _distributions(
    rule: Monitoring, panel: Panel, found: Sequence[Measured], kind: str, family: str, *, complete: bool
) -> Iterator[Check]:
    if not panel.bins:
        return
    now, valid, judged = added_up(found, panel, kind), panel.valid, panel.judged
    rows = now.sum(axis=-1)
    enough = complete and len(panel.units) >= null.FEWEST_UNITS
    if not enough or not judged.any():
        note = "the window is not complete yet" if not complete else "the reference has too few days"
        yield from (Check(family, b.name, n=round(float(n)), note=note) for b, n in zip(panel.bins, rows, strict=True))
        return
    window, strata = _weekdays(panel, units_of(found))
    drawn = null.compare(now, panel.counts, valid, judged, window=window, strata=strata, resamples=rule.resamples)
    then = panel.counts.sum(axis=1)
    moved, shannon, earth = (f(now, then, valid) for f in (total_variation, jensen_shannon, earth_movers))
    for place, b in enumerate(panel.bins):
        value, chance = float(drawn.value[place]), float(drawn.chance[place])
        level = _beyond(value, rule.drift) if chance <= rule.chance else "ok"
        aside = panel.set_aside.get(b.name, "")
        yield Check(
            family,
            b.name,
            value=value,
            reference=float(drawn.usual[place]),
            n=round(float(rows[place])),
            chance=chance,
            moved=float(moved[place]),
            shannon=float(shannon[place]),
            earth=float(earth[place]) if b.is_number else None,
            level=None if aside else _lesser(level, _beyond(float(moved[place]), rule.moved)),
            note=f"not judged: it changes with {aside}"
            if aside == "the calendar"
            else aside and f"not judged: {aside}",
        )


def _weekdays(panel: Panel, days: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Of the window's days, and of the panel's units. Campaigns have none; a window has as many as its days bring."""
    if panel.runs:
        return null.weekdays(days), null.weekdays(panel.units)
    take = max(1, round(len(panel.units) * len(days) / max(panel.days, 1)))
    return np.zeros(take, dtype=np.int64), np.zeros(len(panel.units), dtype=np.int64)


def _sources(
    rule: Monitoring, panel: Panel, window: Sequence[Measured], surprising: set[str], *, complete: bool
) -> Iterator[Check]:
    """Missing values and new categories: a look at the source is what they need, not another model.

    Parameters
    ----------
    surprising
        Columns whose distribution, the missing values included, chance does not explain.
    """
    rows = sum(item.facts["rows"] for item in window)
    if not rows or not panel.bins:
        return
    then = panel.counts.sum(axis=1)
    for place, b in enumerate(panel.bins):
        gone = sum(item.facts["missing"].get(b.name, 0.0) for item in window) / rows
        usual = float(then[place, MISSING] / max(then[place].sum(), 1.0))
        judged = complete and b.name not in panel.set_aside
        level: Status = "watch" if gone - usual >= rule.missing and b.name in surprising else "ok"
        yield Check(MISSING_VALUES, b.name, value=gone, reference=usual, n=rows, level=level if judged else None)
        if b.new is not None:
            items = [item.facts["new"][b.name] for item in window if b.name in item.facts["new"]]
            share = sum(item["rows"] for item in items) / rows
            named = list(dict.fromkeys(value for item in items for value in item["values"]))[:5]
            level = "watch" if share >= rule.new_categories else "ok"
            yield Check(NEW, b.name, value=share, reference=0.0, n=rows, level=level, note=", ".join(named))


def _performance(
    rule: Monitoring, reference: Reference, cohorts: Sequence[Measured], *, judged: bool
) -> Iterator[Check]:
    if not cohorts:
        return
    days = outcomes_of(cohorts)
    rows = round(days.total("rows"))
    note = "" if judged else "not judged: too few matured days, or frauds among them"
    found = measure(days, reference.outcomes, confidence=1 - rule.chance, resamples=rule.resamples)
    for name, m in found.items():
        family = _MEASURED.get(name, name)
        level = _performance_level(rule, name, m) if judged and name in _MEASURED else None
        yield Check(
            family, value=m.value, low=m.low, high=m.high, reference=m.reference, n=rows, level=level, note=note
        )
    yield Check("observed frauds", value=days.total("frauds"), reference=days.total("expected"), n=rows)


def _performance_level(rule: Monitoring, name: str, found: Measure) -> Status | None:
    if name == "calibration":
        return _factor(found.value, rule.calibration) if not found.low <= 1 <= found.high else "ok"
    if found.reference is None or found.difference_low is None or found.difference_high is None:
        return None
    differs = not found.difference_low <= 0 <= found.difference_high
    if name == "alert_rate":
        return _factor(found.value / found.reference, rule.alert_rate) if differs and found.reference > 0 else "ok"
    # Better than at the gate is no reason to worry.
    return _beyond(found.reference - found.value, rule.loss) if differs else "ok"


def _estimate(rule: Monitoring, young: Sequence[Measured]) -> Iterator[Check]:
    if not young:
        return
    days = expectations_of(young)
    rows = round(float(days.rows.sum()))
    note = "an estimate: labels are not known yet; it trusts the scores, and decides nothing"
    for name, m in expect(days, confidence=1 - rule.chance, resamples=rule.resamples).items():
        family = _MEASURED.get(name, name)
        yield Check(family, value=m.value, low=m.low, high=m.high, n=rows, note=note, estimated=True)


def _beyond(value: float, levels: Levels) -> Status:
    return "act" if value >= levels.act else "watch" if value >= levels.watch else "ok"


def _factor(ratio: float, levels: Levels) -> Status:
    return _beyond(max(ratio, 1 / ratio), levels) if ratio > 0 and math.isfinite(ratio) else "act"


def _lesser(first: Status, second: Status) -> Status:
    return min(first, second, key=ORDER.index)
