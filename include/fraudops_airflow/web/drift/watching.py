"""What the monitoring pages say of a portfolio: states over time, every check, numbers and distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from fraudops.monitoring.checks import (
    ALERTS,
    CALIBRATION,
    FAMILIES,
    MISSING_VALUES,
    NEW,
    PRECISION_AVERAGE,
    RECALL,
    Check,
    gravest,
)
from fraudops.monitoring.history import Distribution, History, Point, history
from fraudops.monitoring.looks import checks_of, states
from fraudops.monitoring.status import ORDER, State
from fraudops.monitoring.wording import sentence, sentences
from fraudops.portfolio import Portfolio

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.charts import Chart
from fraudops_airflow.web.drift.meanings import SHARES, Meaning, meaning
from fraudops_airflow.web.drift.pictures import over_time, then_and_now

SHOWN_PARTITIONS = 60
"""Partitions in the pictures over time."""
PAGE = 12
"""Checks on a page: each may bring a chart."""
PERFORMANCE = (PRECISION_AVERAGE, RECALL, "precision", CALIBRATION, ALERTS)


@dataclass(frozen=True)
class Cell:
    """Status of one partition, in a strip."""

    key: str
    status: str


@dataclass(frozen=True)
class Glance:
    """A portfolio in the list: where it stands, and what that rests on."""

    newest: State
    strip: tuple[Cell, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One family of checks: what it looks at, its status, the strip, what was found last."""

    family: str
    about: str
    status: str
    since: str
    cells: tuple[Cell, ...]
    finding: str
    checks: int
    """How many columns it looks at; 0: at all transactions at once."""


@dataclass(frozen=True)
class Item:
    """One check in the list of all: a column, or all transactions.

    Attributes
    ----------
    slug
        What its page is called.
    chart
        Then and now; None where it has no distribution.
    """

    slug: str
    family: str
    column: str
    level: str
    text: str
    cells: tuple[Cell, ...]
    bars: tuple[tuple[str, float, float], ...] = ()
    chart: Chart | None = None


@dataclass(frozen=True)
class Wanted:
    """Which checks are asked for: a part of the column's name, a family, a level, which page."""

    name: str = ""
    family: str = ""
    level: str = ""
    page: int = 1


@dataclass(frozen=True)
class Watched:
    """The page of one portfolio."""

    portfolio: Portfolio
    newest: State
    strip: tuple[Cell, ...]
    reasons: tuple[str, ...]
    rows: tuple[Row, ...]
    charts: tuple[tuple[str, str, Chart, tuple[Point, ...]], ...]
    """Of performance: name of the check's page, title, picture, the numbers in it."""
    sources: tuple[str, ...]
    items: tuple[Item, ...]
    matching: int
    every: int
    window: tuple[str, ...]
    cohorts: tuple[str, ...]
    young: tuple[str, ...]


@dataclass(frozen=True)
class CheckPage:
    """The page of one check."""

    portfolio: Portfolio
    family: str
    column: str
    about: Meaning
    level: str
    finding: str
    cells: tuple[Cell, ...]
    chart: Chart | None
    points: tuple[Point, ...]
    estimated: tuple[Point, ...]
    distribution: Item | None
    numbers: tuple[tuple[str, str], ...]
    """Further numbers of the newest look, in words."""
    shares: bool
    """Whether values are shares."""


def glance(archive: Archive, portfolio: Portfolio) -> Glance | None:
    """Where a portfolio stands; None where nobody has looked yet."""
    found = states(archive.workspace, portfolio)
    if not found:
        return None
    newest = found[-1]
    reasons: list[str] = []
    if newest.reasons:
        reasons = sentences(checks_of(archive.workspace, portfolio, newest.key), newest.reasons)
    return Glance(newest, tuple(Cell(s.key, s.status) for s in found[-SHOWN_PARTITIONS:]), tuple(reasons))


def watched(archive: Archive, portfolio: Portfolio, wanted: Wanted) -> Watched | None:
    """Everything of one portfolio; None where nobody has looked yet."""
    found = history(archive.workspace, portfolio, most=SHOWN_PARTITIONS)
    if found is None:
        return None
    matching = [check for check in _loudest_first(found.checks) if _fits(check, wanted)]
    shown = matching[PAGE * (wanted.page - 1) : PAGE * wanted.page]
    drawn = {(d.check.family, d.check.column): d for d in found.distributions}
    return Watched(
        portfolio=portfolio,
        newest=found.newest,
        strip=tuple(Cell(state.key, state.status) for state in found.states),
        reasons=tuple(sentences(found.checks, found.newest.reasons)),
        rows=tuple(_row(found, family, about) for family, about in FAMILIES.items()),
        charts=tuple(_performance(portfolio, found)),
        sources=tuple(
            sentence(c) for c in found.checks if c.family in (MISSING_VALUES, NEW) and c.level in ("watch", "act")
        ),
        items=tuple(_item(found, check, drawn, f"shape-{number}") for number, check in enumerate(shown)),
        matching=len(matching),
        every=sum(1 for check in found.checks if check.column),
        window=found.window,
        cohorts=found.cohorts,
        young=found.young,
    )


