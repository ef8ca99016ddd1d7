"""A case beside what is normal for its subject: a small picture of amounts, and a comparison in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fraudops.cases import CaseView
from fraudops.cases.surroundings import Normal
from fraudops.portfolio import Portfolio, Role
from fraudops.portfolio.iso import money_text

_MARGIN = 6.0
"""Percent of the picture above the highest and below the lowest amount."""
_VALUES = 3


@dataclass(frozen=True)
class Dot:
    """An amount; positions are percentages from the left and from the top."""

    x: float
    y: float
    is_case: bool
    title: str


@dataclass(frozen=True)
class Tick:
    """A line across the picture, with its amount."""

    y: float
    label: str


@dataclass(frozen=True)
class Picture:
    """Amounts over time, on a scale of powers of ten.

    Attributes
    ----------
    case_from
        Where the case's own transactions begin, in percent from the left.
    label
        What is to be seen, in a sentence.
    """

    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    median: float | None
    case_from: float
    first: str
    last: str
    label: str


@dataclass(frozen=True)
class Comparison:
    """What is usual, and what it is in this case."""

    name: str
    usual: str
    here: str
    is_unusual: bool


def picture(portfolio: Portfolio, view: CaseView) -> Picture | None:
    """The case's amounts among the usual ones; None where there are none to compare."""
    normal = view.normal
    if normal is None or not normal.amounts:
        return None
    own = [(row["event_time"], row["amount_minor"]) for row in _counted(portfolio, view.transactions, normal)]
    if not own:
        return None
    digits = portfolio.minor_digits
    everything = [*normal.amounts, *own]
    start, end = min(at for at, _ in everything), max(at for at, _ in everything)
    heights = [_height(minor, digits) for _, minor in everything]
    scale = _Scale(start, (end - start).total_seconds() or 1.0, min(heights), max(heights))

    def dot(at: datetime, minor: int, is_case: bool) -> Dot:
        title = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {money_text(minor, digits, normal.currency)}"
        return Dot(scale.x(at), scale.y(_height(minor, digits)), is_case, title)

    median = normal.median_minor
    largest = max(minor for _, minor in own)
    return Picture(
        dots=(*(dot(at, minor, False) for at, minor in normal.amounts), *(dot(at, minor, True) for at, minor in own)),
        ticks=tuple(_ticks(scale, digits)),
        median=None if median is None else scale.y(_height(median, digits)),
        case_from=scale.x(min(at for at, _ in own)),
        first=f"{start:%Y-%m-%d}",
        last=f"{end:%Y-%m-%d}",
        label=(
            f"{len(own)} amount{'' if len(own) == 1 else 's'} of this case, the largest "
            f"{money_text(largest, digits, normal.currency)}, after {len(normal.amounts)} usual ones"
            + ("" if median is None else f" with a median of {money_text(median, digits, normal.currency)}")
        ),
    )


def comparisons(portfolio: Portfolio, view: CaseView) -> list[Comparison]:
    """What is usual beside what it is in the case; empty where nothing is known to be usual."""
    normal = view.normal
    if normal is None:
        return []
    return [
        *_amounts(portfolio, view, normal),
        *_hours(portfolio, view, normal),
        *_values(view, normal),
    ]


# -- inside -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scale:
    start: datetime
    seconds: float
    low: float
    high: float

    def x(self, at: datetime) -> float:
        return round(2 + 96 * (at - self.start).total_seconds() / self.seconds, 2)

    def y(self, height: float) -> float:
        span = (self.high - self.low) or 1.0
        return round(100 - _MARGIN - (100 - 2 * _MARGIN) * (height - self.low) / span, 2)


def _height(minor: int, digits: int) -> float:
    """Powers of ten; refunds go down from nothing as payments go up."""
    major = minor / 10**digits
    return math.copysign(math.log10(1 + abs(major)), major)


def _ticks(scale: _Scale, digits: int) -> Iterator[Tick]:
    powers = [0, *(sign * 10**power for power in range(9) for sign in (1, -1))]
    inside = [one for one in sorted(powers) if scale.low <= _height(one * 10**digits, digits) <= scale.high]
    for one in inside:
        yield Tick(scale.y(_height(one * 10**digits, digits)), f"{one:,}")


def _counted(portfolio: Portfolio, rows: Sequence[Mapping[str, Any]], normal: Normal) -> list[Mapping[str, Any]]:
    """Rows with an amount in the currency that is usual."""
    column = portfolio.stored_name(portfolio.currency) if portfolio.currency in portfolio.columns else None
    return [
        row
        for row in rows
        if row.get("amount_minor") is not None and (column is None or str(row.get(column)) == normal.currency)
    ]


def _amounts(portfolio: Portfolio, view: CaseView, normal: Normal) -> Iterator[Comparison]:
    if normal.median_minor is None or normal.largest_minor is None:
        return

    def money(minor: int) -> str:
        return money_text(minor, portfolio.minor_digits, normal.currency)

    own = [row["amount_minor"] for row in _counted(portfolio, view.transactions, normal)]
    here = "none in this currency"
    if own:
        here = money(own[0]) if len(own) == 1 else f"{money(min(own))} to {money(max(own))}"
    usual = f"median {money(normal.median_minor)}, largest {money(normal.largest_minor)}"
    yield Comparison("amount", usual, here, bool(own) and max(own) > normal.largest_minor)


def _hours(portfolio: Portfolio, view: CaseView, normal: Normal) -> Iterator[Comparison]:
    own = sorted({row["event_time"].astimezone(portfolio.zone).hour for row in view.transactions})
    if not own or not normal.hours:
        return
    usual = {hour for hour, _ in normal.hours}
    # An hour sooner or later is no news, and the list has the most frequent ones alone.
    near = {(hour + shift) % 24 for hour in usual for shift in (-1, 0, 1)}
    yield Comparison(
        f"hour ({normal.timezone})",
        "mostly " + ", ".join(f"{hour}:00" for hour in sorted(usual)),
        ", ".join(f"{hour}:00" for hour in own),
        not near.issuperset(own),
    )


def _values(view: CaseView, normal: Normal) -> Iterator[Comparison]:
    for name, values in normal.usual.items():
        own = sorted({str(row[name]) if row[name] is not None else "" for row in view.transactions if name in row})
        if not own or not values:
            continue
        known = {value for value, _ in values}
        yield Comparison(
            name.replace("_", " "),
            ", ".join(f"{value or 'none'} ({times})" for value, times in values[:_VALUES])
            + (" …" if len(values) > _VALUES else ""),
            ", ".join(value or "none" for value in own),
            not known.issuperset(own),
        )


def columns_of(portfolio: Portfolio, view: CaseView, most: int = 6) -> list[str]:
    """Columns of the case's transactions that say something, those that are categories first."""
    rows = view.transactions
    hidden = {"event_time", "amount", "amount_minor", "transaction_id", portfolio.entities.get(view.case.subject_kind)}
    categories = {portfolio.stored_name(name) for name in portfolio.named(Role.CATEGORY)}
    known = dict.fromkeys(name for row in rows for name in row)
    told = [name for name in known if name not in hidden and any(row.get(name) is not None for row in rows)]
    return sorted(told, key=lambda name: name not in categories)[:most]
