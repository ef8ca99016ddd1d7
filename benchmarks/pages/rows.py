"""The rows about the pages: what somebody waits for at a large installation, beside a page that shows nothing."""

from __future__ import annotations

from collections.abc import Iterator

from fraudops.stack.scratch import scratch_workspace

from benchmarks.pages.installation import DAYS, Size, prepare
from benchmarks.processes import Runner
from benchmarks.rows import Conditions, Row, Suite

_OURS = "benchmarks.pages.ours"
_WHOLE, _QUICK = Size(10_000, 100_000, 10_000), Size(1_000, 10_000, 1_000)
_WARM, _COLD = 300.0, 1_000.0
PAGES = {
    "page: the overview of two portfolios": "/",
    "page: the alerts": "/alerts",
    "page: alerts, a transaction searched for": "/alerts?q=A7777",
    "page: the queue of cases": "/cases",
    "page: the queue, a transaction searched for": "/cases?q=A7777",
    "page: one case": "/cases/cards/1",
    "page: the models": "/models",
}


def measure(conditions: Conditions) -> Iterator[Row]:
    """Write an installation, and open its pages in a process of its own."""
    size = _QUICK if conditions.quick else _WHOLE
    runner = Runner(conditions.work / "bytecode")
    runner.warm(_OURS)
    with scratch_workspace() as ws:
        conditions.say(f"  {size.alerts:,} alerts, {size.cases:,} cases and {2 * DAYS} partitions are written")
        prepare(ws, size)
        conditions.say("  pages are opened")
        answer = runner.run(_OURS, ws.database_url, ws.store.root, *PAGES.values()).answer
    counts = {"transactions_a_day": size.transactions, "alerts": size.alerts, "cases": size.cases}
    for name, path in PAGES.items():
        found = answer["pages"][path]
        yield Row(
            name,
            unit="ms",
            ours=found["warm"],
            reference=answer["reference"],
            ratio=found["warm"] / answer["reference"],
            goal=None if conditions.quick else f"under {_WARM:.0f} ms, and the first time under {_COLD:,.0f} ms",
            met=None if conditions.quick else found["warm"] < _WARM and found["cold"] < _COLD,
            details={"path": path, **{key: round(value, 1) for key, value in found.items()}, **counts},
        )


SUITE = Suite("the pages over a large installation", tuple(PAGES), measure)
"""Needs no data."""
