"""Puts a group of columns in plain words: the value, beside what is normal.

To word a new aggregate, write a function of :class:`Told` and register it under the aggregate's name with
``@wording``; without one the values are told as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fraudops.explanation.groups import Group, Member

_TO = {"terminal": "at", "merchant": "at", "shop": "at", "atm": "at", "card": "with", "device": "with"}
"""How a payment relates to an entity; a payment is made *by* any other one."""
_SUMS = {
    "amount_sum": "add up to",
    "amount_mean": "have a mean of",
    "amount_max": "reach",
    "amount_min": "are no smaller than",
}
_SMALLEST_DEVIATION = 1e-6
"""Below this an amount is the mean, and tells nothing of how amounts vary."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONG_NUMBER = re.compile(r"\d(?:[ .-]?\d){11,}")
_LONGEST_TEXT = 40
_MISSING = "(missing)"
"""What models call a category that is missing."""


@dataclass(frozen=True)
class Value:
    """A column in one row: what it is, and what it typically is. None where missing."""

    member: Member
    value: Any
    typical: Any


@dataclass(frozen=True)
class Told:
    """What a wording may use.

    Attributes
    ----------
    values
        The group's columns.
    event_time
        When the transaction happened, UTC.
    amount
        Its amount, in units of the currency.
    digits
        Decimal digits of amounts.
    flags
        Columns that hold yes or no.
    longest
        How far back behaviour looks.
    noun
        What a transaction is called: where no amount is known it need not be a payment.
    """

    values: Sequence[Value]
    event_time: datetime
    amount: float
    digits: int
    flags: frozenset[str] = frozenset()
    longest: timedelta = timedelta(0)
    noun: str = "payment"


Wording = Callable[[Told], str]
_WORDINGS: dict[str, Wording] = {}


def wording(*kinds: str) -> Callable[[Wording], Wording]:
    """Register a wording for kinds of groups."""

    def register(function: Wording) -> Wording:
        _WORDINGS.update(dict.fromkeys(kinds, function))
        return function

    return register


def sentence(group: Group, told: Told) -> str:
    """The group in words."""
    return _WORDINGS.get(group.kind, _plain)(told)


# -- wordings -------------------------------------------------------------------------------------------------


@wording("amount")
def _amount(told: Told) -> str:
    """Against the entity's own earlier payments over its longest window: what "normal" means to an investigator."""
    amount = f"amount {_money(told.amount, told)}"
    ratios = _with(told, "amount_ratio")
    if ratios:
        return f"{amount}, {_usually(ratios, told)}"
    deviations = [v for v in _with(told, "amount_z") if v.value is not None]
    if deviations:
        return f"{amount}, {_unusual(deviations[-1])}"
    typical = next((v.typical for v in told.values if v.member.column == "amount"), None)
    return amount if typical is None else f"{amount}, typically {_money(typical, told)}"


def _usually(ratios: Sequence[Value], told: Told) -> str:
    ratios = [v for v in ratios if v.member.entities == ratios[0].member.entities]
    known = [v for v in ratios if v.value is not None and v.value > 0]
    if not known:
        return f"no earlier payment {_by(ratios[-1])} in {_span(_window(ratios[-1]))} to compare with"
    ratio = known[-1]
    mean, over, times = told.amount / ratio.value, _span(_window(ratio)), f"({number(ratio.value)} times)"
    deviation = _deviation(ratio, mean, told)
    if deviation is not None:
        return f"usually {_money(mean, told)} ± {_money(deviation, told)} {_by(ratio)} over {over} {times}"
    if len(ratio.member.entities) == 1:
        return f"{_this(ratio.member.entities[0])}'s mean over {over} is {_money(mean, told)} {times}"
    return f"the mean {_by(ratio)} over {over} is {_money(mean, told)} {times}"


def _deviation(ratio: Value, mean: float, told: Told) -> float | None:
    """What the amount differs from its mean, over how many deviations that is; None where nothing says so."""
    for value in _with(told, "amount_z"):
        same = value.member.entities == ratio.member.entities and _window(value) == _window(ratio)
        if same and value.value is not None and abs(value.value) > _SMALLEST_DEVIATION:
            return (told.amount - mean) / float(value.value)
    return None


