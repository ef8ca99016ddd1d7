"""Verifies the ledger of a database: ``python -m benchmarks.ledger.ours URL``."""

from __future__ import annotations

import json
import sys
import time

from fraudops import ledger
from fraudops.database import transaction

from benchmarks.ledger.chain import KEY


def main(url: str) -> None:
    """Prints how long it took, and how many findings there are."""
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
                "entries": entries,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
