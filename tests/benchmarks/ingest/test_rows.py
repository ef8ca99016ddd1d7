"""The rows about ingest on a small file, with a real database and a real store."""

from __future__ import annotations

from pathlib import Path

from benchmarks.ingest import rows
from benchmarks.rows import Conditions
from tests.benchmarks.conftest import Data, HereRunner


def test_a_file_is_ingested_validated_and_published(here: type[HereRunner], data: Data, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    found = list(rows.measure(Conditions(data(21_600), work, quick=True, say=lambda text: None)))
    cost, memory, long, dense = found
    assert [row.name for row in found] == list(rows.SUITE.rows)
    assert (cost.details["rows"], cost.details["partitions"], cost.details["failed"]) == (3_000, 1, [])
    assert set(cost.details["steps"]) == {"land", "validate", "publish"}
    assert cost.ratio == cost.ours / cost.reference
    assert (memory.ours, memory.met) == (100.0, True)
    assert long.skipped == dense.skipped == "takes minutes: measured without --quick"
    # Nothing that a run wrote is there for the next one.
    assert not list(work.glob("benchmark_*"))
