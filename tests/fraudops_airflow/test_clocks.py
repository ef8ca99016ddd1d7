"""The task of clocks, as Airflow calls it."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from fraudops_airflow.clocks import build_clocks

from tests.filings.conftest import Bank, bank, noon

__all__ = ["bank"]


def _look(bank: Bank, day: str) -> Any:
    run = SimpleNamespace(run_after=noon(day), triggering_user_name=None, dag_id="accounts_clocks")
    return build_clocks(bank.portfolio).get_task("look_at_deadlines").python_callable(dag_run=run)


def test_it_tells_once_and_says_nowhere_what_the_deadlines_are_of(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in (
        ("DATABASE_URL", bank.ws.database_url),
        ("STORE", str(bank.root)),
        ("LANDING", str(bank.ws.landing)),
        ("TOKEN_KEY", bank.ws.token_key.hex()),
        ("LEDGER_KEY", bank.ws.ledger_key.hex()),
    ):
        monkeypatch.setenv(f"FRAUDOPS_{name}", value)
    caplog.set_level(logging.INFO)
    bank.escalate(bank.case(), "2026-03-01", "2026-03-03")
    handed_on = [_look(bank, day) for day in ("2026-03-03", "2026-03-25", "2026-03-25", "2026-03-31")]
    assert handed_on == [None, {"told": 1, "notices": 1}, None, {"told": 1, "notices": 1}]
    dag = build_clocks(bank.portfolio)
    assert dag.get_task("send_notices").upstream_task_ids == {"look_at_deadlines"}
    seen = " ".join((caplog.text, json.dumps(handed_on), str(dag.doc_md), *dag.task_dict, *dag.params)).casefold()
    for word in ("suspic", "sar", "ctr", "currency", "filing", "c17", "accounts-17"):
        assert word not in seen.replace("necessary", ""), word
