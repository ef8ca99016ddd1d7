"""The rows about the ledger: what verifying a million entries costs, and how long writers wait for each other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from fraudops.stack.postgres import Postgres

from benchmarks.ledger.writers import TRANSACTIONS, WORK, WRITERS
from benchmarks.processes import Runner
from benchmarks.rows import Conditions, Row, Suite

_CHAIN = "benchmarks.ledger.chain"
_OURS, _REFERENCE, _WRITERS = "benchmarks.ledger.ours", "benchmarks.ledger.reference", "benchmarks.ledger.writers"
_ENTRIES, _FEW = 1_000_000, 50_000
_SECONDS = 60.0
CPU, MEMORY = "the ledger verified, CPU", "…, peak memory of the process"
WAITING = f"{WRITERS} writers of the ledger at once"


def measure(conditions: Conditions) -> Iterator[Row]:
    """Write a ledger, then verify it in a process of its own; PostgreSQL's own work is not counted."""
    entries = _FEW if conditions.quick else _ENTRIES
    runner = Runner(conditions.work / "bytecode")
    for module in (_OURS, _REFERENCE, _WRITERS):
        runner.warm(module)
    # A short path, which the server's own user can enter, as its socket needs.
    with tempfile.TemporaryDirectory(prefix="fo-bench-") as state:
        Path(state).chmod(0o755)
        postgres = Postgres(Path(state), durable=False)
        postgres.start()
        try:
            postgres.ensure_database("ledger")
            url = postgres.url("ledger")
            conditions.say(f"  a ledger of {entries:,} entries is written")
            # In a process of its own: what this one takes would count as memory of those that it starts.
            runner.run(_CHAIN, url, entries)
            yield from _verified(conditions, runner, url, entries)
            yield _waited(conditions, runner, url)
        finally:
            postgres.remove()


def _verified(conditions: Conditions, runner: Runner, url: str, entries: int) -> Iterator[Row]:
    conditions.say("  it is verified")
    run = runner.run(_OURS, url)
    reference = runner.run(_REFERENCE, url).answer["cpu_seconds"]
    spent = run.answer["cpu_seconds"]
    whole = run.answer["entries"] == entries and run.answer["findings"] == 0
    yield Row(
        CPU,
        unit="CPU s",
        ours=spent,
        reference=reference,
        ratio=spent / reference,
        goal=None if conditions.quick else f"under {_SECONDS:.0f} s for {_ENTRIES:,} on one core",
        met=None if conditions.quick else whole and spent < _SECONDS,
        details={
            "entries": entries,
            "wall_seconds": round(run.answer["seconds"], 2),
            "findings": run.answer["findings"],
        },
    )
    memory = {name: round(run.answer[name]) for name in ("peak_mb", "peak_before_mb")}
    yield Row(MEMORY, unit="MB", ours=run.answer["peak_mb"], details={"entries": entries, **memory})


def _waited(conditions: Conditions, runner: Runner, url: str) -> Row:
    conditions.say("  eight writers")
    found = runner.run(_WRITERS, url).answer
    return Row(
        WAITING,
        unit="s",
        ours=found["late"],
        reference=found["early"],
        ratio=found["early"] / found["late"],
        details={"transactions": WRITERS * TRANSACTIONS, "work_after_the_entry_seconds": WORK},
    )


SUITE = Suite("the ledger", (CPU, MEMORY, WAITING), measure)
"""Needs no data."""
