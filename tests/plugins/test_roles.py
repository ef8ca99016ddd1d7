"""Who gets in where, what every answer says to the browser, and what made-up addresses are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args
from urllib.parse import quote

import pytest
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from fraudops.roles import BusinessRole
from fraudops.workspace import Workspace
from fraudops_airflow.web.access import Person, remember, signed_in
from fraudops_airflow.web.navigation import SECTIONS

from tests.plugins.conftest import ROLES
from tests.plugins.test_access import EXAMPLES, routes

HOSTILE = ("%2e%2e%2f..", "x%00y", "'\"><script>{{7*7}}", "%0d%0aSet-Cookie:a=b", "9" * 300)
PEOPLE = (*sorted(ROLES.users), "a.stranger.to.the.file")


def roles_of(path: str) -> tuple[str, ...]:
    """Who may open the page that a path belongs to, as the menu has it; empty: everybody."""
    first = path.strip("/").split("/")[0]
    return next((page.roles for section in SECTIONS for page in section.pages if page.path == first), ())


def test_pages_open_to_the_roles_that_the_menu_names(
    application: FastAPI, visit: Callable[..., TestClient], small_installation: Workspace
) -> None:
    for name in PEOPLE:
        visitor, held = visit(name), set(ROLES.of(name))
        for method, path in routes(application):
            asked = roles_of(path)
            if asked and not held & set(asked):
                answer = visitor.request(method, path)
                assert answer.status_code == 403, (name, method, path)
                assert "t-confidential" not in answer.text, (name, method, path)


def test_every_answer_says_what_it_may_load_and_who_may_frame_it(
    application: FastAPI, client: TestClient, small_installation: Workspace
) -> None:
    asked = [*routes(application), ("GET", "/nowhere"), ("POST", "/"), ("GET", "/documents/reports/x/y/z.html")]
    for method, path in asked:
        headers = client.request(method, path, follow_redirects=False).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'self'" in policy, path
        assert "unsafe-inline" not in policy.split("script-src")[-1].split(";")[0], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path
        assert "access-control-allow-origin" not in headers, path
        kept = path.startswith(("/assets/", "/documents/"))
        assert kept or "no-store" in headers["cache-control"], path


@pytest.fixture
def everything(application: FastAPI, visit: Callable[..., TestClient]) -> TestClient:
    """Somebody with every role: no page is refused before its names are looked at."""
    visitor = visit("admin")
    application.dependency_overrides[signed_in] = _with_every_role
    return visitor


def _with_every_role(request: Request) -> Person:
    return remember(request, Person("everybody", get_args(BusinessRole), ROLES))


def test_made_up_names_are_not_there_and_say_nothing(
    application: FastAPI, everything: TestClient, small_installation: Workspace
) -> None:
    readable = [route for route in application.routes if isinstance(route, APIRoute) and "GET" in route.methods]
    for route in readable:
        if "{portfolio}" in route.path:
            assert everything.get(route.path.format(**(EXAMPLES | {"portfolio": "nobody"}))).status_code == 404, route
        for parameter in route.param_convertors:
            for value in HOSTILE:
                path = route.path.format(**(EXAMPLES | {parameter: quote(value, safe="%")}))
                answer = everything.get(path, follow_redirects=False)
                assert answer.status_code < 500, path
                assert "<script>" not in answer.text.replace("<script nonce", ""), path
                assert "set-cookie" not in answer.headers, path


def test_hostile_questions_are_answered(
    application: FastAPI, everything: TestClient, small_installation: Workspace
) -> None:
    """Whatever stands behind the question mark, a page is a page: no error, and no script of somebody else."""
    names = ("portfolio", "first", "last", "day", "month", "as_of", "q", "after", "page", "sort", "state", "version")
    for value in HOSTILE[1:4]:
        query = "&".join(f"{name}={quote(value, safe='%')}" for name in names)
        for method, path in routes(application):
            if method == "GET":
                answer = everything.get(f"{path}?{query}", follow_redirects=False)
                assert answer.status_code < 500, (path, value)
                assert "<script>" not in answer.text.replace("<script nonce", ""), (path, value)
