"""The desk of the tests of cases, seen through the pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from fraudops.workspace import Workspace
from fraudops_airflow.web.access import Person, remember, signed_in

from tests.cases.conftest import ROLES, Desk, alerted, alerted_once, desk

__all__ = ["alerted", "alerted_once", "desk"]
CASE = "/cases/cards/1"


@pytest.fixture
def workspace(desk: Desk) -> Workspace:
    """The pages show the desk's installation."""
    return desk.ws


@pytest.fixture
def sit(application: FastAPI, desk: Desk) -> Callable[[str], TestClient]:
    """Let somebody of the tests' bank sit down: ann and bob investigate, olga and omar are compliance officers."""

    def sit(name: str) -> TestClient:
        def known(request: Request) -> Person:
            return remember(request, Person(name, ROLES.of(name), ROLES))

        application.dependency_overrides[signed_in] = known
        return TestClient(application, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False)

    return sit