def check_page(archive: Archive, portfolio: Portfolio, slug: str) -> CheckPage | None:
    """One check over time; None where there is none of this name."""
    found = history(archive.workspace, portfolio, most=SHOWN_PARTITIONS)
    names: Mapping[str, tuple[str, str]] = {}
    if found is not None:
        names = {slug_of(*name): name for name in chain(found.trails, ((family, "") for family in found.estimated))}
    if found is None or slug not in names:
        return None
    family, column = names[slug]
    points = found.trails.get((family, column), ())
    estimated = () if column else found.estimated.get(family, ())
    newest = next((c for c in found.checks if (c.family, c.column) == (family, column) and not c.estimated), None)
    drawn = {(d.check.family, d.check.column): d for d in found.distributions}
    finding = sentence(newest) if newest is not None and newest.value is not None else "nothing was found last"
    title = f"{meaning(family).title or family.capitalize()}{f' of {column}' if column else ''} over time: {finding}"
    return CheckPage(
        portfolio=portfolio,
        family=family,
        column=column,
        about=meaning(family),
        level=(newest.level or "unknown") if newest is not None else "unknown",
        finding=finding,
        cells=_cells(found, points),
        chart=over_time("trail", portfolio.monitoring, family, points, estimated, label=title),
        points=points,
        estimated=estimated,
        distribution=_item(found, newest, drawn, "shape") if newest is not None else None,
        numbers=tuple(_numbers(newest)) if newest is not None else (),
        shares=family in SHARES,
    )


def slug_of(family: str, column: str = "") -> str:
    """What a check's page is called: ``features:amount``, ``average-precision``."""
    return family.replace(" ", "-") + (f":{column}" if column else "")


# -- inside ---------------------------------------------------------------------------------------------


def _fits(check: Check, wanted: Wanted) -> bool:
    return (
        bool(check.column)
        and wanted.name.lower() in check.column.lower()
        and wanted.family in ("", check.family)
        and wanted.level in ("", check.level or "unknown")
    )


def _loudest_first(checks: Sequence[Check]) -> list[Check]:
    """The gravest level, then what has a distribution to look at, then what chance explains least."""

    def place(check: Check) -> tuple[int, bool, float, float]:
        is_count = check.family in (MISSING_VALUES, NEW)
        return -ORDER.index(check.level or "unknown"), is_count, check.chance or 0.0, -(check.value or 0.0)

    return sorted(checks, key=place)


def _row(found: History, family: str, about: str) -> Row:
    cells = tuple(Cell(s.key, s.families[family][0] if family in s.families else "unknown") for s in found.states)
    status, since = found.newest.families.get(family, ("unknown", found.newest.key))
    loudest = gravest(found.checks, family)
    finding = sentence(loudest) if loudest else "not judged yet: too little has been seen"
    columns = sum(1 for check in found.checks if check.family == family and check.column)
    return Row(family, about, status, since, cells, finding, columns)


def _cells(found: History, points: Sequence[Point]) -> tuple[Cell, ...]:
    by_key = {point.key: point.check.level or "unknown" for point in points}
    return tuple(Cell(state.key, by_key.get(state.key, "unknown")) for state in found.states)


def _performance(portfolio: Portfolio, found: History) -> list[tuple[str, str, Chart, tuple[Point, ...]]]:
    charts = []
    for number, family in enumerate(PERFORMANCE):
        points, estimated = found.measured.get(family, ()), found.estimated.get(family, ())
        title = meaning(family).title or f"{family.capitalize()} within the alert budget"
        label = f"{title} over time, measured on matured days, and estimated for those that follow"
        chart = over_time(f"line-{number}", portfolio.monitoring, family, points, estimated, label=label)
        if chart is not None:
            charts.append((slug_of(family), title, chart, (*points, *estimated)))
    return charts


def _item(found: History, check: Check, drawn: Mapping[tuple[str, str], Distribution], place: str) -> Item:
    name = (check.family, check.column)
    distribution, chart = drawn.get(name), None
    if distribution is not None:
        span = found.cohorts if check.family == "frauds" else found.window
        now = f"{span[0]} to {span[-1]}" if span else "now"
        label = f"Distribution of {check.column}, {check.family}: in the reference, and now"
        chart = then_and_now(place, distribution, f"reference of {found.newest.version}", now, label=label)
    return Item(
        slug=slug_of(*name),
        family=check.family,
        column=check.column,
        level=check.level or "unknown",
        text=sentence(check) if check.value is not None else check.note,
        cells=_cells(found, found.trails.get(name, ())),
        bars=distribution.bars if distribution is not None else (),
        chart=chart,
    )


def _numbers(check: Check) -> list[tuple[str, str]]:
    found = [("Rests on", f"{check.n:,} {'frauds' if check.family == 'frauds' else 'transactions'}")]
    found += [
        (name, shown.format(value))
        for name, shown, value in (
            ("By chance as large", "{:.1%} of looks", check.chance),
            ("Transactions in other bins now", "{:.1%}", check.moved),
            ("Jensen–Shannon distance", "{:.3f}", check.shannon),
            ("Wasserstein distance on bins", "{:.3f}", check.earth),
        )
        if value is not None
    ]
    return found + ([("Note", check.note)] if check.note else [])
