"""The row about features: the Handbook's fourteen, by its loops and by ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.data import HANDBOOK, locate
from benchmarks.processes import Runner
from benchmarks.rows import Conditions, Row, Suite, median

_OURS, _REFERENCE = "benchmarks.features.ours", "benchmarks.features.reference"
_FASTER = 40
_QUICK_DAYS = 45
"""In a hurry: the file's first days instead of all; the loops take as long as there are rows."""

CPU = "the Handbook's 14 features, CPU"


def measure(conditions: Conditions) -> Iterator[Row]:
    """Compute the features on both sides, and compare what that costs and whether it is the same."""
    transactions = locate(conditions.data, HANDBOOK)
    if conditions.quick:
        transactions = _first_days(transactions, conditions.work)
    runner = Runner(conditions.work / "bytecode")
    runner.warm(_OURS)
    runner.warm(_REFERENCE)
    ours, reference = conditions.work / "ours.parquet", conditions.work / "reference.parquet"
    theirs = []
    for number in range(1 if conditions.quick else 3):
        conditions.say(f"  the Handbook's loops, run {number + 1} (minutes)")
        theirs.append(runner.run(_REFERENCE, transactions, reference).answer)
    mine = []
    for number in range(3 if conditions.quick else 5):
        conditions.say(f"  ours, run {number + 1}")
        mine.append(runner.run(_OURS, transactions, ours).answer)
    compared = runner.run("benchmarks.features.comparison", transactions, ours, reference).answer
    spent, expected = (median(run["cpu_seconds"] for run in runs) for runs in (mine, theirs))
    equal = compared["same_rows"] and not compared["other_rows_that_differ"]
    yield Row(
        CPU,
        unit="CPU s",
        ours=spent,
        reference=expected,
        ratio=expected / spent,
        goal=f"at least {_FASTER} times less, and equal but for rows with tied times",
        met=equal and expected / spent >= _FASTER,
        details={
            "runs": {"ours": _seconds(mine), "reference": _seconds(theirs)},
            "equality": compared,
            "memory_mb": {name: mine[0][name] for name in ("peak_mb", "peak_before_mb", "result_mb")},
        },
    )


def _first_days(transactions: Path, work: Path) -> Path:
    table = pq.read_table(transactions)
    moments = table["TX_DATETIME"]
    end = pc.min(moments).as_py() + timedelta(days=_QUICK_DAYS)
    shorter = work / "first_days.parquet"
    pq.write_table(table.filter(pc.less(moments, end)), shorter)
    return shorter


def _seconds(runs: list[dict[str, float]]) -> list[float]:
    return [round(run["cpu_seconds"], 2) for run in runs]


SUITE = Suite("the Handbook's features", (CPU,), measure)
