"""CPU time is counted by component, for the processes of one stack alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.backfill.processes import cpu_seconds

_WORK = "import sys, time\nfor _ in range(3_000_000): pass\nprint('worked', flush=True)\nsys.stdin.read()"


def test_processes_are_told_apart_by_the_stack_s_folder(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _WORK, "scheduler", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for folder in (mine, other)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == b"worked\n"
        found = cpu_seconds(mine)
        assert set(found) == {"scheduler"}
        assert found["scheduler"] > 0
        assert cpu_seconds(tmp_path / "none") == {}
    finally:
        for process in started:
            process.communicate(b"")
