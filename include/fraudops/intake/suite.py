"""What a partition of transactions must look like: from the portfolio, and from the partitions before it.

Each check is a Great Expectations expectation with two sentences for people: what is expected, and (once the
result is there) what was observed. Only counts and bounds are told, never a row's values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from fraudops.errors import ConfigurationError
from fraudops.intake.feeds import Feed
from fraudops.portfolio import Portfolio, Role

QUARANTINED = "quarantined share"
"""Column that the checked table gets beside those of the partition: the same number in every row."""

_ENOUGH = 5
_ROBUST = 1.4826
_TIGHTEST = 0.5
_MISSING_POINTS = 0.05
_KNOWN_CATEGORIES = 0.8
_STANDARD_ERRORS = 4
_TYPES = {"string": "str", "double": "float64", "int64": "int64", "bool": "bool", "timestamp[us, tz=UTC]": "datetime64"}
_NAMES = {
    "string": "text",
    "double": "numbers",
    "int64": "whole numbers",
    "bool": "true or false",
    "timestamp[us, tz=UTC]": "moments in UTC",
}

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One thing that must hold."""

    expectation: str
    """Great Expectations' name of it."""
    arguments: Mapping[str, Any]
    column: str | None
    """None: the partition as a whole."""
    expected: str
    observed: Callable[[Result], str]
    on_empty: bool = False
    """Whether it means anything for a partition without rows."""


@dataclass(frozen=True)
class Learned:
    """Facts of earlier partitions, in the order of time."""

    keys: tuple[str, ...]
    facts: tuple[Mapping[str, Any], ...]

    @property
    def enough(self) -> bool:
        """Whether there are enough of them to learn from."""
        return len(self.facts) >= _ENOUGH


def checks_of(portfolio: Portfolio, feed: Feed, key: str, learned: Learned, table: pa.Table) -> list[Check]:
    """Every check of a partition's rows, in the order in which people read them."""
    found = [_columns(feed), _rows(portfolio), _quarantined(portfolio)]
    found += [_type(field) for field in feed.stored]
    found += [_not_null(name) for name in _required(feed)]
    found += [_unique(), *_period(portfolio, key), *_bounds(feed)]
    found += [
        _missing(_stored(portfolio, feed, name), share, "")
        for name, share in portfolio.validation.maximum_missing.items()
    ]
    if learned.enough:
        found += _learned(portfolio, feed, learned, table)
    return found


# -- from the portfolio ------------------------------------------------------------------------------------


def _columns(feed: Feed) -> Check:
    names = feed.stored.names
    return Check(
        "ExpectTableColumnsToMatchOrderedList",
        {"column_list": [*names, QUARANTINED]},
        None,
        f"the {len(names)} columns of the portfolio, in their order",
        lambda result: f"{len(result['observed_value']) - 1} columns",
        on_empty=True,
    )


def _rows(portfolio: Portfolio) -> Check:
    least = portfolio.validation.minimum_rows
    return Check(
        "ExpectTableRowCountToBeBetween",
        {"min_value": least},
        None,
        f"at least {_rows_text(least)}",
        lambda result: _rows_text(result["observed_value"]),
        on_empty=True,
    )


def _quarantined(portfolio: Portfolio) -> Check:
    most = portfolio.validation.quarantined
    return Check(
        "ExpectColumnMaxToBeBetween",
        {"column": QUARANTINED, "max_value": most},
        None,
        f"at most {_percent(most)} of the rows in quarantine",
        lambda result: f"{_percent(result['observed_value'])} in quarantine",
    )


def _type(field: pa.Field) -> Check:
    kind = str(field.type)
    return Check(
        "ExpectColumnValuesToBeOfType",
        {"column": field.name, "type_": _TYPES[kind]},
        field.name,
        _NAMES[kind],
        lambda result: _NAMES[kind] if result["observed_value"] == _TYPES[kind] else f"{result['observed_value']}s",
        on_empty=True,
    )


def _required(feed: Feed) -> list[str]:
    always = [name for name in feed.stored.names if name in ("transaction_id", "event_time", "amount", "amount_minor")]
    return always + [
        feed.stored_name(name)
        for name, column in feed.columns.items()
        if column.required and column.role not in (Role.ID, Role.TIME, Role.AMOUNT, Role.PERSONAL)
    ]


def _not_null(name: str) -> Check:
    return Check("ExpectColumnValuesToNotBeNull", {"column": name}, name, "a value in every row", _count("without one"))


def _unique() -> Check:
    name = "transaction_id"
    return Check(
        "ExpectColumnValuesToBeUnique", {"column": name}, name, "no id twice", _count("with an id that repeats")
    )


def _period(portfolio: Portfolio, key: str) -> list[Check]:
    start, end = portfolio.partitioning.start(key), portfolio.partitioning.end(key)
    # Great Expectations compares moments without a zone; the table it gets has UTC ones.
    bounds = {
        "min_value": start.replace(tzinfo=None),
        "max_value": end.replace(tzinfo=None) - timedelta(microseconds=1),
    }
    expected = f"from {start:%Y-%m-%d %H:%M} to before {end:%Y-%m-%d %H:%M} UTC"
    return [
        Check(
            "ExpectColumnValuesToBeBetween",
            {"column": "event_time", **bounds},
            "event_time",
            expected,
            _count("outside"),
        )
    ]


