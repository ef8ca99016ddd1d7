"""The rows about single predictions: what a score and its reasons take, beside the tutorial's forest."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import Runner
from benchmarks.rows import Conditions, Row, Suite

_OURS = "benchmarks.single.ours"
_CANDIDATES = ("random_forest", "logistic_regression", "lightgbm", "xgboost")
_NAMES = tuple(f"one prediction, {name}, CPU" for name in _CANDIDATES)
_TIMES = 100


def measure(conditions: Conditions) -> Iterator[Row]:
    """Train each estimator of the portfolio ``cards``; score and explain its payments."""
    days = ("--days", 40) if conditions.quick else ()
    found = Runner(conditions.work / "bytecode").run(_OURS, *days, "--candidates", *_CANDIDATES).answer
    for name, row in zip(_CANDIDATES, _NAMES, strict=True):
        measured = found["models"][name]
        ratio = found["forest"] / measured["single"]
        yield Row(
            row,
            unit="µs a row",
            ours=measured["single"],
            reference=found["forest"],
            ratio=ratio,
            goal=f"at least {_TIMES} times faster",
            met=ratio >= _TIMES,
            details={key: value for key, value in measured.items() if key != "single"},
        )


SUITE = Suite("one prediction at a time", _NAMES, measure)
