"""Four kills of the chaos program, as ``make chaos`` runs it: nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_four_kills_change_nothing() -> None:
    # A process of its own: it forks, which a process with threads must not.
    result = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--kills", "4", "--short", "--layer", "library"],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT / "include")},
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = json.loads(result.stdout.splitlines()[-1]) if result.stdout else None
    assert verdict == {"kills": 4, "lost": 0, "doubled": 0, "equal": True}, result.stderr[-4000:]
    assert result.returncode == 0
