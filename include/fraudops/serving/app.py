"""The service as an ASGI application: its routes, and what every answer of it has in common."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from fraudops.serving.access import Access
from fraudops.serving.limits import RateLimit
from fraudops.serving.logs import log_request
from fraudops.serving.openapi import schema
from fraudops.serving.pages import add_pages
from fraudops.serving.problems import MEDIA_TYPE, Kind, Problem
from fraudops.serving.scoring import Asked, Receive, Scoring
from fraudops.serving.service import Service

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
SCORE = "/v1/score"
_JSON = b"application/json"
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]
_log = logging.getLogger(__name__)


class ScoringApp:
    """The application.

    Parameters
    ----------
    service
        What answers.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        access = Access(service)
        self._scoring = Scoring(service, access, RateLimit(service.limits))
        self._others = _fastapi(service, access)
        self._counted = {status: service.metrics.requests.labels(SCORE, str(status)) for status in (200, 422, 429, 503)}
        self._seconds = service.metrics.seconds.labels(SCORE)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request; websockets and the like are turned away by the framework."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
        elif scope["path"] == SCORE:
            await self._score(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _score(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        begun, asked, request = time.perf_counter(), Asked(), secrets.token_hex(8)
        status, kind = 200, _JSON
        try:
            if scope["method"] != "POST":
                raise Problem(Kind.METHOD_NOT_ALLOWED, headers={"allow": "POST"})
            body, more = await self._scoring.answer(dict(scope["headers"]), receive, asked)
        except Exception as error:
            problem = _as_problem(error)
            self.service.metrics.problems.labels(problem.kind.slug).inc()
            status, kind, body, more = problem.kind.status, MEDIA_TYPE.encode(), problem.body, problem.headers
        await _respond(send, status, kind, body, more | {"x-request-id": request}, closing=self.service.stopping)
        took = time.perf_counter() - begun
        counted = self._counted.get(status) or self.service.metrics.requests.labels(SCORE, str(status))
        counted.inc()
        self._seconds.observe(took)
        log_request("POST", SCORE, status, took, request, key=asked.key, portfolio=asked.portfolio, rows=asked.rows)

    async def _pages(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        begun, status, request = time.perf_counter(), 500, secrets.token_hex(8)

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_SECURITY, (b"x-request-id", request.encode())]
            await send(message)

        await self._others(scope, receive, sent)
        route = getattr(scope.get("route"), "path", "other")
        took = time.perf_counter() - begun
        self.service.metrics.requests.labels(route, str(status)).inc()
        self.service.metrics.seconds.labels(route).observe(took)
        if route not in ("/healthz", "/readyz", "/metrics"):
            log_request(scope["method"] if route != "other" else "other", route, status, took, request)


def create_app(service: Service) -> ScoringApp:
    """The application that serves a service."""
    return ScoringApp(service)


# -- inside -------------------------------------------------------------------------------------------


def _fastapi(service: Service, access: Access) -> FastAPI:
    """Everything but scoring; the documents that would load scripts from elsewhere are off."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    add_pages(app, service, access)
    document = schema(service)

    @app.get("/openapi.json")
    async def openapi() -> dict[str, Any]:
        return document

    async def failed(request: Request, error: Exception) -> Response:
        problem = _as_problem(error)
        service.metrics.problems.labels(problem.kind.slug).inc()
        return Response(problem.body, problem.kind.status, problem.headers, MEDIA_TYPE)

    app.add_exception_handler(Problem, failed)
    app.add_exception_handler(HTTPException, failed)
    return app


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException) and error.status_code == 405:
        return Problem(Kind.METHOD_NOT_ALLOWED, headers={"allow": (error.headers or {}).get("Allow", "POST")})
    if isinstance(error, HTTPException) and error.status_code == 404:
        return Problem(Kind.NOT_FOUND, "See /openapi.json for what there is.")
    # Its text may hold a row: the type and the place are enough to find it.
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else "?"
    _log.error("a request failed: %s at %s", type(error).__name__, where)
    return Problem(Kind.INTERNAL, "Send it again; if it fails again, tell whoever runs the service.")


async def _respond(send: Send, status: int, kind: bytes, body: bytes, more: dict[str, str], *, closing: bool) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *_SECURITY]
    headers += [(name.encode(), value.encode()) for name, value in more.items()]
    if closing and "connection" not in more:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
