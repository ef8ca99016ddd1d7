"""The rows about features of single transactions: what one costs, and whether they are those of the batch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fraudops.stack.postgres import Postgres

from benchmarks.online.ours import BATCHES
from benchmarks.processes import Runner
from benchmarks.rows import Conditions, Row, Suite

_OURS = "benchmarks.online.ours"
_EVENTS, _FEW = 100_000, 30_000
_AGREEING = 500_000
_MICROSECONDS = 60.0
MEMORY = "features of one transaction, from memory, CPU"
AGREE = "features online and in the batch, transactions that differ"


def _name(size: int) -> str:
    return f"…, with PostgreSQL, {size:,} at once"


def measure(conditions: Conditions) -> Iterator[Row]:
    """Features of ``cards``, one transaction after the other."""
    runner = Runner(conditions.work / "bytecode")
    runner.warm(_OURS)
    events, agreeing = (_FEW, _FEW) if conditions.quick else (_EVENTS, _AGREEING)
    # A short path, which the server's own user can enter, as its socket needs.
    with tempfile.TemporaryDirectory(prefix="fo-bench-") as state:
        Path(state).chmod(0o755)
        postgres = Postgres(Path(state), durable=False)
        postgres.start()
        try:
            postgres.ensure_database("online")
            conditions.say(f"  {events:,} payments, one after the other; {agreeing:,} compared with the batch")
            answer = runner.run(_OURS, postgres.url("online"), events, agreeing).answer
        finally:
            postgres.remove()
    yield _cost(MEMORY, answer["memory"], answer, goal=_MICROSECONDS)
    for size in BATCHES:
        yield _cost(_name(size), answer[f"postgres_{size}"], answer)
    differing = {name: answer[name] for name in ("compared", "late")}
    yield Row(AGREE, "transactions", answer["differing"], goal="none", met=not answer["differing"], details=differing)


def _cost(name: str, spent: float, answer: dict[str, Any], goal: float | None = None) -> Row:
    batch = answer["batch"]
    return Row(
        name,
        unit="CPU µs a transaction",
        ours=spent,
        reference=batch,
        ratio=spent / batch,
        goal=None if goal is None else f"at most {goal:.0f} µs",
        met=None if goal is None else spent <= goal,
    )


SUITE = Suite("features of single transactions", (MEMORY, *(_name(size) for size in BATCHES), AGREE), measure)