def _unusual(value: Value) -> str:
    where = "above" if value.value >= 0 else "below"
    times = f"{number(round(abs(value.value), 1))} deviations"
    return f"{times} {where} the mean {_by(value)} over {_span(_window(value))}"


@wording("frauds")
def _frauds(told: Told) -> str:
    counts = _with(told, "fraud_count")
    rates = _with(told, "fraud_rate") or _with(told, "fraud_rate_smoothed")
    latest = next((v for v in told.values if v.member.aggregate == "seconds_since_fraud"), None)
    streaks = [v for v in told.values if v.member.aggregate in ("fraud_streak", "seconds_since_fraud_streak")]
    if streaks and (streaks[0].value or len(streaks) == len(told.values)):
        return _streak(streaks[0], told)
    if counts:
        return f"{_fraud_count(_most_telling(counts))}{_the_last(latest)}"
    if rates:
        return f"{_fraud_share(_most_telling(rates), f'{told.noun}s')}{_the_last(latest)}"
    shares = _with(told, "fraud_amount_share")
    if shares:
        return f"{_fraud_share(_most_telling(shares), f'amount of the {told.noun}s')}{_the_last(latest)}"
    return _last_fraud(latest or told.values[0], told)


def _streak(value: Value, told: Told) -> str:
    by = _by(value)
    if not value.value:
        return f"the latest {told.noun} {by} of which that is known was no confirmed fraud"
    if value.member.aggregate == "seconds_since_fraud_streak":
        return f"every {told.noun} {by} of which that is known has been a confirmed fraud for {_ago(value.value)}"
    return (
        f"{_several(value.value, 'confirmed fraud')} {by}, one after the other, were the latest of which that is known"
    )


def _fraud_count(best: Value) -> str:
    if best.value is None:
        return f"no record of frauds {_by(best)}"
    return f"{_several(best.value, 'confirmed fraud')} {_by(best)} {_last(best)}"


def _fraud_share(best: Value, of_what: str) -> str:
    if best.value is None:
        return f"no record of frauds {_by(best)}"
    typically = "" if best.typical is None else f" (typically {_percent(best.typical)})"
    return f"confirmed frauds are {_percent(best.value)} of the {of_what} {_by(best)} {_last(best)}{typically}"


def _the_last(latest: Value | None) -> str:
    return "" if latest is None or latest.value is None else f", the last known one {_ago(latest.value)} ago"


def _last_fraud(value: Value, told: Told) -> str:
    if value.value is None:
        within = f" in {_span(told.longest)}" if told.longest else ""
        return f"no known fraud {_by(value)}{within}"
    what = "became known" if value.member.aggregate == "seconds_since_fraud_report" else "was"
    return f"last known fraud {_by(value)} {what} {_ago(value.value)} ago"


@wording("count")
def _count(told: Told) -> str:
    best = _most_telling(told.values)
    if best.value is None:
        return f"it is not known how many {told.noun}s {_by(best)} came before"
    return f"{_several(best.value, told.noun)} {_by(best)} {_last(best)}{_typically(best, number)}"


@wording("matured_count")
def _matured_count(told: Told) -> str:
    best = _most_telling(told.values)
    if best.value is None:
        return f"it is not known how many {told.noun}s {_by(best)} came before"
    over = _span(_window(best))
    return f"{_several(best.value, told.noun)} {_by(best)} in {over} up to the label delay{_typically(best, number)}"


@wording("distinct")
def _distinct(told: Told) -> str:
    best = _most_telling(told.values)
    other = _plain_name(best.member.behaviour.of or "" if best.member.behaviour else "")
    if best.value is None:
        return f"it is not known how many different {other}s {told.noun}s {_by(best)} met before"
    return f"{_several(best.value, f'different {other}')} for {told.noun}s {_by(best)} {_last(best)}" + _typically(
        best, number
    )


