"""Verifies the ledger of a database: ``python -m benchmarks.ledger.ours URL``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from fraudops import ledger
from fraudops.database import transaction

from benchmarks.ledger.chain import KEY


def main(url: str) -> None:
    """Prints how long it took, and how many findings there are."""
    before = _peak_mb()
    cpu, wall = time.process_time(), time.monotonic()
    with transaction(url) as session:
        findings = sum(1 for _ in ledger.verify(session, KEY))
        entries = ledger.head(session).number
    print(
        json.dumps(
            {
                "cpu_seconds": time.process_time() - cpu,
                "seconds": time.monotonic() - wall,
                "findings": findings,
                "peak_mb": _peak_mb(),
                "peak_before_mb": before,
                "entries": entries,
            }
        )
    )


def _peak_mb() -> float:
    """Largest resident set since this program began, in millions of bytes; what it was started from does not count."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    main(sys.argv[1])
