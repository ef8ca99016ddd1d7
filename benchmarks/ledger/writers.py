"""Eight writers whose transactions go on working after their entry: ``python -m benchmarks.ledger.writers URL``."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from fraudops import ledger
from fraudops.database import open_engine
from sqlalchemy.orm import Session

from benchmarks.ledger.chain import KEY

WRITERS, TRANSACTIONS, WORK = 8, 10, 0.05
"""How many, how many transactions each, and seconds of other work in each after its entry."""


def main(url: str) -> None:
    """Prints how long all of them took, chained at the commit and chained at once (as a locked head does)."""
    open_engine(url).dispose()
    print(json.dumps({"late": _write(url, early=False), "early": _write(url, early=True)}))


def _write(url: str, *, early: bool) -> float:
    def writer(number: int) -> None:
        for _ in range(TRANSACTIONS):
            with Session(open_engine(url)) as session, session.begin():
                ledger.append(session, KEY, portfolio="cards", actor=f"{number}", action="written", subject="s")
                if early:
                    ledger.chain(session)
                time.sleep(WORK)

    began = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(writer, range(WRITERS)))
    return time.monotonic() - began


if __name__ == "__main__":
    main(sys.argv[1])
