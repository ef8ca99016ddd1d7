"""The MLflow mirror: what is sent, that it is sent once, and that nothing fails because of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import compare
from fraudops.reports import mirror as module
from fraudops.reports.evidence import file_packs
from fraudops.reports.mirror import mirror
from fraudops.stack.postgres import Postgres
from fraudops.workspace import Workspace

from tests.installations import Template
from tests.registry.runs import leave_run, payments

ON = {"MLFLOW_TRACKING_URI": "http://mlflow.example"}


class Server:
    """The calls of MLflow's client that the mirror makes, kept in memory."""

    def __init__(self) -> None:
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, Any] = {}
        self.artifacts: dict[str, dict[str, bytes]] = {}

    def get_experiment_by_name(self, name: str) -> Any:
        found = self.experiments.get(name)
        return SimpleNamespace(experiment_id=found) if found else None

    def create_experiment(self, name: str) -> str:
        self.experiments[name] = str(len(self.experiments) + 1)
        return self.experiments[name]

    def search_runs(self, experiments: list[str], filter_string: str) -> list[Any]:
        digest = filter_string.split("'")[1]
        return [run for run in self.runs.values() if digest in run.tags.values()]

    def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
        run = SimpleNamespace(
            info=SimpleNamespace(run_id=run_name), tags=tags, data=SimpleNamespace(params={}, metrics={})
        )
        self.runs[run_name] = run
        self.artifacts[run_name] = {}
        return run

    def get_run(self, run: str) -> Any:
        return self.runs[run]

    def log_param(self, run: str, name: str, value: str) -> None:
        assert name not in self.runs[run].data.params, "a parameter is written once"
        self.runs[run].data.params[name] = value

    def log_metric(self, run: str, name: str, value: float) -> None:
        self.runs[run].data.metrics[name] = value

    def log_artifact(self, run: str, path: str, folder: str) -> None:
        self.artifacts[run][f"{folder}/{Path(path).name}"] = Path(path).read_bytes()

    def set_terminated(self, run: str) -> None:
        self.runs[run].ended = True


@pytest.fixture(scope="module")
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


@pytest.fixture(scope="module")
def judged(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, cards: Portfolio) -> Template:
    """An installation with a training run and its verdict."""

    def train(ws: Workspace) -> None:
        leave_run(ws, cards, payments(), {"logistic_regression": "poor", "lightgbm": "best"})
        compare(ws, cards, run_id="run-1", as_of=datetime(2026, 4, 8, tzinfo=UTC))

    return Template.made(postgres, tmp_path_factory.mktemp("judged"), train)


@pytest.fixture
def run(judged: Template, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it of the test's own."""
    with judged.copy(tmp_path) as ws:
        yield ws


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server()
    monkeypatch.setattr(module, "_client", lambda address: found)
    return found


def test_without_an_address_nothing_is_sent(run: Workspace, cards: Portfolio, server: Server) -> None:
    found = mirror(run, cards, run_id="run-1", environment={})
    assert (found.state, server.runs) == ("off", {})
    assert "MLFLOW_TRACKING_URI is not set" in found.sentence


def test_parameters_metrics_figures_and_the_pack_arrive(run: Workspace, cards: Portfolio, server: Server) -> None:
    file_packs(run, cards, run_id="run-1")
    found = mirror(run, cards, run_id="run-1", environment=ON)
    assert (found.state, sorted(found.versions)) == ("mirrored", ["v1", "v2"])
    assert list(server.experiments) == ["fraudops/cards"]
    data = server.runs["v2 lightgbm"].data
    assert data.params["candidate"] == "lightgbm"
    assert data.params["thresholds.review"] == "0.4"
    assert 0 < data.metrics["average_precision.low"] < data.metrics["average_precision"]
    assert data.metrics["validation.positives"] > 0
    sent = server.artifacts["v2 lightgbm"]
    assert {"evidence/pack-r1.html", "evidence/pack-r1.json", "figures/roc.png"} <= set(sent)
    assert sent["figures/roc.png"].startswith(b"\x89PNG")
    assert not any("model" in name for name in sent)
    assert server.runs["v2 lightgbm"].ended


def test_the_same_again_makes_no_second_run(run: Workspace, cards: Portfolio, server: Server) -> None:
    mirror(run, cards, run_id="run-1", environment=ON)
    assert mirror(run, cards, run_id="run-1", environment=ON).state == "mirrored"
    assert len(server.runs) == 2


def test_a_failure_is_told_without_the_servers_words(
    run: Workspace, cards: Portfolio, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise ConnectionError("http://user:secret@mlflow.example refused")

    monkeypatch.setattr(server, "log_artifact", refuse)
    found = mirror(run, cards, run_id="run-1", environment=ON)
    assert (found.state, found.reason) == ("failed", "ConnectionError")
    assert "secret" not in found.sentence


def test_an_mlflow_that_is_not_installed_is_told(
    run: Workspace, cards: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    found = mirror(run, cards, run_id="run-1", environment=ON)
    assert found.state == "failed"
    assert "pip install 'fraudops[mlflow]'" in found.reason


def test_a_real_file_store_takes_it(
    run: Workspace, cards: Portfolio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = pytest.importorskip(
        "mlflow.tracking", reason="MLflow is the extra 'mlflow', which 'make install' leaves out"
    )
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    file_packs(run, cards, run_id="run-1")
    address = f"file:{tmp_path / 'mlruns'}"
    for _ in range(2):
        found = mirror(run, cards, run_id="run-1", environment={"MLFLOW_TRACKING_URI": address})
        assert found.state == "mirrored", found
    client = tracking.MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name("fraudops/cards").experiment_id
    runs = {one.info.run_name: one for one in client.search_runs([experiment])}
    assert sorted(runs) == ["v1 logistic_regression", "v2 lightgbm"]
    best = runs["v2 lightgbm"]
    assert best.info.status == "FINISHED"
    assert best.data.metrics["average_precision"] > 0.9
    there = [entry.path for entry in client.list_artifacts(best.info.run_id, "evidence")]
    assert there == ["evidence/pack-r1.html", "evidence/pack-r1.json"]
