"""Every route, as nobody, as a viewer, and as another site would ask for it in somebody's name."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from fraudops.roles import Person as Entry
from fraudops.roles import Roles
from fraudops.workspace import Workspace
from fraudops_airflow.web.access import recognised
from fraudops_airflow.web.app import READING
from fraudops_airflow.web.navigation import SECTIONS

from tests.plugins.installation import RUN

EXAMPLES = {
    "portfolio": "cards",
    "run_id": quote(RUN, safe=""),
    "key": "2026-03-19",
    "area": "reports",
    "folder": quote(RUN, safe=""),
    "file": "index.html",
    "version": "v1",
    "run": "2026-03-01_2026-03-19_v1_0a1b2c3d",
    "hit": "0123abcd",
    "rule": "cash_over_threshold",
    "snooze": "1",
    "number": "1",
    "draft": "1",
    "month": "2020-01",
    "edition": "2026-03_as-of-2026-04-01T00",
    "digest": "0" * 16,
    "step": "note",
    "sha256": "0" * 64,
    "digits": "0123456789abcdef",
    "check": "average-precision",
    "name": "style.css",
    "action": "ingest",
    "dag_id": "cards_ingest",
    "task_id": "land",
    "label": "Validation",
}
"""A value for each parameter that a route may have."""


def routes(application: FastAPI) -> list[tuple[str, str]]:
    """Each method and a concrete address of each route there is; a route that cannot be walked fails the test."""
    found = []
    for route in application.routes:
        assert isinstance(route, APIRoute), f"{route} is not covered by the application's check of the user"
        found.extend((method, route.path.format(**EXAMPLES)) for method in sorted(route.methods))
    assert len(found) > 14
    return found


def restricted(path: str) -> bool:
    """Whether the menu keeps a path's page for some."""
    first = path.strip("/").split("/")[0]
    return any(page.roles for section in SECTIONS for page in section.pages if page.path == first)


def test_every_route_wants_a_user(application: FastAPI, stranger: TestClient, small_installation: Workspace) -> None:
    walked = [*routes(application), ("GET", "/documents/nonsense/cards/x/index.html")]
    for method, path in walked:
        answer = stranger.request(method, path, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 401, (method, path)
        assert "vera.validator" not in answer.text
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]


def test_a_stranger_is_led_back_after_logging_in(stranger: TestClient) -> None:
    page = stranger.get("/monitoring/cards").text
    assert "/api/v2/auth/login?next=%2Fmonitoring%2Fcards" in page
    asked = stranger.get("/cases?portfolio=cards&sort=deadline").text
    assert "/api/v2/auth/login?next=%2Fcases%3Fportfolio%3Dcards%26sort%3Ddeadline" in asked
    # Files are not for strangers, so the page brings its style.
    assert "--accent" in page
    assert "/assets/" not in page


def test_a_viewer_opens_what_is_for_everybody_and_nothing_else(
    application: FastAPI, client: TestClient, small_installation: Workspace
) -> None:
    for method, path in routes(application):
        status = client.request(method, path).status_code
        if restricted(path):
            assert status == 403, (method, path)
        elif method in READING:
            assert status in {200, 404}, (method, path)
        else:
            assert status == 403, f"{method} {path} changes something, and a viewer may not"


ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
)
"""What browsers say of a request that another site makes, or a bookmark."""


def test_another_site_changes_nothing(
    application: FastAPI, visit: Callable[..., TestClient], small_installation: Workspace
) -> None:
    for headers in ELSEWHERE:
        visitor = visit("admin", headers=headers)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for path in {path for _, path in routes(application)}:
                assert visitor.request(method, path).status_code == 403, (headers, method, path)


def test_without_word_of_where_it_comes_from_the_origin_decides(application: FastAPI, stranger: TestClient) -> None:
    asked = {"http://testserver": 401, "http://testserver.evil.example": 403, "null": 403, "": 403}
    found = {
        origin: stranger.post("/validation", headers={"Origin": origin} if origin else {}).status_code
        for origin in asked
    }
    # 405: there is no such route, but the request was let through to be told so.
    assert {origin: 401 if status == 405 else status for origin, status in found.items()} == asked


def test_there_are_no_generated_pages(client: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


def test_a_user_without_the_permission_is_refused(application: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.api_fastapi.core_api import security

    class NoPlugins:
        """An auth manager whose user may not see plugins."""

        async def get_user_from_token(self, token: str) -> str:
            return token

        def is_authorized_view(self, *, access_view: object, user: object) -> bool:
            return False

    monkeypatch.setattr(security, "get_auth_manager", NoPlugins)
    visitor = TestClient(application, headers={"Authorization": "Bearer somebody"})
    for method, path in routes(application):
        assert visitor.request(method, path).status_code == 403, path


class User:
    """As Airflow's auth managers hand one out."""

    def __init__(self, number: int | str, name: str) -> None:
        self.id, self.name = number, name

    def get_id(self) -> int | str:
        return self.id

    def get_name(self) -> str:
        return self.name


def test_people_are_known_by_name_or_by_the_id_that_the_file_gives() -> None:
    roles = Roles(users={"vera": Entry(roles=("model_validator",), id="7"), "ivan": Entry(roles=("investigator",))})
    assert recognised(User("ivan", "ivan"), roles).roles == ("investigator",)  # type: ignore[arg-type]
    vera = recognised(User(7, "vera@bank.example"), roles)  # type: ignore[arg-type]
    assert (vera.name, vera.roles) == ("vera", ("model_validator",))
    assert recognised(User("x", "somebody"), roles).roles == ()  # type: ignore[arg-type]


def test_nobody_takes_a_name_that_the_file_gives_to_another_id() -> None:
    """Where the file says by which id Airflow knows a person, the name alone is not enough."""
    roles = Roles(users={"vera": Entry(roles=("model_validator",), id="7")})
    assert recognised(User(8, "vera"), roles).roles == ()  # type: ignore[arg-type]
