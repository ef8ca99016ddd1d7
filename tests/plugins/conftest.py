"""The pages in a test client: as a stranger, and as somebody who is logged in to Airflow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

# Airflow writes a configuration file when it is first imported: into a folder of this test run, not a person's.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="fo-airflow-"))

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from fraudops_airflow.web import app as web
from fraudops_airflow.web.archive import Archive


@pytest.fixture
def archive(workspace: Workspace, portfolios: dict[str, Portfolio]) -> Archive:
    """An empty installation with the portfolios that ship with the project."""
    return Archive(workspace.store, workspace.database_url, portfolios, workspace)


@pytest.fixture
def application(archive: Archive) -> Iterator[FastAPI]:
    """The pages over the test's installation, with Airflow's own check of the user."""
    web.create_app.cache_clear()
    app = web.create_app()
    app.dependency_overrides[web.open_archive] = lambda: archive
    yield app
    web.create_app.cache_clear()


@pytest.fixture
def stranger(application: FastAPI) -> TestClient:
    """Somebody without a session."""
    return TestClient(application)


@pytest.fixture
def client(application: FastAPI) -> TestClient:
    """Somebody who is logged in."""
    application.dependency_overrides[web.signed_in] = lambda: None
    return TestClient(application)
