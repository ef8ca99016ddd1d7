"""Every declared aggregate, one transaction after the other, against the batch's engine: to the last bit."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest
from fraudops.online.state import OnlineState
from fraudops.portfolio import Portfolio

from tests.features.histories import make_history, make_known, with_everything
from tests.online.agreement import assert_same, batch, reports_of, transactions_of

DELAYS = [timedelta(days=7), timedelta(days=1, hours=5), timedelta(0)]


def _in_order(portfolio: Portfolio, history: pa.Table, known: pd.DataFrame) -> None:
    """All in the order of time, with the reports known from the beginning: they count only from their own moment."""
    transactions = transactions_of(history)
    state = OnlineState(portfolio)
    state.remember(transactions, reports_of(known, transactions))
    state.begin(None, transactions)
    for transaction in reversed(transactions):
        for key in state._keys(transaction):
            state._memory[key].remove(transaction.event_time, transaction.id)
    online = {transaction.id: state.add(transaction) for transaction in transactions}
    assert_same(portfolio, online, batch(portfolio, history, known))


@pytest.mark.parametrize("delay", DELAYS, ids=str)
def test_in_order(portfolios: dict[str, Portfolio], delay: timedelta) -> None:
    history = make_history(rows=400)
    _in_order(with_everything(portfolios["cards"], delay=delay), history, make_known(history))
