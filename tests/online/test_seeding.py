"""What the store has comes into the online state: once, corrected where it is corrected, without what is too old."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from fraudops.database import open_engine
from fraudops.features.loading import load
from fraudops.online.seeding import SeedResult, seed
from fraudops.online.state import OnlineState
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from sqlalchemy import text

from tests.features.histories import make_history, store_history, with_everything
from tests.online.agreement import assert_same, batch, transactions_of

HISTORY = make_history()


@pytest.fixture
def cards(workspace: Workspace, portfolios: dict[str, Portfolio]) -> Portfolio:
    store_history(workspace, HISTORY)
    return with_everything(portfolios["cards"], delay=timedelta(days=5))


def _decided(ws: Workspace, cards: Portfolio, key: str) -> dict[str, list[float]]:
    """Features of a partition's transactions, decided online and then not kept; what the batch brought of them too."""
    rows = transactions_of(ws.store.read_partition("transactions", "cards", key))
    state = OnlineState(cards)
    with open_engine(ws.database_url).connect() as connection, connection.begin() as undone:
        state.begin(connection, rows)
        found = {row.id: state.add(row) for row in rows}
        undone.rollback()
    return found


def _expected(ws: Workspace, cards: Portfolio, last: str) -> dict[str, list[float]]:
    loaded = load(ws, cards, [key for key in ws.store.keys("transactions", "cards") if key <= last])
    return batch(cards, loaded.history, loaded.known)


def _count(ws: Workspace, table: str) -> int:
    with open_engine(ws.database_url).connect() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


def _epoch(ws: Workspace) -> int:
    with open_engine(ws.database_url).connect() as connection:
        return int(connection.execute(text("select epoch from online_portfolio")).scalar_one())


def test_the_next_day_sees_what_the_batch_sees(workspace: Workspace, cards: Portfolio) -> None:
    keys = workspace.store.keys("transactions", "cards")
    seed(workspace, cards, until=keys[-2])
    assert_same(cards, _decided(workspace, cards, keys[-1]), _expected(workspace, cards, keys[-1]))


def test_what_has_not_changed_is_not_brought_again(workspace: Workspace, cards: Portfolio) -> None:
    first = seed(workspace, cards)
    assert len(first.partitions) > 30
    assert first.payments == _count(workspace, "online_payment")
    assert first.reports > 30
    epoch = _epoch(workspace)
    assert seed(workspace, cards) == SeedResult()
    assert _epoch(workspace) == epoch


def test_a_corrected_partition_replaces_what_it_had_brought(workspace: Workspace, cards: Portfolio) -> None:
    seed(workspace, cards)
    epoch, keys = _epoch(workspace), workspace.store.keys("transactions", "cards")
    rows = workspace.store.read_partition("transactions", "cards", keys[-3])
    doubled = pc.multiply(rows["amount_minor"], 2).cast(pa.int64())
    corrected = rows.set_column(rows.column_names.index("amount_minor"), "amount_minor", doubled).slice(1)
    workspace.store.write("transactions", "cards", keys[-3], corrected, config="c")
    result = seed(workspace, cards)
    assert result.partitions == (keys[-3],)
    assert _epoch(workspace) > epoch
    assert_same(cards, _decided(workspace, cards, keys[-1]), _expected(workspace, cards, keys[-1]))


def test_what_came_online_stays_and_is_there_once_when_it_lands(workspace: Workspace, cards: Portfolio) -> None:
    keys = workspace.store.keys("transactions", "cards")
    seed(workspace, cards, until=keys[-2])
    rows = transactions_of(workspace.store.read_partition("transactions", "cards", keys[-1]))
    state, before = OnlineState(cards), _count(workspace, "online_payment")
    with open_engine(workspace.database_url).connect() as connection:
        with connection.begin():
            state.begin(connection, rows)
            for row in rows:
                state.add(row)
            state.finish(connection, [*range(1, len(rows) + 1)])
        state.committed()
    after, epoch = _count(workspace, "online_payment"), _epoch(workspace)
    assert after > before
    assert seed(workspace, cards, until=keys[-2]).payments == 0
    assert _count(workspace, "online_payment") == after
    landed = seed(workspace, cards)
    assert (landed.partitions, landed.payments) == ((keys[-1],), 0)
    assert _count(workspace, "online_payment") == after - landed.dropped
    assert landed.reports or _epoch(workspace) == epoch


def test_what_is_too_old_to_matter_goes(workspace: Workspace, portfolios: dict[str, Portfolio]) -> None:
    store_history(workspace, HISTORY)
    cards = portfolios["cards"]
    short = tuple(group.model_copy(update={"windows": group.windows[:1]}) for group in cards.features.behaviour[:4])
    cards = cards.model_copy(update={"features": cards.features.model_copy(update={"behaviour": short})})
    keys = workspace.store.keys("transactions", "cards")
    seed(workspace, cards, until=keys[30])
    result = seed(workspace, cards)
    assert result.dropped > 0
    assert_same(cards, _decided(workspace, cards, keys[-1]), _expected(workspace, cards, keys[-1]))
