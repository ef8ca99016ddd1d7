from __future__ import annotations

import gzip
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import processes
from benchmarks.data import ULB

Data = Callable[[int], Path]


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """Makes a data folder whose ULB file is small, covers some seconds, and is written as the original is."""

    def make(seconds: int) -> Path:
        folder = tmp_path / "data"
        folder.mkdir()
        with gzip.open(folder / ULB, "wt") as file:
            file.write(_csv(seconds))
        return folder

    return make


def _csv(seconds: int, rows: int = 3_000) -> str:
    random = np.random.default_rng(7)
    fraud = np.arange(rows) % 25 == 0
    values = random.normal(size=(rows, 28)) + 1.5 * fraud[:, None]
    names = ["Time", *(f"V{number}" for number in range(1, 29)), "Amount", "Class"]
    lines = [",".join(f'"{name}"' for name in names)]
    for number in range(rows):
        numbers = ",".join(f"{value:.6f}" for value in values[number])
        lines.append(f'{number * seconds // rows},{numbers},{number % 90 + 0.5},"{int(fraud[number])}"')
    return "\n".join(lines) + "\n"


class HereRunner:
    """Runs what the benchmarks run, in this process: its cost is nobody's interest, its answer is the same."""

    capsys: pytest.CaptureFixture[str]
    started: list[tuple[str, tuple[str, ...]]]

    def __init__(self, bytecode: Path) -> None:
        self._bytecode = bytecode

    def warm(self, module: str) -> None:
        importlib.import_module(module)

    def run(self, module: str, *arguments: object) -> processes.Run:
        texts = tuple(str(argument) for argument in arguments)
        self.started.append((module, texts))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [module, *texts])
            self.capsys.readouterr()
            importlib.import_module(module).main()
        return processes.Run(2.0, 2.0, 100.0, json.loads(self.capsys.readouterr().out))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> type[HereRunner]:
    """Lets the suites run their measurements in this process, and remembers which."""

    class Runner(HereRunner):
        started: list[tuple[str, tuple[str, ...]]] = []

    Runner.capsys = capsys
    for suite in ("tutorial", "ingest", "features"):
        monkeypatch.setattr(f"benchmarks.{suite}.rows.Runner", Runner)
    # They would hold for the other tests of this process as well.
    monkeypatch.setattr(pa, "set_cpu_count", lambda count: None)
    monkeypatch.setattr(pa, "set_io_thread_count", lambda count: None)
    return Runner
