"""How long since; whether for the first time. None takes a window: all look back as far as the longest one."""

from __future__ import annotations

from typing import Any

from fraudops.aggregates.declaration import Unit, aggregate
from fraudops.aggregates.view import View


@aggregate(Unit.SECONDS, "time since the previous payment; missing where there is none", windowed=False)
def seconds_since_last(view: View, window: int) -> Any:
    return view.earlier(window).since_last


@aggregate(Unit.SECONDS, "time since the first payment; 0 where this is the first", windowed=False)
def seconds_since_first(view: View, window: int) -> Any:
    return view.payments(window).since_first


@aggregate(Unit.FLAG, "whether this is the first payment", windowed=False)
def is_new(view: View, window: int) -> Any:
    return view.earlier(window).count == 0
