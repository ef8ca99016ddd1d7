"""The rows about ingest: what landing, validating and publishing a CSV costs, and how much memory it takes."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fraudops.database import migrate
from fraudops.stack.postgres import Postgres

from benchmarks.data import ULB, denser, locate, longer, unpack
from benchmarks.processes import Run, Runner
from benchmarks.rows import Conditions, Row, Suite, median

_OURS, _REFERENCE = "benchmarks.ingest.ours", "benchmarks.ingest.reference"
_TIMES = 10
_MOST_CPU, _MOST_MEMORY, _MOST_GROWTH = 4, 600, 1.1
_HURRY = "takes minutes: measured without --quick"

CPU, MEMORY, LONGER, DENSER = (
    "ingest and validation, CPU",
    "ingest and validation, peak memory",
    "ingest and validation, peak memory, ten times the file",
    "ingest and validation, peak memory, ten times the rows of a partition",
)


def measure(conditions: Conditions) -> Iterator[Row]:
    """Ingest the CSV, and what is ten times as long or as dense, each into an empty store."""
    csv = unpack(locate(conditions.data, ULB), conditions.work / "ulb")
    runner = Runner(conditions.work / "bytecode")
    runner.warm(_OURS)
    runner.warm(_REFERENCE)
    with _installation(conditions.work, runner) as installation:
        ours, reference = [], []
        for number in range(3 if conditions.quick else 5):
            conditions.say(f"  ingest, run {number + 1}")
            ours.append(installation.ingest(csv))
            reference.append(runner.run(_REFERENCE, csv, conditions.work / "bare.parquet"))
        yield _cpu(ours, reference)
        peak = median(run.peak_mb for run in ours)
        yield _memory(MEMORY, ours[0], peak)
        for name, make in ((LONGER, longer), (DENSER, denser)):
            if conditions.quick:
                yield Row(name, unit="MB", skipped=_HURRY)
                continue
            conditions.say(f"  {name} (minutes)")
            file = make(csv, conditions.work / "ten-times.csv", _TIMES)
            run = installation.ingest(file)
            file.unlink()
            yield _longer(run, peak) if name == LONGER else _denser(run, peak)


SUITE = Suite("ingest and validation of ULB", (CPU, MEMORY, LONGER, DENSER), measure)


@dataclass(frozen=True)
class _Installation:
    """A PostgreSQL server, whose cost is not counted, and a fresh database and store for each run."""

    folder: Path
    postgres: Postgres
    runner: Runner
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ingest(self, csv: Path) -> Run:
        name = f"benchmark_{next(self._numbers)}"
        self.postgres.ensure_database(name)
        url = self.postgres.url(name)
        migrate(url)
        store = self.folder / name
        run = self.runner.run(_OURS, csv, store, url)
        shutil.rmtree(store)
        return run


@contextmanager
def _installation(folder: Path, runner: Runner) -> Iterator[_Installation]:
    # A short path, which the server's own user can enter, as its socket needs.
    with tempfile.TemporaryDirectory(prefix="fo-bench-") as state:
        Path(state).chmod(0o755)
        postgres = Postgres(Path(state), durable=False)
        postgres.start()
        try:
            yield _Installation(folder, postgres, runner)
        finally:
            postgres.remove()


def _cpu(ours: list[Run], reference: list[Run]) -> Row:
    mine, theirs = (median(run.answer["cpu_seconds"] for run in runs) for runs in (ours, reference))
    steps = {name: median(run.answer["steps"][name] for run in ours) for name in ours[0].answer["steps"]}
    return Row(
        CPU,
        unit="CPU s",
        ours=mine,
        reference=theirs,
        ratio=mine / theirs,
        goal=f"at most {_MOST_CPU} times",
        met=mine / theirs <= _MOST_CPU and not ours[0].answer["failed"],
        details={
            "runs": {"ours": _seconds(ours), "reference": _seconds(reference)},
            "steps": steps,
            "rows": ours[0].answer["rows"],
            "partitions": ours[0].answer["partitions"],
            "failed": ours[0].answer["failed"],
        },
    )


def _memory(name: str, run: Run, peak: float) -> Row:
    return Row(name, unit="MB", ours=peak, goal=f"under {_MOST_MEMORY}", met=peak < _MOST_MEMORY, details=_size(run))


def _longer(run: Run, short: float) -> Row:
    return Row(
        LONGER,
        unit="MB",
        ours=run.peak_mb,
        reference=short,
        ratio=run.peak_mb / short,
        goal=f"under {_MOST_MEMORY}, and at most {_MOST_GROWTH} times that of the file itself",
        met=run.peak_mb < _MOST_MEMORY and run.peak_mb <= _MOST_GROWTH * short,
        details=_size(run),
    )


def _denser(run: Run, short: float) -> Row:
    return Row(DENSER, unit="MB", ours=run.peak_mb, reference=short, ratio=run.peak_mb / short, details=_size(run))


def _size(run: Run) -> dict[str, object]:
    answer = run.answer
    return {
        "rows": answer["rows"],
        "partitions": answer["partitions"],
        "failed": len(answer["failed"]),
        "cpu_seconds": round(answer["cpu_seconds"], 2),
        "steps": answer["steps"],
    }


def _seconds(runs: list[Run]) -> list[float]:
    return [round(run.answer["cpu_seconds"], 2) for run in runs]
