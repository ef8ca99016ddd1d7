"""The tasks of retain and verify, as Airflow calls them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fraudops.errors import IntegrityError
from fraudops.workspace import Workspace
from fraudops_airflow.retain import build_retain
from fraudops_airflow.verify import build_verify

from tests.keeping.conftest import DAYS, Shop, at, portfolio_of

RUN = SimpleNamespace(run_after=at("2026-03-09T12:00"), triggering_user_name="ann", dag_id="shop_retain")


@pytest.fixture
def shop(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Two days, in an installation that is found through the environment as the tasks do."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(workspace.store.root))
    monkeypatch.setenv("FRAUDOPS_LANDING", str(workspace.landing))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())
    shop = Shop(workspace, portfolio_of())
    shop.model("run-1", "2026-02-28", champion=True)
    for key in DAYS[:2]:
        shop.day(key)
    return shop


def _call(dag: Any, task: str, **context: Any) -> Any:
    return dag.get_task(task).python_callable(dag_run=RUN, **context)


def test_a_dry_run_removes_nothing_and_a_run_what_is_due(shop: Shop) -> None:
    retention = dict.fromkeys(("transactions", "features", "scores", "history", "alerts", "labels"), "7d")
    dag = build_retain(shop.keeping(**retention))
    assert _call(dag, "find_due", params={"dry_run": True}) is False
    assert dag.get_task("remove").upstream_task_ids == {"find_due"}
    assert shop.keys("transactions") == DAYS[:2]
    assert _call(dag, "find_due", params={"dry_run": False}) is True
    result = _call(dag, "remove")
    assert result["removed"]["transactions"] == 1
    assert shop.keys("transactions") == [DAYS[1]]
    assert [entry.actor for entry in shop.ledger("retention_removed")] == ["ann"]


def test_verify_is_content_with_what_was_written_and_tells_once_of_what_was_not(shop: Shop) -> None:
    dag = build_verify(shop.portfolio)
    found = _call(dag, "verify", params={"thorough": True})
    assert (found["partitions"], found["models"], found["findings"]) == (6, 1, ())
    before = len(shop.notices())
    folder = Path(str(shop.ws.store.root)) / "features" / "portfolio=shop" / f"date={DAYS[0]}"
    path = next(folder.glob("part-*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"1 findings, the first: features 2026-03-01: part-"):
            _call(dag, "verify", params={"thorough": True})
    (notice,) = shop.notices()[before:]
    assert (notice.kind, notice.recipients) == ("records_altered", ["c@x.example", "d@x.example"])
    assert "features 2026-03-01: part-" in notice.text
