"""Runs a measurement as a process of its own, and says what it cost from its start to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS")
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class MeasurementFailedError(Exception):
    """A measured process ended with an error; what it said is on the terminal."""


@dataclass(frozen=True)
class Run:
    """What one process cost, and what it found.

    Attributes
    ----------
    cpu_seconds
        User and system time of the whole process: starting Python and every import included.
    peak_mb
        Largest resident set, in millions of bytes.
    answer
        The JSON object that it printed.
    """

    cpu_seconds: float
    wall_seconds: float
    peak_mb: float
    answer: dict[str, Any]


@dataclass(frozen=True)
class Runner:
    """Starts processes under equal conditions.

    Attributes
    ----------
    bytecode
        Folder for compiled modules: whether a machine has written them before must not count, so that each
        side starts Python once beforehand (:meth:`warm`).
    """

    bytecode: Path

    def warm(self, module: str) -> None:
        """Import what a module imports, uncounted."""
        self._wait([sys.executable, "-c", f"import {module}"])

    def run(self, module: str, *arguments: object) -> Run:
        """Run ``python -m module arguments`` on one thread and wait for it.

        Raises
        ------
        MeasurementFailedError
            It did not end well.
        """
        return self._wait([sys.executable, "-m", module, *(str(argument) for argument in arguments)])

    def _wait(self, command: list[str]) -> Run:
        started = time.monotonic()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(command, stdout=output, cwd=CHECKOUT, env=self._environment())
            # The process itself, not what it has cost together with earlier children.
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.monotonic() - started
            output.seek(0)
            text = output.read().decode()
        if process.returncode:
            raise MeasurementFailedError(f"{command[2]} ended with {process.returncode}")
        return Run(
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            wall_seconds=wall,
            peak_mb=usage.ru_maxrss * _MAXRSS_UNIT / 1e6,
            answer=json.loads(text) if text.strip() else {},
        )

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **dict.fromkeys(_THREADS, "1"),
            "PYTHONPATH": os.pathsep.join([str(CHECKOUT / "include"), str(CHECKOUT)]),
            "PYTHONPYCACHEPREFIX": str(self.bytecode),
            "PYTHONDONTWRITEBYTECODE": "",
        }
