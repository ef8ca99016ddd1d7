"""The rows about the rules: what a day of a large bank costs, and how much memory it takes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.processes import Runner
from benchmarks.rows import Conditions, Row, Suite
from benchmarks.rules.bank import Bank, prepare

_OURS = "benchmarks.rules.ours"
_ROWS, _FEW = 1_000_000, 50_000
_SECONDS = 60.0
CPU, MEMORY = "all rules over a day of transactions, CPU", "…, peak memory"


def measure(conditions: Conditions) -> Iterator[Row]:
    """Prepare a bank, then run the rules over its last day in a process of its own, on one thread."""
    rows = _FEW if conditions.quick else _ROWS
    conditions.say(f"  a bank with {rows:,} transactions a day is written")
    folder = conditions.work / "bank"
    key = prepare(folder, Bank(rows))
    runner = Runner(conditions.work / "bytecode")
    runner.warm(_OURS)
    conditions.say("  all rules over its last day")
    run = runner.run(_OURS, folder, key)
    details = {"transactions": rows, "rules": len(run.answer["hits"]), "hits": run.answer["hits"]}
    goal = None if conditions.quick else f"under {_SECONDS:.0f} s for {_ROWS:,} on one core"
    met = None if conditions.quick else run.cpu_seconds < _SECONDS
    yield Row(CPU, unit="CPU seconds", ours=run.cpu_seconds, goal=goal, met=met, details=details)
    yield Row(MEMORY, unit="MB", ours=run.peak_mb, details={"transactions": rows})


SUITE = Suite("the rules over a day of a large bank", (CPU, MEMORY), measure)
