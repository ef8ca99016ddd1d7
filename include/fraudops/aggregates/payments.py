"""How often, when and with whom."""

from __future__ import annotations

from typing import Any

from fraudops.aggregates.declaration import HANDBOOK, Unit, aggregate
from fraudops.aggregates.view import View


@aggregate(Unit.COUNT, "payments in the window, this one included", source=HANDBOOK)
def count(view: View, window: int) -> Any:
    return view.payments(window).count


@aggregate(
    Unit.COUNT,
    "payments in the window that ended one label delay ago",
    source=f"{HANDBOOK}: number of transactions of a terminal, shifted by the delay",
)
def matured_count(view: View, window: int) -> Any:
    return view.matured(window).count


@aggregate(Unit.COUNT, "different entities of the kind named by `of` among the window's payments", other=True)
def distinct(view: View, window: int) -> Any:
    return view.distinct(window)


@aggregate(Unit.SHARE, "share of the earlier payments in the window that were made at night (00:00 to 06:59 UTC)")
def night_share(view: View, window: int) -> Any:
    earlier = view.earlier(window)
    return view.over(earlier.total(view.nights), earlier.count)


@aggregate(Unit.SHARE, "share of the earlier payments in the window that were made on a Saturday or Sunday (UTC)")
def weekend_share(view: View, window: int) -> Any:
    earlier = view.earlier(window)
    return view.over(earlier.total(view.weekends), earlier.count)
