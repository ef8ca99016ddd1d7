"""Every declared aggregate, one transaction after the other, against the batch's engine: to the last bit."""

from __future__ import annotations

import random
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from fraudops.online.state import OnlineState
from fraudops.portfolio import Portfolio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.features.histories import make_history, make_known, with_everything
from tests.online.agreement import arrived, assert_same, batch, reports_of, transactions_of

DELAYS = [timedelta(days=7), timedelta(days=1, hours=5), timedelta(0)]


@pytest.mark.parametrize("delay", DELAYS, ids=str)
def test_in_the_order_of_time(portfolios: dict[str, Portfolio], delay: timedelta) -> None:
    portfolio, history = with_everything(portfolios["cards"], delay=delay), make_history(rows=400)
    known, transactions, state = make_known(history), transactions_of(history), OnlineState(portfolio)
    state.begin(None, transactions)
    state.say(transactions, reports_of(known, transactions))
    online = {transaction.id: state.add(transaction) for transaction in transactions}
    assert_same(portfolio, online, batch(portfolio, history, known))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 14), days=st.integers(0, 9), late=st.floats(0, 1))
def test_whatever_comes_late_or_again(
    portfolios: dict[str, Portfolio], seed: int, rows: int, days: int, late: float
) -> None:
    """A row sees what had arrived by then and is before it; one that comes again changes nothing."""
    portfolio = with_everything(portfolios["cards"], delay=timedelta(days=days))
    history, chance = make_history(seed, rows), random.Random(seed)
    known, transactions, state = make_known(history, seed), transactions_of(history), OnlineState(portfolio)
    order = sorted(transactions, key=lambda t: chance.random() if chance.random() < late else t.event_time / 1e18)
    there: dict[str, object] = {}
    state.begin(None, transactions)
    for transaction in [*order, *order[:3]]:
        # Nothing is known of what has not arrived.
        there[transaction.id] = transaction
        state.say(transactions, [r for r in reports_of(known, transactions) if r.transaction_id in there])
        online = {transaction.id: state.add(transaction)}
        assert_same(portfolio, online, batch(portfolio, arrived(history, {*there}), known))


@pytest.mark.parametrize("scale", [1, 3_000, 2_000_000_000])
def test_large_amounts_round_as_in_the_batch(portfolios: dict[str, Portfolio], scale: int) -> None:
    portfolio, history = with_everything(portfolios["cards"]), make_history(seed=4, rows=200)
    amounts = pc.multiply(history["amount_minor"], scale).cast(pa.int64())
    # Nearly alike, too: there two large terms cancel.
    amounts = pc.if_else(pc.equal(history["customer_id"], "a"), pc.add(pc.multiply(amounts, 0), scale * 7_001), amounts)
    history = history.set_column(history.column_names.index("amount_minor"), "amount_minor", amounts)
    transactions, state = transactions_of(history), OnlineState(portfolio)
    state.begin(None, transactions)
    online = {transaction.id: state.add(transaction) for transaction in transactions}
    assert_same(portfolio, online, batch(portfolio, history, make_known(history).iloc[:0]))
