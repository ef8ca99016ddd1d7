"""The web application that the plugin mounts: its sections, and what holds for every page."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fraudops.errors import ConfigurationError, ConflictError, ContractError, FraudopsError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteHTTPException

from fraudops_airflow.web import assets, documents
from fraudops_airflow.web.access import came_from_here, signed_in
from fraudops_airflow.web.cases import alert_routes as alerts
from fraudops_airflow.web.cases import routes as cases
from fraudops_airflow.web.compliance import routes as compliance
from fraudops_airflow.web.drift import routes as drift
from fraudops_airflow.web.models import routes as models
from fraudops_airflow.web.overview import routes as overview
from fraudops_airflow.web.rendering import render
from fraudops_airflow.web.runs import routes as runs
from fraudops_airflow.web.runs import tabs

log = logging.getLogger(__name__)

URL_PREFIX = "/fraud-ops"
READING = {"GET", "HEAD", "OPTIONS"}
LONGEST_NAME = 250
"""Bytes of a segment of a path; Airflow's own ids are not longer."""
ROUTERS = (
    overview.router,
    cases.router,
    alerts.router,
    models.router,
    drift.router,
    compliance.router,
    runs.router,
    tabs.router,
    documents.router,
    assets.router,
)


@cache
def create_app() -> FastAPI:
    """The application, built once per process."""
    app = FastAPI(
        title="Fraud Ops",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(signed_in)],
    )
    app.middleware("http")(_guard)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _no_such_question)
    app.add_exception_handler(FraudopsError, _not_so)
    app.add_exception_handler(SQLAlchemyError, _no_database)
    for router in ROUTERS:
        app.include_router(router)
    return app


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """What holds for every request: nothing changes on another site's word, and every answer says what it may load.

    Our own style and scripts carry a nonce; nothing else may run or load. Style attributes are allowed, because Plotly
    sets them; templates have none.
    """
    request.state.nonce = secrets.token_urlsafe(16)
    if request.method not in READING and not came_from_here(request):
        response: Response = _problem(
            request, 403, "Not from here", "What changes something must come from a page of Fraud Ops itself."
        )
    elif _names_nothing(request):
        response = _problem(request, 404, "Nothing here", "Nothing can have such a name.")
    else:
        response = await call_next(request)
    nonce = f"'nonce-{request.state.nonce}'"
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; style-src {nonce}; style-src-attr 'unsafe-inline'; script-src {nonce}; "
        "img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'self'",
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _names_nothing(request: Request) -> bool:
    """Whether an address has what no name can have, and what would be an error of the database or the disk.

    PostgreSQL takes no NUL in a text; file systems take 255 bytes in a name, of which the store needs some.
    """
    path = str(request.scope["path"])
    too_long = any(len(part.encode()) > LONGEST_NAME for part in path.split("/"))
    return too_long or "\0" in path or b"%00" in request.scope["query_string"]


def _refused(request: Request, error: Exception) -> HTMLResponse:
    """Not logged in, not allowed, not there."""
    status = error.status_code if isinstance(error, StarletteHTTPException) else 500
    said = str(getattr(error, "detail", ""))
    if status == 401:
        return _problem(request, 401, "Log in to Airflow first", "These pages open with the session of the Airflow UI.")
    if status == 403:
        known = getattr(request.state, "person", None) is not None
        remedy = "Roles are in include/roles.yaml." if known else "Ask for read access to Airflow's plugins."
        return _problem(request, 403, "Your roles do not include this", said if known else "", remedy)
    return _problem(request, status, {404: "Nothing here"}.get(status, "That did not work"), said)


def _no_such_question(request: Request, error: Exception) -> HTMLResponse:
    """A parameter or a field that is not what it must be; what was sent is not repeated."""
    wrong = error.errors() if isinstance(error, RequestValidationError) else []
    told = "; ".join(sorted({f"{item['loc'][-1]}: {item['msg']}" for item in wrong}))
    return _problem(request, 422, "That is not how to ask", told)


def _not_so(request: Request, error: Exception) -> HTMLResponse:
    """What was asked for cannot be done, or not any more; the error itself says why, and what to do."""
    if isinstance(error, ConfigurationError) or not isinstance(error, ContractError):
        log.warning("fraud-ops page %s: %s", request.url.path, error)
        return _told(request, 503, "Fraud Ops is not set up completely", error)
    if isinstance(error, ConflictError):
        return _told(request, 409, "Somebody was faster", error)
    return _told(request, 422, "That cannot be done", error)


def _told(request: Request, status: int, title: str, error: Exception) -> HTMLResponse:
    what, where, remedy = (getattr(error, name, None) for name in ("what", "where", "remedy"))
    return _problem(request, status, title, ": ".join(part for part in (where, what) if part), remedy)


def _no_database(request: Request, error: Exception) -> HTMLResponse:
    """The database does not answer, or has no tables; its message may name hosts, so it goes to the log alone."""
    log.error("fraud-ops page %s", request.url.path, exc_info=error)
    return _problem(
        request,
        503,
        "The fraudops database does not answer as it should",
        "It is down, cannot be reached, or its tables have not been made.",
        "Look into the api-server's log; 'make up' starts the local database and brings its tables up to date.",
    )


def _problem(request: Request, status: int, title: str, detail: Any, remedy: str | None = None) -> HTMLResponse:
    query = f"?{request.url.query}" if request.url.query else ""
    return render(request, "problem.html", query=query, status=status, title=title, detail=detail, remedy=remedy)
