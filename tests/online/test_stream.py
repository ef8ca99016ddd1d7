"""A hundred thousand simulated payments, late, repeated and out of order ones among them: online equals the batch."""

from __future__ import annotations

from fraudops.portfolio import Portfolio

from benchmarks.online.agreement import agree
from benchmarks.online.stream import stream


def test_a_hundred_thousand_events(portfolios: dict[str, Portfolio]) -> None:
    arriving = stream(100_000)
    assert len(arriving.arrivals) > 100_000
    assert len(arriving.arrivals) > len({*arriving.arrivals}), "some come again"
    found = agree(portfolios["cards"], arriving)
    assert found.differing == ()
    assert found.compared + found.left == len(arriving.transactions)
    assert found.compared > 0.9 * len(arriving.transactions)
    assert found.late > 2_000
    assert found.alone >= 100
