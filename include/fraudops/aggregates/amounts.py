"""How much, and how unusual that is for this entity."""

from __future__ import annotations

from typing import Any

from fraudops.aggregates.declaration import HANDBOOK, Unit, aggregate
from fraudops.aggregates.view import Array, View

_LARGE = 3
"""A payment of more than so many times the mean of those before it is a large one."""
_LEAST_DEVIATION = 0.01
"""Share of the mean: somebody who always paid the same is not infinitely surprising with a cent more."""


@aggregate(Unit.MONEY, "sum of the amounts in the window, this one included", amount=True)
def amount_sum(view: View, window: int) -> Any:
    return view.payments(window).total(view.amounts)


@aggregate(Unit.MONEY, "mean of the amounts in the window, this one included", amount=True, source=HANDBOOK)
def amount_mean(view: View, window: int) -> Any:
    payments = view.payments(window)
    return payments.total(view.amounts) / payments.count


@aggregate(
    Unit.MONEY,
    "standard deviation (of the sample) of the amounts in the window, this one included; missing for a single payment",
    amount=True,
)
def amount_std(view: View, window: int) -> Any:
    return view.payments(window).deviation(view.amounts)


@aggregate(Unit.MONEY, "largest amount in the window, this one included", amount=True)
def amount_max(view: View, window: int) -> Any:
    return view.payments(window).largest(view.amounts)


@aggregate(Unit.MONEY, "smallest amount in the window, this one included", amount=True)
def amount_min(view: View, window: int) -> Any:
    return view.payments(window).smallest(view.amounts)


@aggregate(
    Unit.RATIO,
    "this amount over the mean of the earlier ones in the window; missing where there are none, or they add up to "
    "nothing",
    amount=True,
)
def amount_ratio(view: View, window: int) -> Any:
    return _ratio(view, window)


@aggregate(
    Unit.RATIO,
    "this amount less the mean of the earlier ones in the window, in standard deviations of these (of one hundredth of "
    "their mean at least); missing for fewer than two earlier payments",
    amount=True,
)
def amount_z(view: View, window: int) -> Any:
    earlier = view.earlier(window)
    mean = view.over(earlier.total(view.amounts), earlier.count)
    deviation = view.larger(earlier.deviation(view.amounts), _LEAST_DEVIATION * abs(mean))
    return view.over(view.amount - mean, deviation)


@aggregate(
    Unit.COUNT,
    f"payments in the window, this one included, that were each more than {_LARGE} times the mean of those in the "
    "window before it",
    amount=True,
    reach=2,
)
def large_count(view: View, window: int) -> Any:
    return view.payments(window).total(view.marked("large", window, _is_large))


def _is_large(view: View, window: int) -> Array:
    return _ratio(view, window) > _LARGE


def _ratio(view: View, window: int) -> Array:
    earlier = view.earlier(window)
    return view.over(view.amount * earlier.count, earlier.total(view.amounts))
