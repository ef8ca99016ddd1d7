"""Measuring a process: all of it, on equal terms, and an error is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.data import unpack
from benchmarks.processes import MeasurementFailedError, Runner
from tests.benchmarks.conftest import Data


def test_a_process_is_measured_with_its_imports_and_answers_in_json(data: Data, tmp_path: Path) -> None:
    csv = unpack(data(100) / "ulb_creditcard.csv.gz", tmp_path / "csv")
    run = Runner(tmp_path / "bytecode").run("benchmarks.ingest.reference", csv, tmp_path / "bare.parquet")
    assert run.answer["rows"] == 3_000
    # What it says itself leaves out the start of Python and the imports.
    assert run.cpu_seconds > run.answer["cpu_seconds"] > 0
    assert run.peak_mb > 20


def test_modules_are_compiled_before_anything_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    Runner(tmp_path / "bytecode").warm("benchmarks.rows")
    assert list((tmp_path / "bytecode").rglob("rows*.pyc"))


def test_a_process_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(MeasurementFailedError, match=r"ingest\.reference ended with 1"):
        Runner(tmp_path / "bytecode").run("benchmarks.ingest.reference", tmp_path / "none", tmp_path / "bare.parquet")
