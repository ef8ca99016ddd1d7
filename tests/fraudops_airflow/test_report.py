"""The tasks of report, as Airflow calls them, and when a month's run starts by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fraudops.errors import ContractError
from fraudops_airflow.context import requested_month
from fraudops_airflow.reconcile import build_reconcile
from fraudops_airflow.report import build_report

from tests.keeping.conftest import Shop, _model_shop, at, portfolio_of, shop

__all__ = ["_model_shop", "shop"]
FORM = {"month": "", "as_of": "", "incomplete": False}


def run(key: str | None = "2026-03", **changes: Any) -> SimpleNamespace:
    fields = {
        "partition_key": key,
        "run_after": at("2026-04-02"),
        "triggering_user_name": None,
        "dag_id": "shop_report",
    }
    return SimpleNamespace(**{**fields, "run_id": "r", **changes})


@pytest.fixture
def march(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Eight days that are all of the month, in an installation that tasks find through the environment."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", shop.ws.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(shop.ws.store.root))
    monkeypatch.setenv("FRAUDOPS_LANDING", str(shop.ws.landing))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", shop.ws.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", shop.ws.ledger_key.hex())
    monkeypatch.setenv("FRAUDOPS_RULES", str(Path(__file__).resolve().parents[2] / "include" / "rules"))
    return replace(shop, portfolio=portfolio_of(start="2026-03-01T00:00:00+00:00", end="2026-03-09T00:00:00+00:00"))


def _call(dag: Any, task: str, **context: Any) -> Any:
    return dag.get_task(task).python_callable(**context)


def test_a_month_is_waited_for_then_made_once(march: Shop) -> None:
    longer = portfolio_of(start="2026-03-01T00:00:00+00:00", end="2026-03-12T00:00:00+00:00")
    waiting = build_report(longer)
    assert not _call(waiting, "wait", params=FORM, dag_run=run()).is_done
    assert _call(waiting, "wait", params={**FORM, "incomplete": True}, dag_run=run()).is_done
    dag = build_report(march.portfolio)
    assert _call(dag, "wait", params=FORM, dag_run=run()).is_done
    first = _call(dag, "make", params=FORM, dag_run=run())
    again = _call(dag, "make", params={**FORM, "month": "2026-03"}, dag_run=run(None, triggering_user_name="ann"))
    assert (first["state"], again["state"], first["digests"]) == ("made", "unchanged", again["digests"])
    assert [entry.actor for entry in march.ledger("monthly_pack")] == ["service:shop_report"]
    with pytest.raises(ContractError, match="nothing is known up to 2026-05-01"):
        _call(dag, "make", params={**FORM, "as_of": "2026-05-01"}, dag_run=run())


def test_reconcile_starts_what_was_missed(march: Shop) -> None:
    dag = build_reconcile(march.portfolio)
    found = _call(dag, "find_unreported", dag_run=run())
    assert found == [{"trigger_run_id": "month__2026-03__2026-W14", "conf": {"month": "2026-03", "incomplete": False}}]
    _call(build_report(march.portfolio), "make", params=FORM, dag_run=run())
    assert _call(dag, "find_unreported", dag_run=run()) == []
    # A branch skips what hangs on it directly: this one runs whichever way monitoring went.
    task = dag.get_task("find_unreported")
    assert task.upstream_task_ids == {"monitoring.retrain", "monitoring.send_notices"}
    assert task.trigger_rule == "none_failed"


@pytest.mark.parametrize(("key", "month"), [(None, ""), ("2026-03", "2026-04"), ("2026-03-01", ""), (None, "March")])
def test_a_run_is_for_one_month(key: str | None, month: str) -> None:
    with pytest.raises(ContractError, match=r"month"):
        requested_month(run(key), {**FORM, "month": month})


def test_every_day_of_a_month_starts_its_run_and_other_partitions_leave_it_to_reconcile() -> None:
    from airflow.partition_mappers.base import RollupMapper
    from airflow.partition_mappers.temporal import StartOfMonthMapper
    from airflow.partition_mappers.window import MonthWindow

    schedule = build_report(portfolio_of()).schedule
    assert type(schedule).__name__ == "PartitionedAssetTimetable"
    # The scheduler's own mapper, made as ours is.
    mapper = RollupMapper(upstream_mapper=StartOfMonthMapper(input_format="%Y-%m-%d"), window=MonthWindow())
    assert mapper.to_downstream("2026-03-05") == "2026-03"
    assert len(set(mapper.to_upstream("2028-02"))) == 29
    assert build_report(portfolio_of(partition_hours=168)).schedule is None
    assert build_report(portfolio_of(monthly={"enabled": False})).schedule is None
    assert "find_unreported" not in build_reconcile(portfolio_of(monthly={"enabled": False})).task_ids
