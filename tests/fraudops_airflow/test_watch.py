"""The watch: what the triggerer sees, what a run asks for, what ``land`` is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from jinja2 import Environment

DAY = "transactions_2026-03-05.csv"


def _trigger(folder: Path, **changes: Any) -> Any:
    from fraudops_airflow.landing_trigger import LandingTrigger

    given = {"known": {}, "every": 0.01, "settle": 0.05, "lasts": 60.0, **changes}
    return LandingTrigger(folder=str(folder), patterns=["transactions_*.csv*"], **given)


async def _fires(trigger: Any) -> Any:
    return (await anext(trigger.run())).payload["files"]


def test_it_fires_with_the_file_that_arrives(tmp_path: Path) -> None:
    async def wait() -> Any:
        waiting = asyncio.create_task(_fires(_trigger(tmp_path)))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        (tmp_path / ".hidden").write_text("x")
        (tmp_path / DAY).write_text("half")
        return await waiting

    assert asyncio.run(wait()) == [DAY]


def test_it_gives_up_its_turn_where_nothing_comes(tmp_path: Path) -> None:
    (tmp_path / DAY).write_text("known")
    state = (tmp_path / DAY).stat()
    known = {DAY: [state.st_size, state.st_mtime_ns]}
    assert asyncio.run(_fires(_trigger(tmp_path, known=known, lasts=0.2))) == []
    assert asyncio.run(_fires(_trigger(tmp_path / "not there yet", lasts=0.1))) == []


def test_another_triggerer_can_take_over(tmp_path: Path) -> None:
    from airflow.sdk.module_loading import import_string

    (tmp_path / DAY).write_text("x")
    path, given = _trigger(tmp_path).serialize()
    assert json.loads(json.dumps(given)) == given
    assert asyncio.run(_fires(import_string(path)(**given))) == [DAY]


@pytest.fixture
def arrived(workspace: Workspace, portfolios: dict[str, Portfolio], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The task of the watch on an empty installation."""
    from fraudops_airflow import context
    from fraudops_airflow.watch import build_watch

    monkeypatch.setattr(context, "open_workspace", lambda: workspace)
    (workspace.landing / "cards").mkdir()
    (workspace.landing / "cards" / DAY).write_text("x")
    return build_watch(portfolios["cards"]).get_task("wait_for_files")


def test_the_task_hands_over_what_is_known_and_asks_once(arrived: Any, workspace: Workspace) -> None:
    from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

    with pytest.raises(TaskDeferred) as deferred:
        arrived.execute({"run_id": "r1"})
    trigger = deferred.value.trigger
    assert (trigger.folder, trigger.known) == (str(workspace.landing / "cards"), {})
    assert deferred.value.method_name == "arrived"
    assert arrived.arrived({"run_id": "r1"}, {"files": [DAY]}) == [DAY]
    with pytest.raises(AirflowSkipException):
        arrived.arrived({"run_id": "r2"}, {"files": [DAY]})
    with pytest.raises(AirflowSkipException):
        arrived.arrived({"run_id": "r2"}, {"files": []})
    with pytest.raises(TaskDeferred) as deferred:
        arrived.execute({"run_id": "r2"})
    assert set(deferred.value.trigger.known) == {DAY}


def test_land_is_told_the_very_names(arrived: Any) -> None:
    land = arrived.downstream_list[0]
    names = ["transactions_a'b\"c.csv", "transactions_ü.csv"]

    class Instance:
        def xcom_pull(self, task_ids: str) -> list[str]:
            assert task_ids == "wait_for_files"
            return names

    rendered = Environment().from_string(land.conf).render(ti=Instance())
    assert json.loads(rendered) == {"path": names, "set_aside": True}
