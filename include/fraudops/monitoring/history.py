"""What monitoring has seen, put together for people: statuses and numbers over time, distributions then and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fraudops.monitoring import CHECKS, MEASURES, OUTCOMES
from fraudops.monitoring.checks import FEATURES, FRAUDS, SCORES, Check
from fraudops.monitoring.distances import shares
from fraudops.monitoring.looks import Desk, checks_of, states
from fraudops.monitoring.measures import FEATURE, FRAUD, SCORE, added_up
from fraudops.monitoring.reference import Panel, stored_reference
from fraudops.monitoring.status import State
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

_KINDS = {FEATURES: (MEASURES, FEATURE), SCORES: (MEASURES, SCORE), FRAUDS: (OUTCOMES, FRAUD)}


@dataclass(frozen=True)
class Point:
    """A number at the end of one partition."""

    key: str
    version: str
    check: Check


@dataclass(frozen=True)
class Distribution:
    """A column in the reference and in the newest window.

    Attributes
    ----------
    bars
        What lies in the bin, its share then, its share now.
    """

    check: Check
    bars: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class History:
    """All that a page shows of one portfolio.

    Attributes
    ----------
    states
        In the order of time.
    measured, estimated
        Family → its points; an estimate is about days whose labels are not known yet.
    trails
        Family and column (empty: of all) → what was measured after each partition.
    window, cohorts, young
        First and last partition of what the newest look is about; empty where there was nothing.
    """

    states: tuple[State, ...]
    checks: tuple[Check, ...]
    measured: dict[str, tuple[Point, ...]]
    estimated: dict[str, tuple[Point, ...]]
    trails: dict[tuple[str, str], tuple[Point, ...]]
    distributions: tuple[Distribution, ...]
    window: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    young: tuple[str, ...] = ()

    @property
    def newest(self) -> State:
        """Where the portfolio stands."""
        return self.states[-1]


def history(ws: Workspace, portfolio: Portfolio, *, most: int = 60, until: str | None = None) -> History | None:
    """What was seen at the end of the last partitions; None where nobody has looked yet.

    Parameters
    ----------
    most
        Partitions.
    until
        Key: later ones have not happened yet.
    """
    found = states(ws, portfolio, until=until)[-most:]
    if not found:
        return None
    seen = {state.key: checks_of(ws, portfolio, state.key) for state in found}
    measured = _trails(found, seen, estimated=False)
    newest = found[-1]
    facts = ws.store.require(CHECKS, portfolio.name, newest.key).facts
    return History(
        states=tuple(found),
        checks=tuple(seen[newest.key]),
        measured=_of_all(measured),
        estimated=_of_all(_trails(found, seen, estimated=True)),
        trails=measured,
        distributions=tuple(_distributions(ws, portfolio, newest, seen[newest.key])),
        window=tuple(facts["window"]),
        cohorts=tuple(facts["cohorts"]),
        young=tuple(facts["estimated"]),
    )


def _trails(
    found: Sequence[State], seen: dict[str, list[Check]], *, estimated: bool
) -> dict[tuple[str, str], tuple[Point, ...]]:
    trails: dict[tuple[str, str], list[Point]] = {}
    for state in found:
        for check in seen[state.key]:
            if check.estimated == estimated:
                trails.setdefault((check.family, check.column), []).append(Point(state.key, state.version, check))
    return {name: tuple(points) for name, points in trails.items()}


def _of_all(trails: dict[tuple[str, str], tuple[Point, ...]]) -> dict[str, tuple[Point, ...]]:
    """Numbers that are about no single column, where there are any."""
    known = {
        family: tuple(point for point in points if point.check.value is not None)
        for (family, column), points in trails.items()
        if not column
    }
    return {family: points for family, points in known.items() if points}


def _distributions(ws: Workspace, portfolio: Portfolio, state: State, checks: Sequence[Check]) -> list[Distribution]:
    desk = Desk(ws, portfolio)
    manifest = ws.store.require(CHECKS, portfolio.name, state.key)
    # A page only reads: it makes no reference.
    reference = stored_reference(ws, portfolio, state.version, manifest.facts["model_sha256"])
    if reference is None:
        return []
    used = {(i.dataset, i.key) for i in manifest.inputs}
    ends = {MEASURES: manifest.facts["window"], OUTCOMES: manifest.facts["cohorts"]}
    panels: dict[str, Panel] = {FEATURES: reference.features, SCORES: reference.score, FRAUDS: reference.frauds}
    by_name = {(c.family, c.column): c for c in checks}
    found: list[Distribution] = []
    for family, (dataset, kind) in _KINDS.items():
        keys = [k for d, k in sorted(used) if d == dataset and ends[dataset] and k >= ends[dataset][0]]
        items = [desk.read(m) for m in desk.of_model(dataset, keys, reference.model_sha256)]
        panel = panels[family]
        if not items or not panel.bins:
            continue
        now, then = shares(added_up(items, panel, kind), panel.valid), shares(panel.counts.sum(axis=1), panel.valid)
        for place, bins in enumerate(panel.bins):
            check = by_name.get((family, bins.name))
            if check is not None:
                pairs = zip(bins.labels(), then[place].tolist(), now[place].tolist(), strict=False)
                found.append(Distribution(check, tuple(pairs)))
    return sorted(found, key=_loudest_first)


def _loudest_first(found: Distribution) -> tuple[int, float]:
    place = ("act", "watch", "ok", None).index(found.check.level if found.check.level != "unknown" else None)
    return place, -(found.check.value if found.check.value is not None else -np.inf)
