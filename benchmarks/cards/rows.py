"""The rows about the simulated cards: what boosters reach, beside the baseline and the world's ceiling."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.cards.ours import CEILING
from benchmarks.processes import Runner
from benchmarks.rows import Conditions, Row, Suite

_OURS = "benchmarks.cards.ours"
_BASELINE = "logistic_regression"
_CANDIDATES = ("lightgbm", "xgboost", _BASELINE)
_SHOWN = "lightgbm"

AP, CARDS = "simulated cards, four test weeks, mean average precision", "simulated cards, mean card precision@15"
_KEYS = {AP: "average_precision", CARDS: "card_precision"}


def measure(conditions: Conditions) -> Iterator[Row]:
    """Train the candidates for each test week, and measure them and the ceiling on it."""
    conditions.say(f"  {', '.join(_CANDIDATES)}, and the ceiling, four test weeks")
    candidates = (_SHOWN, _BASELINE) if conditions.quick else _CANDIDATES
    run = Runner(conditions.work / "bytecode").run(_OURS, "--candidates", *candidates)
    for name, key in _KEYS.items():
        yield row(name, key, run.answer["found"])


def row(name: str, key: str, found: Sequence[dict[str, Any]]) -> Row:
    """One measure: means over the weeks, ours against the baseline; there is no goal but the ceiling."""
    weeks: dict[str, dict[str, float]] = {}
    for line in found:
        weeks.setdefault(line["model"], {})[line["start"]] = line[key]
    means = {model: statistics.fmean(values.values()) for model, values in weeks.items()}
    return Row(
        name,
        unit="card precision" if "card_" in key else "average precision",
        ours=means[_SHOWN],
        reference=means[_BASELINE],
        ratio=means[_SHOWN] / means[_BASELINE],
        details={
            "candidate": _SHOWN,
            "ceiling": round(means[CEILING], 4),
            "of_the_ceiling": round(means[_SHOWN] / means[CEILING], 4),
            "means": {model: round(value, 4) for model, value in means.items()},
            "weeks": {model: {start: round(v, 4) for start, v in values.items()} for model, values in weeks.items()},
            "frauds": {line["start"]: line["positives"] for line in found},
        },
    )


SUITE = Suite("the simulated cards and their ceiling", (AP, CARDS), measure)
