"""Runs all rules over the last day of a prepared bank: ``python -m benchmarks.rules.ours FOLDER KEY``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from fraudops.rules.registry import read_rules
from fraudops.rules.running import comply

from benchmarks.processes import CHECKOUT
from benchmarks.rules.bank import portfolio, workspace


def main(folder: Path, key: str) -> None:
    """Prints how long it took without starting Python, and what was found."""
    rules = read_rules(CHECKOUT / "include" / "rules")
    started = time.process_time()
    (found,) = comply(workspace(folder), portfolio(), [key], rules)
    print(json.dumps({"cpu_seconds": time.process_time() - started, "hits": found.hits}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
