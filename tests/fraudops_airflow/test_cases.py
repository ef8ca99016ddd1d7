"""The tasks that gather cases, as Airflow calls them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from fraudops import cases
from fraudops.database import Disposition
from fraudops_airflow.defaults import scores_asset
from fraudops_airflow.reconcile import build_reconcile
from fraudops_airflow.score import build_score
from sqlalchemy import select

from tests.cases.conftest import DAY, Desk, alerted, alerted_once
from tests.decisions.conftest import Bank, bank

__all__ = ["alerted", "alerted_once", "bank"]

RUN = SimpleNamespace(
    triggering_user_name=None, dag_id="cards_score", partition_key=DAY, run_type="asset_triggered", run_after=None
)


def find_it(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tasks find the installation through the environment, as they do."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", bank.ws.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(bank.ws.store.root))
    monkeypatch.setenv("FRAUDOPS_LANDING", str(bank.ws.landing))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", bank.ws.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", bank.ws.ledger_key.hex())


def test_score_gathers_the_alerts_that_it_raises(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    find_it(bank, monkeypatch)
    bank.promote("2026-03-01", "2026-02-20")
    task = build_score(bank.portfolio).get_task("score").python_callable
    events = {scores_asset(bank.portfolio): SimpleNamespace()}
    first, again = (task(dag_run=RUN, triggering_asset_events={}, outlet_events=events) for _ in range(2))
    assert first["raised"] == 2
    assert first["notices"]
    assert again is None, "nothing to send twice"
    with bank.ws.transaction() as session:
        (case,) = cases.find(session, cases.Wanted("cards"))
    assert case.items == 2
    assert [event.by for event in Desk(bank.ws, bank.portfolio).events()] == ["service:cards_score"]


def test_reconcile_gathers_what_nobody_has_and_hands_over_what_was_left(
    alerted: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_it(alerted, monkeypatch)
    desk, find_undone = Desk(alerted.ws, alerted.portfolio), build_reconcile(alerted.portfolio).get_task("find_undone")
    find_undone.python_callable(dag_run=RUN)
    desk.do(cases.start)
    desk.do(cases.close, finding="not_fraud", reason="r")
    desk.do(cases.approve, by="olga")
    assert alerted.ws.store.keys("dispositions", "cards") == []
    find_undone.python_callable(dag_run=RUN)
    with alerted.ws.transaction() as session:
        assert all(row.handed_over_at for row in session.scalars(select(Disposition)))
    assert len(alerted.ws.store.keys("dispositions", "cards")) == 1
