from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fraudops.errors import MissingPartitionError
from fraudops.features import build, model_columns, model_frame
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

from tests.features.histories import make_history, store_history, with_everything


@pytest.fixture
def cards(workspace: Workspace, portfolios: dict[str, Portfolio]) -> Portfolio:
    """Sixty days of transactions, their labels and dispositions in the store, and every aggregate that there is."""
    store_history(workspace, make_history())
    return with_everything(portfolios["cards"])


def _bytes(ws: Workspace) -> dict[str, bytes]:
    root = Path(ws.store.root) / "features"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_all_at_once_and_day_by_day_give_the_same_bytes(workspace: Workspace, cards: Portfolio) -> None:
    keys = workspace.store.keys("transactions", "cards")
    build(workspace, cards, keys)
    together = _bytes(workspace)
    for path in sorted((Path(workspace.store.root) / "features").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    for key in reversed(keys):
        build(workspace, cards, [key])
    assert _bytes(workspace) == together


@pytest.mark.parametrize("feed", ["labels", "dispositions"])
def test_a_late_label_makes_the_days_that_it_touches_stale(workspace: Workspace, cards: Portfolio, feed: str) -> None:
    keys = workspace.store.keys("transactions", "cards")
    before = {m.key: m for m in build(workspace, cards, keys)}
    assert [m for m in build(workspace, cards, keys) if m != before[m.key]] == []
    arrival = workspace.store.keys(feed, "cards")[3]
    rows = workspace.store.read_partition(feed, "cards", arrival).slice(1)
    workspace.store.write(feed, "cards", arrival, rows, config="c")
    changed = [m.key for m in build(workspace, cards, keys) if m != before[m.key]]
    assert changed
    assert min(changed) > arrival, "a day at whose end the label had not arrived cannot change"


def test_model_frame_has_what_the_portfolio_declares(workspace: Workspace, cards: Portfolio) -> None:
    keys = workspace.store.keys("transactions", "cards")[:5]
    build(workspace, cards, keys)
    frame = model_frame(workspace, cards, keys)
    columns = model_columns(cards)
    assert set(columns.all) <= set(frame.columns)
    assert columns.categorical == ("currency", "country", "channel")
    assert all(np.issubdtype(frame[name].dtype, np.number) for name in columns.numeric)
    assert "customer_name" not in frame.columns


def test_a_missing_day_is_named(workspace: Workspace, cards: Portfolio) -> None:
    with pytest.raises(MissingPartitionError, match="2031-01-01"):
        build(workspace, cards, ["2031-01-01"])
