"""What a partition of transactions must look like: from the portfolio, and from the partitions before it.

A check is one number, measured once, beside the least and the most that it may be, and the two sentences that
people read. Only counts, shares and bounds are told, never a row's values. Great Expectations judges all checks
at once (:mod:`fraudops.intake.validation`), so that a partition with hundreds of columns takes hardly longer than
one with ten.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from fraudops.errors import ConfigurationError
from fraudops.intake import measures
from fraudops.intake.feeds import Feed
from fraudops.portfolio import Portfolio, Role

_ENOUGH = 5
_ROBUST = 1.4826
_TIGHTEST = 0.5
_MISSING_POINTS = 0.05
_KNOWN_CATEGORIES = 0.8
_STANDARD_ERRORS = 4
_NAMES = {
    "string": "text",
    "double": "numbers",
    "int64": "whole numbers",
    "bool": "true or false",
    "timestamp[us, tz=UTC]": "moments in UTC",
}


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes
    ----------
    column
        None: the partition as a whole.
    expected, observed
        In words.
    value, least, most
        What was measured, and its bounds; both are allowed. Not a number never holds.
    stored, prescribed
        What a column's values are stored as, and what they have to be; for checks of types.
    """

    column: str | None
    expected: str
    observed: str
    value: float = 0.0
    least: float = -math.inf
    most: float = math.inf
    stored: str = ""
    prescribed: str = ""


@dataclass(frozen=True)
class Learned:
    """Facts of earlier partitions, in the order of time."""

    keys: tuple[str, ...]
    facts: tuple[Mapping[str, Any], ...]

    @property
    def enough(self) -> bool:
        """Whether there are enough of them to learn from."""
        return len(self.facts) >= _ENOUGH


def checks_of(
    portfolio: Portfolio, feed: Feed, key: str, learned: Learned, table: pa.Table, quarantined: int
) -> list[Check]:
    """Every check of a partition's rows, in the order in which people read them.

    Parameters
    ----------
    table
        The partition's rows.
    quarantined
        How many more rows its files had that could not be used.

    Raises
    ------
    ConfigurationError
        The portfolio limits the missing values of a column that there is not.
    """
    # Taken once: a table makes the list of its names anew each time it is asked.
    there = frozenset(table.column_names)
    limits = {_stored(portfolio, feed, name): most for name, most in portfolio.validation.maximum_missing.items()}
    found = [_columns(feed, table), _rows(portfolio, table)]
    if table.num_rows:
        found.append(_quarantined(portfolio, table, quarantined))
    found += [_type(field, table.schema.field(field.name) if field.name in there else None) for field in feed.stored]
    if table.num_rows:
        found += [_present(table, name) for name in _required(feed) if name in there]
        found += [_unique(table), _period(portfolio, key, table), *_bounds(feed, table, there)]
        found += [_missing(table, name, most, "") for name, most in limits.items() if name in there]
    if learned.enough:
        found += _learned(portfolio, feed, learned, table, there)
    return found


# -- from the portfolio ------------------------------------------------------------------------------------


def _columns(feed: Feed, table: pa.Table) -> Check:
    names = feed.stored.names
    return Check(
        None,
        f"the {len(names)} columns of the portfolio, in their order",
        f"{table.num_columns} columns" + ("" if table.column_names == names else ", others or in another order"),
        stored=", ".join(table.column_names),
        prescribed=", ".join(names),
    )


def _rows(portfolio: Portfolio, table: pa.Table) -> Check:
    least = portfolio.validation.minimum_rows
    return Check(None, f"at least {_rows_text(least)}", _rows_text(table.num_rows), table.num_rows, least=least)


def _quarantined(portfolio: Portfolio, table: pa.Table, quarantined: int) -> Check:
    most = portfolio.validation.quarantined
    share = quarantined / (quarantined + table.num_rows)
    expected = f"at most {_percent(most)} of the rows in quarantine"
    return Check(None, expected, f"{_percent(share)} in quarantine", share, most=most)


def _type(field: pa.Field, found: pa.Field | None) -> Check:
    prescribed = str(field.type)
    stored = "nothing" if found is None else str(found.type)
    return Check(
        field.name,
        _NAMES[prescribed],
        _NAMES.get(stored, stored if stored == "nothing" else f"{stored} values"),
        stored=stored,
        prescribed=prescribed,
    )


def _required(feed: Feed) -> list[str]:
    always = [name for name in feed.stored.names if name in ("transaction_id", "event_time", "amount", "amount_minor")]
    return always + [
        feed.stored_name(name)
        for name, column in feed.columns.items()
        if column.required and column.role not in (Role.ID, Role.TIME, Role.AMOUNT, Role.PERSONAL)
    ]


def _present(table: pa.Table, name: str) -> Check:
    return _none(name, "a value in every row", table[name].null_count, "without one")


def _unique(table: pa.Table) -> Check:
    repeated = measures.repeated(table["transaction_id"])
    return _none("transaction_id", "no id twice", repeated, "with an id that repeats")


def _period(portfolio: Portfolio, key: str, table: pa.Table) -> Check:
    start, end = portfolio.partitioning.start(key), portfolio.partitioning.end(key)
    expected = f"from {start:%Y-%m-%d %H:%M} to before {end:%Y-%m-%d %H:%M} UTC"
    return _none("event_time", expected, measures.outside_period(table["event_time"], start, end), "outside")