@wording("large_count")
def _large_count(told: Told) -> str:
    best = _most_telling(told.values)
    if best.value is None:
        return f"no amounts of payments {_by(best)} are known"
    return f"{_several(best.value, 'unusually large payment')} {_by(best)} {_last(best)}{_typically(best, number)}"


@wording("night_share", "weekend_share")
def _share_of_time(told: Told) -> str:
    best = _most_telling(told.values)
    when = "at night" if best.member.aggregate == "night_share" else "at a weekend"
    if best.value is None:
        return f"no earlier {told.noun} {_by(best)} in {_span(_window(best))}"
    typically = _typically(best, _percent)
    return f"{_percent(best.value)} of the earlier {told.noun}s {_by(best)} {_last(best)} were {when}{typically}"


@wording("amount_std")
def _spread(told: Told) -> str:
    best = _most_telling(told.values)
    if best.value is None:
        return f"too few payments {_by(best)} {_last(best)} to say how much they vary"
    typically = _typically(best, lambda value: _money(value, told))
    return f"amounts {_by(best)} {_last(best)} vary by ± {_money(best.value, told)}{typically}"


@wording("amount_sum", "amount_mean", "amount_max", "amount_min")
def _sums(told: Told) -> str:
    best = _most_telling(told.values)
    if best.value is None:
        return f"no amounts of payments {_by(best)} are known"
    what = _SUMS[best.member.aggregate or ""]
    typically = _typically(best, lambda value: _money(value, told))
    return f"payments {_by(best)} {_last(best)} {what} {_money(best.value, told)}{typically}"


@wording("seconds_since_last")
def _since_last(told: Told) -> str:
    best = _most_telling(told.values)
    if best.value is None:
        within = f" in {_span(told.longest)}" if told.longest else ""
        return f"no earlier {told.noun} {_by(best)}{within}"
    return f"{_ago(best.value)} after the previous {told.noun} {_by(best)}{_typically(best, _ago)}"


@wording("first")
def _first(told: Told) -> str:
    within = f" in {_span(told.longest)}" if told.longest else ""
    age = next((v for v in told.values if v.member.aggregate == "seconds_since_first"), None)
    if age is None:
        return _whether_first(told.values[0], told.noun, within)
    if not age.value:
        return f"first {told.noun} {_by(age)}{within}"
    typically = _typically(age, _ago) if age.typical else ""
    return f"first {told.noun} {_by(age)}{within} was {_ago(age.value)} before{typically}"


def _whether_first(value: Value, noun: str, within: str) -> str:
    if value.value is None:
        return f"it is not known whether this is the first {noun} {_by(value)}"
    return f"{'first' if value.value else 'not the first'} {noun} {_by(value)}{within}"


@wording("time_of_day")
def _time_of_day(told: Told) -> str:
    clock = f"{told.event_time.astimezone(UTC):%H:%M} UTC"
    night = any(v.member.column == "night" and v.value for v in told.values)
    paid = _paid(told)
    return f"{paid} at night ({clock})" if night else f"{paid} at {clock}"


@wording("day_of_week")
def _day_of_week(told: Told) -> str:
    return f"{_paid(told)} on a {_DAYS[told.event_time.astimezone(UTC).weekday()]}"


def _plain(told: Told) -> str:
    """Columns of which nothing more is known: their value, and the typical one."""
    return "; ".join(_column(value, told) for value in told.values)


def _column(value: Value, told: Told) -> str:
    name = safe_text(value.member.column)
    is_, usual, word = _is_and_usual(value, told)
    if value.typical is None:
        return f"{name} is {is_}"
    return f"{name} is {is_}, as usual" if is_ == usual else f"{name} is {is_}, {word} {usual}"


def _is_and_usual(value: Value, told: Told) -> tuple[str, str, str]:
    """What a column is, what it usually is, and the word for that."""
    if isinstance(value.value, str) or isinstance(value.typical, str):
        return _category(value.value), _category(value.typical), "mostly"
    if value.member.column in told.flags:
        return _yes_no(value.value), _yes_no(value.typical), "mostly"
    if value.value is None or value.typical is None:
        is_, usual = ("missing" if v is None else number(v) for v in (value.value, value.typical))
        return is_, usual, "typically"
    return *_alike(float(value.value), float(value.typical)), "typically"


