"""Invented rates: dollars for one unit of another currency, on every business day."""

from __future__ import annotations

import math
from datetime import date

from fraudops.intake.accounts_simulator.fed_holidays import is_open
from fraudops.intake.accounts_simulator.purposes import Purpose
from fraudops.intake.simulator.randomness import stream

_USUAL = {"EUR": 1.09, "GBP": 1.27, "CAD": 0.73, "MXN": 0.054}


def lines(seed: int, day: date) -> list[tuple[str, ...]]:
    """Rows of a day; none on a day without business."""
    if not is_open(day):
        return []
    rng = stream(seed, Purpose.RATES, day)
    found: list[tuple[str, ...]] = []
    for place, (currency, usual) in enumerate(_USUAL.items()):
        swing = 0.03 * math.sin(day.toordinal() / 97 + place) + 0.004 * float(rng.normal())
        found.append((day.isoformat(), currency, f"{usual * math.exp(swing):.6f}"))
    return found