def _bounds(feed: Feed, table: pa.Table, there: frozenset[str]) -> Iterator[Check]:
    for name, column in feed.columns.items():
        if column.role not in (Role.AMOUNT, Role.NUMBER) or (column.minimum is None and column.maximum is None):
            continue
        least = None if column.minimum is None else f"at least {column.minimum:g}"
        most = None if column.maximum is None else f"at most {column.maximum:g}"
        stored = feed.stored_name(name)
        if stored in there:
            outside = measures.outside(table[stored], column.minimum, column.maximum)
            yield _none(stored, " and ".join(text for text in (least, most) if text), outside, "outside")


def _stored(portfolio: Portfolio, feed: Feed, name: str) -> str:
    stored = feed.stored_name(name) if name in feed.columns else name
    if stored not in feed.stored.names:
        raise ConfigurationError(
            f"there is no column {name!r} whose missing values could be counted",
            where=f"{portfolio.name}: validation.maximum_missing",
            remedy=f"name one of {', '.join(feed.stored.names)}",
        )
    return stored


def _missing(table: pa.Table, name: str, most: float, origin: str) -> Check:
    share = table[name].null_count / table.num_rows
    return Check(name, f"at most {_percent(most)} missing{origin}", f"{_percent(share)} missing", share, most=most)


# -- from earlier partitions -------------------------------------------------------------------------------


def _learned(
    portfolio: Portfolio, feed: Feed, learned: Learned, table: pa.Table, there: frozenset[str]
) -> Iterator[Check]:
    origin = f", as in {len(learned.facts)} earlier partitions"
    tolerance = portfolio.validation.tolerance
    low, high = usual_range([facts["rows"] for facts in learned.facts], tolerance)
    least, most = max(0, int(low)), math.ceil(high)
    expected = f"{least:,} to {most:,} rows{origin}"
    yield Check(None, expected, _rows_text(table.num_rows), table.num_rows, least=least, most=most)
    if not table.num_rows:
        return
    yield from _usual_amount(portfolio, feed, learned, table, origin)
    yield from _usual_missing(feed, learned, table, there, tolerance, origin)
    for name in feed.of_role(Role.CATEGORY):
        sets = [facts["categories"][name] for facts in learned.facts if name in facts["categories"]]
        if len(sets) == len(learned.facts) and any(sets) and name in there:
            yield _known_categories(table, name, sorted({value for values in sets for value in values}), origin)


def _usual_amount(portfolio: Portfolio, feed: Feed, learned: Learned, table: pa.Table, origin: str) -> Iterator[Check]:
    means = [facts["mean_amount"] for facts in learned.facts if "mean_amount" in facts]
    if len(means) < _ENOUGH or statistics.median(means) == 0:
        return
    low, high = usual_range(means, portfolio.validation.tolerance)
    # One large payment moves a mean and is no error: what chance alone explains is allowed on top.
    mean, error = measures.mean_and_error(table["amount"])
    least_amount = portfolio.columns[feed.of_role(Role.AMOUNT)[0]].minimum
    low = max(low - _STANDARD_ERRORS * error, -math.inf if least_amount is None else least_amount)
    high += _STANDARD_ERRORS * error
    expected = f"a mean of {low:,.2f} to {high:,.2f}{origin}"
    yield Check("amount", expected, f"a mean of {mean:,.2f}", mean, least=low, most=high)


def _usual_missing(
    feed: Feed, learned: Learned, table: pa.Table, there: frozenset[str], tolerance: float, origin: str
) -> Iterator[Check]:
    required = set(_required(feed))
    names = [name for name in feed.stored.names if name not in required and name in there]
    earlier = [facts["missing"] for facts in learned.facts]
    # Partitions from before a column was added know no share of it.
    shares = {name: [known[name] for known in earlier if name in known] for name in names}
    for name, known in shares.items():
        if len(known) < _ENOUGH:
            continue
        _, high = usual_range(known, tolerance)
        highest = min(1.0, max(high, statistics.median(known) + _MISSING_POINTS))
        if highest < 1:
            yield _missing(table, name, highest, origin)


def _known_categories(table: pa.Table, name: str, values: list[str], origin: str) -> Check:
    share = measures.others(table[name], values)
    expected = f"at least {_percent(_KNOWN_CATEGORIES)} of the values among the {len(values)} known ones{origin}"
    return Check(name, expected, f"{_percent(share)} are others", round(1 - share, 9), least=_KNOWN_CATEGORIES)


def usual_range(values: Sequence[float], tolerance: float) -> tuple[float, float]:
    """Median ± ``tolerance`` robust standard deviations, and never tighter than ± 50 % of the median.

    Examples
    --------
    >>> usual_range([100, 100, 100, 100, 100], 6)
    (50.0, 150.0)
    """
    # Of a few dozen numbers; NumPy would need ten times as long for so few.
    median = statistics.median(values)
    deviation = _ROBUST * statistics.median(abs(value - median) for value in values)
    width = max(tolerance * deviation, _TIGHTEST * abs(median))
    return median - width, median + width


# -- words -------------------------------------------------------------------------------------------------


def _none(column: str, expected: str, count: int, what: str) -> Check:
    return Check(column, expected, f"{_rows_text(count)} {what}", count, most=0)


def _rows_text(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