def _bounds(feed: Feed) -> list[Check]:
    found = []
    for name, column in feed.columns.items():
        if column.role not in (Role.AMOUNT, Role.NUMBER) or (column.minimum is None and column.maximum is None):
            continue
        least = None if column.minimum is None else f"at least {column.minimum:g}"
        most = None if column.maximum is None else f"at most {column.maximum:g}"
        stored = feed.stored_name(name)
        found.append(
            Check(
                "ExpectColumnValuesToBeBetween",
                {"column": stored, "min_value": column.minimum, "max_value": column.maximum},
                stored,
                " and ".join(text for text in (least, most) if text),
                _count("outside"),
            )
        )
    return found


def _stored(portfolio: Portfolio, feed: Feed, name: str) -> str:
    stored = feed.stored_name(name) if name in feed.columns else name
    if stored not in feed.stored.names:
        raise ConfigurationError(
            f"there is no column {name!r} whose missing values could be counted",
            where=f"{portfolio.name}: validation.maximum_missing",
            remedy=f"name one of {', '.join(feed.stored.names)}",
        )
    return stored


def _missing(name: str, share: float, origin: str) -> Check:
    return Check(
        "ExpectColumnValuesToNotBeNull",
        {"column": name, "mostly": round(1 - share, 6)},
        name,
        f"at most {_percent(share)} missing{origin}",
        lambda result: f"{_percent((result.get('unexpected_percent') or 0) / 100)} missing",
    )


# -- from earlier partitions -------------------------------------------------------------------------------


def _learned(portfolio: Portfolio, feed: Feed, learned: Learned, table: pa.Table) -> list[Check]:
    origin = f", as in {len(learned.facts)} earlier partitions"
    tolerance = portfolio.validation.tolerance
    found = []
    low, high = usual_range([facts["rows"] for facts in learned.facts], tolerance)
    least, most = max(0, int(low)), int(np.ceil(high))
    found.append(
        Check(
            "ExpectTableRowCountToBeBetween",
            {"min_value": least, "max_value": most},
            None,
            f"{least:,} to {most:,} rows{origin}",
            lambda result: _rows_text(result["observed_value"]),
            on_empty=True,
        )
    )
    means = [facts["mean_amount"] for facts in learned.facts if "mean_amount" in facts]
    if len(means) >= _ENOUGH and np.median(means) != 0:
        low, high = usual_range(means, tolerance)
        # One large payment moves a mean and is no error: what chance alone explains is allowed on top.
        chance = _STANDARD_ERRORS * _standard_error(table["amount"])
        least_amount = portfolio.columns[feed.of_role(Role.AMOUNT)[0]].minimum
        low, high = max(low - chance, -math.inf if least_amount is None else least_amount), high + chance
        found.append(
            Check(
                "ExpectColumnMeanToBeBetween",
                {"column": "amount", "min_value": low, "max_value": high},
                "amount",
                f"a mean of {low:,.2f} to {high:,.2f}{origin}",
                lambda result: f"a mean of {result['observed_value']:,.2f}",
            )
        )
    required = set(_required(feed))
    for name in feed.stored.names:
        shares = [facts["missing"][name] for facts in learned.facts if name in facts["missing"]]
        if name in required or len(shares) < _ENOUGH:
            continue
        _, high = usual_range(shares, tolerance)
        highest = min(1.0, max(high, float(np.median(shares)) + _MISSING_POINTS))
        if highest < 1:
            found.append(_missing(name, highest, origin))
    for name in feed.of_role(Role.CATEGORY):
        sets = [facts["categories"][name] for facts in learned.facts if name in facts["categories"]]
        if len(sets) == len(learned.facts) and any(sets):
            found.append(_known_categories(name, sorted({value for values in sets for value in values}), origin))
    return found


def _known_categories(name: str, values: list[str], origin: str) -> Check:
    return Check(
        "ExpectColumnValuesToBeInSet",
        {"column": name, "value_set": values, "mostly": _KNOWN_CATEGORIES},
        name,
        f"at least {_percent(_KNOWN_CATEGORIES)} of the values among the {len(values)} known ones{origin}",
        lambda result: f"{_percent((result.get('unexpected_percent') or 0) / 100)} are others",
    )


def _standard_error(values: pa.ChunkedArray) -> float:
    """Of the mean; amounts have few but huge values, so it is large where one of them is among the rows."""
    return float(np.std(values.to_numpy())) / math.sqrt(len(values)) if len(values) else 0.0


def usual_range(values: Sequence[float], tolerance: float) -> tuple[float, float]:
    """Median ± ``tolerance`` robust standard deviations, and never tighter than ± 50 % of the median.

    Examples
    --------
    >>> usual_range([100, 100, 100, 100, 100], 6)
    (50.0, 150.0)
    """
    median = float(np.median(values))
    deviation = _ROBUST * float(np.median(np.abs(np.asarray(values, float) - median)))
    width = max(tolerance * deviation, _TIGHTEST * abs(median))
    return median - width, median + width


# -- words -------------------------------------------------------------------------------------------------


def _count(what: str) -> Callable[[Result], str]:
    return lambda result: f"{_rows_text(result.get('unexpected_count') or 0)} {what}"


def _rows_text(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
