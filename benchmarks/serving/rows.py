"""The rows about the scoring service: how long requests take, and how many it answers on one core."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.processes import MeasurementFailedError
from benchmarks.rows import Conditions, Row, Suite
from benchmarks.serving.processes import cpu_seconds, free_port, installation, load, run, server
from benchmarks.serving.world import BATCHES, PORTFOLIO, SINGLE

_RATE, _P99_MS = 200, 10.0
_REQUESTS, _ROWS = 500, 5_000
LATENCY = f"a request at {_RATE} a second, p99"
THROUGHPUT = "requests a second, one transaction each, 16 connections"
BATCH = "transactions a second in requests of 1,000"
CPU = "a request, CPU of the service"


def measure(conditions: Conditions) -> Iterator[Row]:
    """A service over a simulated bank of 120,000 payments, and a bare route under the same load."""
    seconds = 6 if conditions.quick else 30
    # A short path, which the server's own user can enter, as its socket needs.
    with tempfile.TemporaryDirectory(prefix="fo-bench-") as folder, installation(Path(folder)) as environment:
        bodies = conditions.work / "bodies"
        conditions.say("  a bank is simulated, a champion trained")
        run(environment, "benchmarks.serving.world", bodies)
        key = _key(environment)
        floor = _measured({**environment, "FRAUDOPS_API_KEY": key}, bodies, seconds, conditions, floor=True)
        ours = _measured({**environment, "FRAUDOPS_API_KEY": key}, bodies, seconds, conditions, floor=False)
    yield _row(LATENCY, "ms", ours["rate"]["p99_ms"], floor["rate"]["p99_ms"], ours, f"under {_P99_MS:.0f} ms")
    yield _row(CPU, "ms", ours["cpu_ms"], floor["cpu_ms"], ours)
    found, bare = ours["most"]["per_second"], floor["most"]["per_second"]
    yield _row(THROUGHPUT, "1/s", found, bare, ours, f"at least {_REQUESTS}")
    yield _row(BATCH, "1/s", ours["batches"]["rows_per_second"], None, ours, f"at least {_ROWS:,}")


def _measured(
    environment: Mapping[str, str], bodies: Path, seconds: int, conditions: Conditions, *, floor: bool
) -> dict[str, Any]:
    port = free_port()
    what = ("benchmarks.serving.floor", port) if floor else ("fraudops", "serve", "--port", port, "--rate", 1_000_000)
    conditions.say(f"  {'a bare route' if floor else 'the service'} under load")
    single = bodies / SINGLE
    with server(environment, port, "/v1/score" if floor else "/readyz", *what) as pid:
        load(environment, port, single, rate=50, seconds=2, first=0)
        before = cpu_seconds(pid)
        steady = load(environment, port, single, rate=_RATE, seconds=seconds, first=1_000)
        spent = cpu_seconds(pid) - before
        most = load(environment, port, single, seconds=seconds, first=1_000 + 2 * _RATE * seconds)
        found = {"rate": steady, "most": most, "cpu_ms": 1000 * spent / steady["requests"]}
        if not floor:
            found["batches"] = load(environment, port, bodies / BATCHES, seconds=seconds, lines=1, rows=1_000)
    return found


def _key(environment: Mapping[str, str]) -> str:
    said = run(environment, "fraudops", "api-keys", "create", "bench", "--portfolio", PORTFOLIO, "--rate", 1_000_000)
    found = re.search(r"fraudops_\w+_[\w-]+", said)
    if found is None:
        raise MeasurementFailedError("no key was shown")
    return found.group()


def _row(
    name: str, unit: str, ours: float, reference: float | None, all_of: dict[str, Any], goal: str | None = None
) -> Row:
    loads = {kind: all_of[kind] for kind in ("rate", "most", "batches")}
    met = None
    if goal is not None:
        wanted = float(re.sub(r"[^\d.]", "", goal))
        answered = all(set(load["statuses"]) == {"200"} and not load["broken"] for load in loads.values())
        met = answered and (ours < wanted if goal.startswith("under") else ours >= wanted)
    return Row(
        name,
        unit=unit,
        ours=ours,
        reference=reference,
        ratio=None if reference is None else ours / reference,
        goal=goal,
        met=met,
        details={"loads": loads},
    )


SUITE = Suite("the scoring service", (LATENCY, CPU, THROUGHPUT, BATCH), measure)
