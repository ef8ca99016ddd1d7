"""Cash over several business days that never reaches the reporting threshold and together exceeds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fraudops.rules.episodes import horizon_of, named
from fraudops.rules.history import CASH_IN, CASH_OUT
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY
from fraudops.rules.numbers import Numbers
from fraudops.rules.persons import PersonDays
from fraudops.rules.rows import Ints, digests_of

NEEDS = Needs(transactions=False, cash=("window_days", 3), history="usual_days", customers=True)


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Persons with cash in the partition: the windows that end on their business days."""
    found = inputs.cash_by_person
    patterns = []
    for groups in _sides(found, numbers.minor("threshold")):
        pattern = _Pattern(inputs, numbers, found, groups, _is_business(inputs, found, groups))
        # Most are told apart by the windows that end in the partition; only then is looked at what was before.
        if pattern.ends(usual=0):
            patterns.append(pattern)
    for pattern, usual in zip(patterns, _usual(inputs, numbers, found, patterns), strict=True):
        hit = pattern.hit(int(usual))
        if hit is not None:
            yield hit


def _sides(found: PersonDays, threshold: int) -> Iterator[Ints]:
    """Groups of each person and direction, by day, where enough was moved in all and some of it in the partition."""
    if not len(found.person):
        return
    sides = found.person * 2 + found.incoming
    # Groups are sorted by person, day and direction: a stable sort brings each side of a person together.
    order = np.argsort(sides, kind="stable")
    starts = np.flatnonzero(np.diff(sides[order], prepend=-1))
    total = np.add.reduceat(found.total[order], starts)
    current = np.logical_or.reduceat(found.current[order], starts)
    bounds = np.append(starts, len(order))
    for side in np.flatnonzero(current & (total > threshold)).tolist():
        yield order[bounds[side] : bounds[side + 1]]


@dataclass(frozen=True)
class _Window:
    """What a person did in the window that ends on one of their days."""

    groups: Ints
    rows: Ints
    total: int
    indicators: tuple[str, ...]


@dataclass(frozen=True)
class _Pattern:
    """What one person did in one direction; ``groups`` are the person's days, in the order of time."""

    inputs: Inputs
    numbers: Numbers
    found: PersonDays
    groups: Ints
    business: bool

    def ends(self, usual: int) -> list[int]:
        """Places of the partition's days on which a window ends that is a pattern, and has something new in it."""
        places = np.flatnonzero(self.found.current[self.groups]).tolist()
        return [p for p in places if (w := self.window(p, usual)) is not None and self.found.current[w.groups].any()]

    def hit(self, usual: int) -> Hit | None:
        """The newest episode, if it reaches into the partition."""
        ends = self.ends(usual)
        if not ends:
            return None
        length, days, last = self.numbers.whole("window_days"), self.found.day[self.groups], ends[-1]
        horizon = horizon_of(self.inputs, length * DAY, 3 * length * DAY)
        began = last
        for place in range(last - 1, -1, -1):
            if days[began] - days[place] >= length or days[place] * DAY < horizon:
                break
            if self.window(place, usual) is not None:
                began = place
        newest = self.window(last, usual)
        one = named(self.inputs, int(days[began]) * DAY, horizon, length * DAY)
        if newest is None:
            return None
        return _hit(self.inputs, self.numbers, self.found, int(self.groups[last]), newest, one, usual)

    def window(self, place: int, usual: int) -> _Window | None:
        """The window that ends on a day; None where it is no pattern: too little, too few, or as much as ever."""
        found, cash, days = self.found, self.inputs.cash, self.found.day[self.groups]
        on = self.numbers.on(found.on(int(self.groups[place])))
        threshold = on.minor("threshold")
        groups = self.groups[(days > days[place] - on.whole("window_days")) & (days <= days[place])]
        # A day over the threshold is reported as such, and is not part of avoiding that.
        groups = groups[found.total[groups] <= threshold]
        total = int(found.total[groups].sum())
        if total <= threshold or total < on.exact("factor") * usual:
            return None
        rows = np.concatenate([found.rows_of(group) for group in groups.tolist()])
        if len(rows) < on.whole("least_transactions"):
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
        # Never one alone, whatever the numbers say: closeness to the threshold by itself is not suspicious.
        least = max(2, on.whole("least_indicators_business" if self.business else "least_indicators"))
        return _Window(groups, np.sort(rows), total, indicators) if len(indicators) >= least else None


def _is_business(inputs: Inputs, found: PersonDays, groups: Ints) -> bool:
    return found.name(int(groups[0])) in inputs.businesses


def _usual(inputs: Inputs, numbers: Numbers, found: PersonDays, patterns: Sequence[_Pattern]) -> Ints:
    """Cash of as long a time before these windows, on average; 0 where there is no record."""
    length = numbers.whole("window_days")
    record = inputs.record_before(length * DAY, numbers.whole("usual_days") * DAY)
    if not record.known or not patterns:
        return np.zeros(len(patterns), dtype=np.int64)
    first = [int(pattern.groups[0]) for pattern in patterns]
    facets = np.where(found.incoming[first], CASH_IN, CASH_OUT)
    persons = digests_of([found.name(group) for group in first])
    past = inputs.history.totals(persons, facets, record.since, record.until, only=("minor",))
    return past.minor * length // (record.known // DAY)


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
    return len(set(codes.tolist()) - {-1})
