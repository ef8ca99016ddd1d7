"""Immediate notices: what the triggerer sees in the outbox, and what the task then sends."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fraudops.notices.outbox import queue, urgent
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from sqlalchemy import text


def _queue(ws: Workspace, portfolio: Portfolio, kind: str, name: str) -> None:
    with ws.transaction() as session:
        queue(
            session, portfolio=portfolio, kind=kind, dedupe_key=name, recipients=["c@bank.example"], subject="s",
            text="t",
            html="h", as_of=datetime(2026, 3, 2, tzinfo=UTC),
        )  # fmt: skip


def _trigger(monkeypatch: pytest.MonkeyPatch, ws: Workspace, **changes: Any) -> Any:
    from fraudops_airflow.outbox_trigger import OutboxTrigger

    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", ws.database_url)
    return OutboxTrigger(**{"portfolio": "cards", "every": 0.02, "lasts": 30.0, **changes})


async def _fires(trigger: Any) -> Any:
    return (await anext(trigger.run())).payload["notices"]


def test_it_fires_with_an_immediate_notice_alone(
    workspace: Workspace, portfolios: dict[str, Portfolio], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait() -> Any:
        waiting = asyncio.create_task(_fires(_trigger(monkeypatch, workspace)))
        _queue(workspace, portfolios["cards"], "digest", "a")
        _queue(workspace, portfolios["accounts"], "immediate", "b")
        await asyncio.sleep(0.2)
        assert not waiting.done()
        _queue(workspace, portfolios["cards"], "immediate", "c")
        return await waiting

    (number,) = asyncio.run(wait())
    assert urgent(workspace.database_url, "cards") == [number]
    with workspace.transaction() as session:
        session.execute(text("update notice set state = 'sent'"))
    assert urgent(workspace.database_url, "cards") == []


def test_it_gives_up_its_turn_and_another_triggerer_takes_over(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.module_loading import import_string

    path, given = _trigger(monkeypatch, workspace, lasts=0.05).serialize()
    assert json.loads(json.dumps(given)) == given
    assert workspace.database_url not in json.dumps(given)
    assert asyncio.run(_fires(import_string(path)(**given))) == []


def test_without_a_database_nothing_is_urgent() -> None:
    assert urgent("postgresql+psycopg2://nobody@127.0.0.1:1/none?connect_timeout=1", "cards") == []


def test_the_task_waits_and_then_sends(portfolios: dict[str, Portfolio], monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowException, AirflowSkipException, TaskDeferred
    from fraudops_airflow import urgent as module

    task = module.build_urgent(portfolios["cards"]).get_task("wait_for_notices")
    with pytest.raises(TaskDeferred) as deferred:
        task.execute({})
    assert deferred.value.method_name == "arrived"
    with pytest.raises(AirflowSkipException):
        task.arrived({}, {"notices": []})

    def away(waiting: str) -> None:
        raise AirflowException(waiting)

    with monkeypatch.context() as patch:
        patch.setattr(module, "require_mail_server", away)
        with pytest.raises(AirflowException, match="1 immediate notices"):
            task.arrived({}, {"notices": [7]})
        patch.setattr(module, "require_mail_server", lambda _: None)
        assert task.arrived({}, {"notices": [7]}) == [7]
    (send,) = task.downstream_list
    assert send.task_id == "send"
