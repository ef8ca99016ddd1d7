"""Features of simulated card payments, one after the other: ``python -m benchmarks.online.ours URL EVENTS``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

from fraudops.database import migrate, open_engine
from fraudops.features.compute import compute
from fraudops.online import Transaction
from fraudops.online.state import OnlineState
from fraudops.portfolio import Portfolio, load_portfolio

from benchmarks.online.agreement import agree
from benchmarks.online.stream import Stream, stream
from benchmarks.processes import CHECKOUT

BATCHES = (1, 10, 1_000)
_REQUESTS = {1: 2_000, 10: 400, 1_000: 5}
"""How many of each size."""


def main(url: str, events: int, agreeing: int) -> None:
    """Print CPU microseconds a transaction: of features alone, with PostgreSQL, and of the batch's engine."""
    cards = load_portfolio(CHECKOUT / "include" / "portfolios" / "cards.yaml")
    arriving = stream(events)
    found: dict[str, object] = {"batch": _batch(cards, arriving), "memory": _from_memory(cards, arriving)}
    found |= {f"postgres_{size}": spent for size, spent in _with_postgres(url, cards, arriving.transactions).items()}
    agreement = agree(cards, stream(agreeing, seed=43))
    found |= {"compared": agreement.compared, "differing": len(agreement.differing), "late": agreement.late}
    print(json.dumps(found))


def _batch(cards: Portfolio, arriving: Stream) -> float:
    begun = time.process_time()
    compute(cards, arriving.history, arriving.known, slice(0, arriving.history.num_rows))
    return _each(begun, arriving.history.num_rows)


def _from_memory(cards: Portfolio, arriving: Stream) -> float:
    """The second half of the payments, when the first is remembered."""
    state, transactions = OnlineState(cards, payments=10**9), arriving.transactions
    state.begin(None, transactions)
    state.say(transactions, arriving.reports)
    half = len(transactions) // 2
    for transaction in transactions[:half]:
        state.add(transaction)
    begun = time.process_time()
    for transaction in transactions[half:]:
        state.add(transaction)
    return _each(begun, len(transactions) - half)


def _with_postgres(url: str, cards: Portfolio, transactions: Sequence[Transaction]) -> dict[int, float]:
    """Lock, load, compute, write and commit, by requests of some sizes; PostgreSQL's own work is not counted."""
    migrate(url)
    state, spent, place = OnlineState(cards), {}, 0
    with open_engine(url).connect() as connection:
        for size in (1_000, *BATCHES):
            begun, requests = time.process_time(), _REQUESTS[size]
            for _ in range(requests):
                some = transactions[place : place + size]
                place += size
                with connection.begin():
                    state.begin(connection, some)
                    for transaction in some:
                        state.add(transaction)
                    state.finish(connection, [*range(state.number + 1, state.number + 1 + len(some))])
                state.committed()
            # The first requests of a thousand fill the memory; the last ones count.
            spent[size] = _each(begun, requests * size)
    return spent


def _each(begun: float, rows: int) -> float:
    return (time.process_time() - begun) / rows * 1e6


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
