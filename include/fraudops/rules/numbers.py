"""A rule's numbers as they are in force on a day, ready to be calculated with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from fraudops.errors import ContractError
from fraudops.rules.definition import RuleDefinition, Value, value_of

ToMinor = Callable[[Decimal, str, date], int]
"""Amount, its currency and a day → whole minor units of the currency in which amounts are compared."""


_UNSAID = frozenset({"list", "count", "factor", "share", "score"})
"""Units that say nothing beside the number."""


def worded(value: Any, unit: str) -> str:
    """A number's value and unit, or currency, to read.

    Examples
    --------
    >>> worded("10000.00", "USD"), worded(14, "days"), worded(3, "count"), worded(["IR", "KP"], "list")
    ('10000.00 USD', '14 days', '3', 'IR, KP')
    """
    text = ", ".join(value) if isinstance(value, list | tuple) else str(value)
    return text if unit in _UNSAID else f"{text} {unit}"


@dataclass(frozen=True)
class Number:
    """One number as it was on a day, with where it comes from.

    Attributes
    ----------
    since
        First day on which it holds; None: it was asked for by a backtest. The last day is not in it: a law that is
        made later ends it, and must change nothing that was found before.
    """

    name: str
    unit: str
    value: Value
    currency: str | None
    since: date | None
    source: str

    @property
    def words(self) -> str:
        """Value and unit, to read."""
        return worded(self.value, self.currency or self.unit)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a hit."""
        value = list(self.value) if isinstance(self.value, tuple) else str(self.value)
        return {
            "value": value,
            "unit": self.currency or self.unit,
            "from": str(self.since) if self.since else None,
            "source": self.source,
        }


class Numbers:
    """What a detector compares with.

    Parameters
    ----------
    rule
        Whose numbers.
    day
        On which they are to be in force.
    to_minor
        Makes minor units of the currency that amounts are compared in.
    instead
        Number → another value, for a backtest.

    Raises
    ------
    ContractError
        The rule is not in force on that day, or has no number of a name in ``instead``.
    """

    def __init__(
        self,
        rule: RuleDefinition,
        day: date,
        *,
        to_minor: ToMinor,
        instead: Mapping[str, Value] | None = None,
    ) -> None:
        self.rule, self.day = rule, day
        self._to_minor, self._instead = to_minor, dict(instead or {})
        unknown = sorted(set(self._instead) - set(rule.numbers))
        if unknown:
            known = ", ".join(sorted(rule.numbers)) or "none"
            raise ContractError(f"there is no number {unknown[0]!r}", where=rule.id, remedy=f"its numbers: {known}")
        self._others: dict[date, Numbers] = {}
        self._found = {name: self._resolve(name) for name in sorted(rule.numbers)}

    def on(self, day: date) -> Numbers:
        """The same rule's numbers on another day; outside of the rule's days those of its first or last."""
        if day == self.day:
            return self
        within = max(day, self.rule.since) if self.rule.to is None else min(max(day, self.rule.since), self.rule.to)
        if within not in self._others:
            self._others[within] = Numbers(self.rule, within, to_minor=self._to_minor, instead=self._instead)
        return self._others[within]

    def minor(self, name: str) -> int:
        """An amount of money in minor units of the currency that amounts are compared in."""
        number = self._of(name, "money")
        return self._to_minor(Decimal(str(number.value)), str(number.currency), self.day)

    def whole(self, name: str) -> int:
        """A count, or a time in the number's own unit."""
        return int(self._of(name, "count", "days", "hours", "minutes").value)  # type: ignore[arg-type]

    def exact(self, name: str) -> Fraction:
        """A share, factor or score, exactly."""
        return Fraction(self._of(name, "share", "factor", "score").value)  # type: ignore[arg-type]

    def texts(self, name: str) -> tuple[str, ...]:
        """The entries of a list."""
        return tuple(self._of(name, "list").value)  # type: ignore[arg-type]

    def explained(self) -> dict[str, dict[str, Any]]:
        """Every number with its first day and its source, as a hit keeps them."""
        return {name: number.to_dict() for name, number in self._found.items()}

    def __iter__(self) -> Any:
        return iter(self._found.values())

    def _of(self, name: str, *units: str) -> Number:
        number = self._found[name]
        if number.unit not in units:
            raise TypeError(f"{self.rule.id}.{name} is given in {number.unit}, not in {' or '.join(units)}")
        return number

    def _resolve(self, name: str) -> Number:
        definition = self.rule.numbers[name]
        if name in self._instead:
            value = value_of(definition.unit, self._instead[name])
            return Number(name, definition.unit, value, definition.currency, None, "asked for by the backtest")
        found = definition.on(self.day)
        if found is None:
            raise ContractError(
                f"{name} has no value on {self.day}", where=self.rule.id, remedy="the rule is not in force then"
            )
        item, _ = found
        value = value_of(definition.unit, item.value)
        return Number(name, definition.unit, value, definition.currency, item.since, item.source)


def in_force_on(rule: RuleDefinition, day: date) -> list[Number]:
    """A rule's numbers of a day, by name, where no amounts are to be compared."""
    return list(Numbers(rule, day, to_minor=same_currency("")))


def same_currency(currency: str, digits: int = 2) -> ToMinor:
    """Minor units where no rates are known: amounts of any other currency are refused.

    Raises
    ------
    ContractError
        By the function that is returned: for another currency.
    """

    def to_minor(amount: Decimal, of: str, day: date) -> int:
        if of != currency:
            raise ContractError(
                f"there is no rate from {of} to {currency}", where=str(day), remedy="deliver the rates feed"
            )
        return int((amount * 10**digits).to_integral_value(ROUND_HALF_EVEN))

    return to_minor
