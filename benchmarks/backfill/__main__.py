"""Backfills simulated days on a stack of its own: ``python -m benchmarks.backfill [--days 365] [--rows 10000]``.

A champion is trained on thirty earlier days by the library alone, which is not counted. Then the days' files are
written, a backfill of ``cards_ingest`` is asked for by REST, and the clock runs until every day is scored and every run
that followed has ended. CPU time is that of all processes of the stack, PostgreSQL's among them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from fraudops.intake.simulation import World, save_world, write_day
from fraudops.portfolio import Portfolio, load_all
from fraudops.settings import Settings
from fraudops.stack.client import AirflowClient
from fraudops.stack.environment import load
from fraudops.stack.lifecycle import Stack
from fraudops.store import Store

from benchmarks.backfill.champion import promote_champion
from benchmarks.backfill.processes import cpu_seconds
from benchmarks.header import header

START = date(2025, 1, 1)
HISTORY = 30
PORTFOLIO = "cards"
GOAL = 2.5


def main() -> None:
    """Measure and print one JSON line."""
    options = _options()
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="fo-bf-", dir=options.folder) as folder:
        os.environ |= {"FRAUDOPS_STATE": f"{folder}/state"}
        result = _measure(options)
    result |= {"goal": GOAL, "met": result["seconds_per_day"] <= GOAL}
    result["header"] = header(quick=options.days < 365, data=(), load_before=load_before)
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in result.items() if name != "header"}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backfill", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rows", type=int, default=10_000, help="payments a day")
    parser.add_argument("--port", type=int, default=8121, help="of the stack's UI")
    parser.add_argument("--folder", type=Path, help="where the stack's folder is made and removed")
    parser.add_argument("--output", type=Path, help="where the JSON goes, with versions and load")
    return parser.parse_args()


def _measure(options: argparse.Namespace) -> dict[str, object]:
    settings = Settings.from_environment()
    stack = Stack(settings)
    try:
        stack.up(_tell, port=options.port)
        load(settings)
        settings = Settings.from_environment()
        landing = settings.landing / PORTFOLIO
        landing.mkdir(parents=True, exist_ok=True)
        world = World(seed=7, start=START, payments_per_day=options.rows)
        save_world(landing, world)
        _tell(f"training a champion on {HISTORY} days")
        promote_champion(settings, PORTFOLIO, world, HISTORY)
        first = START + timedelta(days=HISTORY)
        days = [first + timedelta(days=number) for number in range(options.days)]
        _tell(f"writing {len(days)} files")
        for day in days:
            write_day(landing, world, day)
        return _backfill(stack, settings, days)
    finally:
        stack.reset()


def _backfill(stack: Stack, settings: Settings, days: list[date]) -> dict[str, object]:
    store, portfolio = Store(settings.store), load_all(settings.portfolios)[PORTFOLIO]
    client = stack.client()
    workflows = [
        name for name in ("ingest", "score", "monitor", "notify") if portfolio.dag_id(name) in client.dag_ids()
    ]
    for name in workflows:
        client.set_paused(portfolio.dag_id(name), False)
    _settle(client, portfolio, workflows)
    before, started = cpu_seconds(settings.state), time.monotonic()
    first, last = (portfolio.partitioning.start(day.isoformat()) for day in (days[0], days[-1]))
    client.create_backfill(portfolio.dag_id("ingest"), first, last)
    wanted, told = {day.isoformat() for day in days}, 0
    while True:
        done = wanted & set(store.keys("scores", PORTFOLIO))
        if len(done) >= told + 10:
            told = len(done)
            _tell(f"{told} of {len(wanted)} days after {time.monotonic() - started:.0f} s")
        if done == wanted and not _busy(client, portfolio, workflows):
            break
        if time.monotonic() - started > 60 + 20 * len(days):
            raise RuntimeError(
                f"{len(wanted - done)} days are not scored, such as {min(wanted - done, default='none')}"
            )
        time.sleep(0.5)
    elapsed, spent = time.monotonic() - started, cpu_seconds(settings.state)
    return {
        "days": len(days),
        "seconds": round(elapsed, 1),
        "seconds_per_day": round(elapsed / len(days), 3),
        "cpu_seconds_per_day": {
            name: round((spent[name] - before.get(name, 0.0)) / len(days), 3) for name in sorted(spent)
        },
        "workflows": workflows,
        "task_seconds": _task_seconds(client, portfolio, workflows),
    }


def _settle(client: AirflowClient, portfolio: Portfolio, workflows: list[str]) -> None:
    """Wait for what starts by itself when a DAG is turned on: it is not part of the backfill."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 5:
        time.sleep(0.5)
        if _busy(client, portfolio, workflows):
            quiet_since = time.monotonic()


def _busy(client: AirflowClient, portfolio: Portfolio, workflows: list[str]) -> bool:
    return any(
        client.runs(portfolio.dag_id(name), state=state) for name in workflows for state in ("running", "queued")
    )


def _task_seconds(client: AirflowClient, portfolio: Portfolio, workflows: list[str]) -> dict[str, float]:
    """Median of each task's duration over the newest runs."""
    found: dict[str, list[float]] = {}
    for name in workflows:
        answer = client.request(
            "GET",
            f"/dags/{portfolio.dag_id(name)}/dagRuns/~/taskInstances",
            params={"order_by": "-start_date", "limit": 100, "state": "success"},
        )
        for task in answer["task_instances"]:
            if task["duration"] is not None:
                found.setdefault(f"{name}.{task['task_id']}", []).append(task["duration"])
    return {name: round(statistics.median(values), 3) for name, values in sorted(found.items())}


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
