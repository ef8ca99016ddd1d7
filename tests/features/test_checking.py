"""``fraudops features check`` on stored partitions: what it says of honest features, and of leaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fraudops.aggregates import AGGREGATES
from fraudops.cli import features as command
from fraudops.cli.main import app
from fraudops.errors import ContractError
from fraudops.features import build
from fraudops.features.checking import check_stored
from fraudops.features.contract import Breach
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from typer.testing import CliRunner

from tests.features.histories import make_history
from tests.intake.conftest import make_portfolio

COLUMNS = {
    "transaction_id": {"role": "id"},
    "event_time": {"role": "time"},
    "amount": {"role": "amount"},
    "customer_id": {"role": "entity"},
    "terminal_id": {"role": "entity"},
    "hint": {"role": "number"},
    "label": {"role": "label"},
}
BEHAVIOUR = [
    {"entity": "customer", "windows": ["7d"], "aggregates": ["count", "amount_z"]},
    {"entity": "terminal", "windows": ["7d"], "aggregates": ["fraud_rate"]},
]


@pytest.fixture
def shop() -> Portfolio:
    features = {"calendar": ["hour"], "behaviour": BEHAVIOUR}
    return make_portfolio(columns=COLUMNS, features=features, labels={"delay": "3d"})


def _store(ws: Workspace, portfolio: Portfolio, hint: Callable[[np.ndarray], Any]) -> list[str]:
    """Two months of payments, a tenth of them fraud, and their features; returns the keys."""
    frame = make_history().to_pandas()
    fraud = np.random.default_rng(4).random(len(frame)) < 0.1
    frame = frame.assign(label=fraud, hint=hint(fraud), amount=frame["amount_minor"] / 100)
    for key, part in frame.groupby(frame["event_time"].dt.strftime("%Y-%m-%d")):
        table = pa.Table.from_pandas(part, preserve_index=False)
        ws.store.write("transactions", portfolio.name, str(key), table, config="c")
    keys = ws.store.keys("transactions", portfolio.name)
    build(ws, portfolio, keys)
    return keys


def _noise(fraud: np.ndarray) -> np.ndarray:
    return np.random.default_rng(5).normal(size=len(fraud))


def test_honest_features_pass(workspace: Workspace, shop: Portfolio) -> None:
    keys = _store(workspace, shop, _noise)
    checked = check_stored(workspace, shop)
    assert checked.findings == ()
    assert checked.could_tell
    assert len(checked.partitions) == 3
    assert keys[-1] not in checked.partitions, "the newest partition has no future"
    assert max(checked.labelled) < keys[-3], "labels of the last three days are not due"


def test_a_column_that_equals_the_label_is_told(workspace: Workspace, shop: Portfolio) -> None:
    _store(workspace, shop, lambda fraud: fraud.astype(float))
    (finding,) = check_stored(workspace, shop).findings
    assert (finding.column, finding.breach) == ("hint", Breach.TELLS)
    assert "average precision 1.000" in finding.detail


def test_a_feature_that_reads_labels_too_early_is_told(
    workspace: Workspace, shop: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def own_label(view: Any, window: int) -> Any:
        return np.isin(view.rows, view.history.history.reported.row)

    _store(workspace, shop, _noise)
    monkeypatch.setitem(AGGREGATES, "count", replace(AGGREGATES["count"], formula=own_label))
    found = {(finding.column, finding.breach) for finding in check_stored(workspace, shop).findings}
    assert ("customer_count_7d", Breach.LABELS) in found


def test_one_partition_has_no_future(workspace: Workspace, shop: Portfolio) -> None:
    with pytest.raises(ContractError, match="0 partitions are stored"):
        check_stored(workspace, shop)


def _run(ws: Workspace, portfolio: Portfolio, patch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    patch.setattr("fraudops.cli.chosen.load_all", lambda folder: {portfolio.name: portfolio})
    patch.setattr(command.Workspace, "open", lambda settings: ws)
    result = CliRunner().invoke(app, ["features", *words], catch_exceptions=False)
    return result.exit_code, result.output


def test_the_command_says_what_it_did_and_ends_with_1_where_something_leaks(
    workspace: Workspace, shop: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    _store(workspace, shop, lambda fraud: -fraud.astype(float))
    code, text = _run(workspace, shop, monkeypatch, "check", "--portfolio", shop.name)
    assert code == 1
    assert "✗ hint [tells]" in text
    code, text = _run(workspace, shop, monkeypatch, "check", "-p", shop.name, "--json")
    assert code == 1
    assert json.loads(text)["findings"][0]["breach"] == "tells"


def test_the_command_without_findings(workspace: Workspace, shop: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    _store(workspace, shop, _noise)
    code, text = _run(workspace, shop, monkeypatch, "check", "--portfolio", shop.name, "--partitions", "1")
    assert (code, "nothing moves" in text) == (0, True)
    assert pd.Timestamp(text.split(" rows in ")[1].split(",")[0]).year == 2026


def test_the_command_lists_every_aggregate(
    workspace: Workspace, shop: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = _run(workspace, shop, monkeypatch, "list")
    assert code == 0
    assert all(name in text for name in AGGREGATES)
