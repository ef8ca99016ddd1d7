"""The state over PostgreSQL: several processes, rollbacks, restarts."""

from __future__ import annotations

import pytest
from fraudops.database import open_engine
from fraudops.online import Transaction
from fraudops.online.state import OnlineState
from fraudops.portfolio import Portfolio
from sqlalchemy import Connection, text

from tests.features.histories import make_history, with_everything
from tests.online.agreement import transactions_of


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return with_everything(portfolios["cards"])


def _decide(state: OnlineState, connection: Connection, some: list[Transaction]) -> list[list[float]]:
    with connection.begin():
        state.begin(connection, some)
        features = [state.add(transaction) for transaction in some]
        state.finish(connection, [state.number + 1 + turn for turn in range(len(some))])
    state.committed()
    return features


def _same(one: list[list[float]], other: list[list[float]]) -> None:
    assert repr(one) == repr(other)


def test_two_processes_by_turns_equal_one_without_a_database(database_url: str, cards: Portfolio) -> None:
    transactions = transactions_of(make_history(rows=150))
    alone = OnlineState(cards)
    alone.begin(None, transactions)
    expected = [alone.add(transaction) for transaction in transactions]
    engine = open_engine(database_url)
    found: list[list[float]] = []
    with engine.connect() as first, engine.connect() as second:
        turns = [(OnlineState(cards), first), (OnlineState(cards, payments=20), second)]
        for begin in range(0, len(transactions), 7):
            state, connection = turns[begin // 7 % 2]
            found += _decide(state, connection, transactions[begin : begin + 7])
        _same(found, expected)
        assert first.execute(text("select number from online_portfolio")).scalar() == 150


def test_what_is_rolled_back_leaves_nothing(database_url: str, cards: Portfolio) -> None:
    transactions = transactions_of(make_history(rows=80))
    with open_engine(database_url).connect() as connection:
        state = OnlineState(cards)
        _decide(state, connection, transactions[:40])
        with connection.begin() as undone:
            state.begin(connection, transactions[40:])
            once = [state.add(transaction) for transaction in transactions[40:]]
            state.finish(connection, [*range(41, 81)])
            undone.rollback()
        state.rolled_back()
        assert state.number == 40
        _same(_decide(state, connection, transactions[40:]), once)


def test_a_restart_finds_what_there_was(database_url: str, cards: Portfolio) -> None:
    transactions = transactions_of(make_history(rows=80))
    late = [*transactions[:30], *transactions[50:], *transactions[30:50]]
    with open_engine(database_url).connect() as connection:
        expected, found = OnlineState(cards), []
        expected.begin(None, late)
        for begin in range(0, 80, 20):
            found += _decide(OnlineState(cards), connection, late[begin : begin + 20])
        _same(found, [expected.add(transaction) for transaction in late])