# -- pieces ---------------------------------------------------------------------------------------------------


def _most_telling(values: Sequence[Value]) -> Value:
    """The window whose value lies farthest from its typical one; the shortest of equals."""

    def distance(value: Value) -> float:
        if value.value is None:
            return -1.0
        typical = 0.0 if value.typical is None else abs(float(value.typical))
        return round(abs(math.log((abs(float(value.value)) + 0.1) / (typical + 0.1))), 9)

    return max(sorted(values, key=_window), key=distance)


def _window(value: Value) -> timedelta:
    return (value.member.behaviour.window if value.member.behaviour else None) or timedelta(0)


def _paid(told: Told) -> str:
    return "paid" if told.noun == "payment" else "made"


def _with(told: Told, aggregate: str) -> list[Value]:
    """The columns of one aggregate, the shortest window first."""
    return sorted((v for v in told.values if v.member.aggregate == aggregate), key=_window)


def _plain_name(entity: str) -> str:
    return entity.replace("_", " ")


def _this(entity: str) -> str:
    return f"this {_plain_name(entity)}"


def _by(value: Value) -> str:
    """``by this customer``; for a pair ``by this customer at this terminal``."""
    return " ".join(f"{_TO.get(entity, 'by')} {_this(entity)}" for entity in value.member.entities)


def _last(value: Value) -> str:
    return f"in the last {_span(_window(value))}"


def _span(window: timedelta) -> str:
    """A window in words: ``7 days``, ``24 hours``."""
    seconds = int(window.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0 and seconds > size:
            return f"{seconds // size} {unit}s"
        if unit == "day" and seconds == size:
            return "24 hours"
    return _several(seconds, "second")


def _ago(seconds: float) -> str:
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return _several(round(seconds / size), unit)
    return _several(round(seconds), "second") if round(seconds) else "0 seconds"


def _several(count: float, noun: str) -> str:
    if count == 0:
        return f"no {noun}"
    return f"{number(count)} {noun}" + ("" if count == 1 else "s")


def _typically(value: Value, written: Callable[[float], str]) -> str:
    return "" if value.typical is None else f" (typically {written(value.typical)})"


def _money(amount: float, told: Told) -> str:
    return _minus(f"{amount:,.{told.digits}f}")


def _percent(share: float) -> str:
    return f"{number(100 * share)} %"


def number(value: float) -> str:
    """A number as people write it: whole where it is whole, else about three significant digits.

    Examples
    --------
    >>> number(3.0), number(10.81), number(-0.0456), number(12345.6)
    ('3', '10.8', '−0.046', '12,346')
    """
    return _minus(f"{value:,.{_decimals(value)}f}")


def _decimals(value: float) -> int:
    if value == round(value) or abs(value) >= 100:
        return 0
    return 1 if abs(value) >= 1 else min(1 - math.floor(math.log10(abs(value))), 9)


def _alike(first: float, second: float) -> tuple[str, str]:
    """Two numbers with as many decimals as show that they differ."""
    # The larger one sets the scale; a whole number beside a fraction shows a decimal too.
    decimals = _decimals(max(first, second, key=abs)) or max(
        (min(_decimals(v), 1) for v in (first, second) if abs(v) < 100), default=0
    )
    while True:
        texts = _minus(f"{first:,.{decimals}f}"), _minus(f"{second:,.{decimals}f}")
        if texts[0] != texts[1] or first == second or decimals >= 9:
            return texts
        decimals += 1


def _minus(text: str) -> str:
    """With a true minus sign, and none before a zero."""
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def _yes_no(value: Any) -> str:
    return "missing" if value is None else "yes" if value else "no"


def _category(value: Any) -> str:
    return "missing" if value is None or value == _MISSING else safe_text(str(value))


def safe_text(value: str) -> str:
    """Text of a file for a sentence: on one line, short, and never with anything like a card number."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    line = _LONG_NUMBER.sub("(long number)", line)
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"
