"""The pages in a test client: as a stranger, and as somebody who is logged in to Airflow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

# Airflow writes a configuration file when it is first imported: into a folder of this test run, not a person's.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="fo-airflow-"))

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from fraudops.portfolio import Portfolio
from fraudops.roles import read_roles
from fraudops.workspace import Workspace
from fraudops_airflow.web import app as web
from fraudops_airflow.web.access import Person, remember, signed_in
from fraudops_airflow.web.archive import Archive, open_archive, open_workspace
from fraudops_airflow.web.runs.airflow import Airflow, Run, open_airflow

from tests.plugins.installation import fill

ROLES = read_roles(Path(__file__).resolve().parents[2] / "include" / "roles.yaml")


@pytest.fixture
def archive(workspace: Workspace, portfolios: dict[str, Portfolio]) -> Archive:
    """An empty installation with the portfolios that ship with the project."""
    return Archive(workspace.store, workspace.database_url, portfolios, workspace)


@pytest.fixture
def application(archive: Archive, workspace: Workspace) -> Iterator[FastAPI]:
    """The pages over the test's installation, with Airflow's own check of the user.

    They are those of the process, as in Airflow: to build a hundred routes and to compile templates takes longer than
    most tests. What a test puts in the place of something goes with it.
    """
    app = web.create_app()
    app.dependency_overrides = {open_archive: lambda: archive, open_workspace: lambda: workspace}
    yield app
    app.dependency_overrides = {}


@pytest.fixture
def stranger(application: FastAPI) -> TestClient:
    """Somebody without a session."""
    return TestClient(application)


@pytest.fixture
def may(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What Airflow allows the user who is logged in: methods, as its auth manager knows them."""
    allowed = {"GET", "POST", "PUT"}
    monkeypatch.setattr(Airflow, "_may", lambda self, method, dag_id, entity: method in allowed)
    return allowed


@pytest.fixture
def airflow_runs(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Run]:
    """The runs that Airflow knows of, by DAG and run id."""
    known: dict[tuple[str, str], Run] = {}
    monkeypatch.setattr(
        Airflow, "run", lambda self, dag_id, run_id: known.get((dag_id, run_id)) if self.may_read(dag_id) else None
    )
    return known


@pytest.fixture
def visit(application: FastAPI, may: set[str], airflow_runs: dict[tuple[str, str], Run]) -> Callable[..., TestClient]:
    """Log somebody in: ``visit("analyst")``, with the roles that the project's roles.yaml gives; one at a time."""

    def visit(name: str, *, headers: dict[str, str] | None = None) -> TestClient:
        def known(request: Request) -> Person:
            return remember(request, Person(name, ROLES.of(name), ROLES))

        application.dependency_overrides[signed_in] = known
        application.dependency_overrides[open_airflow] = lambda: Airflow(user=None)  # type: ignore[arg-type]
        return TestClient(application, headers={"Sec-Fetch-Site": "same-origin"} | (headers or {}))

    return visit


@pytest.fixture
def client(visit: Callable[..., TestClient]) -> TestClient:
    """Somebody who is logged in and has no business role."""
    return visit("a.viewer")


@pytest.fixture
def small_installation(workspace: Workspace) -> Workspace:
    """Three partitions, two of them scored, a champion, alerts, notices, a report, validations, a quarantine."""
    fill(workspace)
    return workspace
