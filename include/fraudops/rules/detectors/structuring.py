"""Cash over several business days that never reaches the reporting threshold and together exceeds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from fraudops.rules.episodes import horizon_of, named
from fraudops.rules.history import CASH_IN, CASH_OUT
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY
from fraudops.rules.numbers import Numbers
from fraudops.rules.persons import PersonDays, by_person
from fraudops.rules.rows import Ints, digests_of

NEEDS = Needs(transactions=False, cash=("window_days", 3), history="usual_days", customers=True)


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Persons with cash in the partition: the windows that end on their business days."""
    days = inputs.calendar.business_days(inputs.cash.times)
    found = by_person(inputs.cash, days)
    if not len(found.person):
        return
    sides = found.person * 2 + found.incoming
    # Groups are sorted by person, day and direction: a stable sort brings each side of a person together.
    order = np.argsort(sides, kind="stable")
    sides = sides[order]
    starts = np.flatnonzero(np.diff(sides, prepend=-1))
    total = np.add.reduceat(found.total[order], starts)
    current = np.logical_or.reduceat(found.current[order], starts)
    bounds = np.append(starts, len(order))
    possible = current & (total > numbers.minor("threshold"))
    for side in np.flatnonzero(possible).tolist():
        hit = _pattern(inputs, numbers, found, order[bounds[side] : bounds[side + 1]])
        if hit is not None:
            yield hit


@dataclass(frozen=True)
class _Window:
    """What a person did in the window that ends on one of their days."""

    groups: Ints
    rows: Ints
    total: int
    indicators: tuple[str, ...]


def _pattern(inputs: Inputs, numbers: Numbers, found: PersonDays, groups: Ints) -> Hit | None:
    """The newest episode of one person in one direction, if it reaches into the partition."""
    length = numbers.whole("window_days")
    days = found.day[groups]

    def window(place: int, usual: int) -> _Window | None:
        within = groups[(days > days[place] - length) & (days <= days[place])]
        return _window(inputs, numbers, found, within, usual)

    def is_new(place: int, usual: int) -> bool:
        seen = window(place, usual)
        return seen is not None and bool(found.current[seen.groups].any())

    # Most are told apart by the windows that end in the partition; only then is looked at what was before.
    ends = [place for place in np.flatnonzero(found.current[groups]).tolist() if is_new(place, 0)]
    if not ends:
        return None
    usual = _usual(inputs, numbers, found, int(groups[0]))
    last = next((place for place in reversed(ends) if is_new(place, usual)), None)
    if last is None:
        return None
    horizon = horizon_of(inputs, length * DAY, 3 * length * DAY)
    began = last
    for place in range(last - 1, -1, -1):
        if days[began] - days[place] >= length or days[place] * DAY < horizon:
            break
        if window(place, usual) is not None:
            began = place
    newest = window(last, usual)
    one = named(inputs, int(days[began]) * DAY, horizon, length * DAY)
    return None if newest is None else _hit(inputs, numbers, found, int(groups[last]), newest, one, usual)


def _window(inputs: Inputs, numbers: Numbers, found: PersonDays, groups: Ints, usual: int) -> _Window | None:
    """None where it is no pattern: too little, too few, or as much as ever."""
    cash, on = inputs.cash, numbers.on(found.on(int(groups[-1])))
    threshold = on.minor("threshold")
    # A day over the threshold is reported as such, and is not part of avoiding that.
    groups = groups[found.total[groups] <= threshold]
    total = int(found.total[groups].sum())
    rows = np.concatenate([found.rows_of(group) for group in groups.tolist()] or [np.zeros(0, dtype=np.int64)])
    if total <= threshold or len(rows) < on.whole("least_transactions") or total < on.exact("factor") * usual:
        return None
    share = on.exact("near_share")
    near = cash.base[rows] * share.denominator >= threshold * share.numerator
    seen = {
        "several days": len(groups) >= on.whole("least_days"),
        "several branches": _different(cash.branch.codes[rows]) >= on.whole("least_branches"),
        "several accounts": _different(cash.account.codes[rows]) >= on.whole("least_accounts"),
        "several persons": _different(cash.customer.codes[rows]) >= on.whole("least_persons"),
        "mostly just below the threshold": 2 * int(near.sum()) > len(rows),
    }
    indicators = tuple(name for name, is_seen in seen.items() if is_seen)
    return (
        _Window(groups, np.sort(rows), total, indicators)
        if len(indicators) >= _least(inputs, on, found, groups)
        else None
    )


def _least(inputs: Inputs, numbers: Numbers, found: PersonDays, groups: Ints) -> int:
    """How many indicators it takes: never one, so that closeness to the threshold alone is none."""
    business = False
    if inputs.customers is not None:
        place = pc.index(inputs.customers["customer_id"], found.name(int(groups[0]))).as_py()
        business = place >= 0 and inputs.customers["kind"][place].as_py() == "business"
    return max(2, numbers.whole("least_indicators_business" if business else "least_indicators"))


def _usual(inputs: Inputs, numbers: Numbers, found: PersonDays, group: int) -> int:
    """Cash of as long a time before these windows, on average; 0 where there is no record."""
    length = numbers.whole("window_days") * DAY
    until, since = inputs.start_us - length, inputs.start_us - numbers.whole("usual_days") * DAY
    known = until - max(since, inputs.history.begins)
    if known < length:
        return 0
    facet = CASH_IN if found.incoming[group] else CASH_OUT
    past = inputs.history.totals(digests_of([found.name(group)]), facet, since, until)
    return int(past.minor[0]) * (length // DAY) // (known // DAY)


def _hit(inputs: Inputs, numbers: Numbers, found: PersonDays, group: int, window: _Window, one: str, usual: int) -> Hit:
    cash, incoming = inputs.cash, bool(found.incoming[group])
    threshold = numbers.on(found.on(group)).minor("threshold")
    indicators = ", ".join(window.indicators)
    return Hit(
        kind="customer",
        subject=found.name(group),
        one=("in" if incoming else "out", one),
        on=found.on(group),
        transactions=cash.names_of(window.rows),
        values={
            "direction": "in" if incoming else "out",
            "total_minor": window.total,
            "transactions": len(window.rows),
            "business_days": len(window.groups),
            "branches": _different(cash.branch.codes[window.rows]),
            "accounts": _different(cash.account.codes[window.rows]),
            "persons": _different(cash.customer.codes[window.rows]),
            "usual_minor": usual,
            "indicators": list(window.indicators),
        },
        because=(
            f"{inputs.money(window.total)} in cash {'paid in' if incoming else 'paid out'} by or for the customer in "
            f"{len(window.rows)} transactions on {len(window.groups)} business days, none of which exceeds the "
            f"reporting threshold of {inputs.money(threshold)}; usual in as long a time is {inputs.money(usual)}; "
            f"indicators: {indicators}"
        ),
    )


def _different(codes: Ints) -> int:
    return len(np.unique(codes[codes >= 0]))
