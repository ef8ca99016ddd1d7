"""Whether two explanations say the same."""

from __future__ import annotations

import math
from typing import Any

_ROUNDING = 2e-5
"""How far contributions may lie apart, in log-odds: earlier versions recorded XGBoost's own, sums of 32 bits."""


def alike(recorded: Any, recomputed: Any) -> bool:
    """Whether two explanations, as JSON-able values, are the same but for rounding.

    Texts, columns and their order must be equal; numbers may differ by what 32 bits lose.
    """
    if isinstance(recorded, dict) and isinstance(recomputed, dict):
        return recorded.keys() == recomputed.keys() and all(alike(recorded[k], recomputed[k]) for k in recorded)
    if isinstance(recorded, list) and isinstance(recomputed, list):
        return len(recorded) == len(recomputed) and all(map(alike, recorded, recomputed))
    numbers = (int, float)
    if isinstance(recorded, numbers) and isinstance(recomputed, numbers) and not isinstance(recorded, bool):
        return recorded == recomputed or math.isclose(recorded, recomputed, rel_tol=0, abs_tol=_ROUNDING)
    return bool(recorded == recomputed)
