"""What can be looked at: decisions, portfolios, and how the service is."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from fraudops.decisions.immediate.records import thresholds_told
from fraudops.intake.single import RowReader
from fraudops.portfolio import Column, Role
from fraudops.serving import metrics
from fraudops.serving.access import Access
from fraudops.serving.api_keys import Grant
from fraudops.serving.problems import Kind, Problem
from fraudops.serving.service import Service

_KINDS = {
    Role.TIME: "ISO 8601 moment",
    Role.AMOUNT: "number",
    Role.NUMBER: "number",
    Role.BOOLEAN: "true or false",
    Role.LABEL: "true or false",
    Role.CARD: "card number",
    Role.ACCOUNT: "account number",
}
_ALWAYS = (Role.ID, Role.TIME, Role.AMOUNT)


def add_pages(app: FastAPI, service: Service, access: Access) -> None:
    """Add the routes that only read."""

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        why = service.unready()
        away = list(service.degraded())
        status = "unready" if why else "degraded" if away else "ready"
        return JSONResponse({"status": status, "why": why, "degraded": away}, 503 if why else 200)

    @app.get("/metrics")
    async def measures(request: Request) -> Response:
        _grant(access, request, "metrics")
        _look(service)
        return Response(service.metrics.text(), media_type=metrics.MEDIA_TYPE)

    @app.get("/v1/portfolios/{name}")
    async def portfolio(request: Request, name: str) -> dict[str, Any]:
        access.require_portfolio(_grant(access, request, "read"), name)
        return described(service, name)

    @app.get("/v1/decisions/{decision_id}")
    async def decision(request: Request, decision_id: str) -> dict[str, Any]:
        grant = _grant(access, request, "read")
        plausible = len(decision_id) <= 40 and "\0" not in decision_id and decision_id.isascii()
        found = await asyncio.to_thread(service.find_decision, decision_id) if plausible else None
        # One of a portfolio that the key is not for is as good as none.
        if found is None or not grant.covers(found[0]):
            raise Problem(Kind.NOT_FOUND, "There is no decision with this id.")
        return {"portfolio": found[0], **found[1]}


def described(service: Service, name: str) -> dict[str, Any]:
    """All that somebody needs to know who builds a request: columns, and the model in force."""
    portfolio, champion = service.portfolios[name], service.champions.current(name)
    return {
        "name": name,
        "title": portfolio.title,
        "currency": portfolio.currency,
        "minor_digits": portfolio.minor_digits,
        "columns": columns_of(service.readers[name]),
        "champion": None if champion is None else {"version": champion.version, "sha256": champion.sha256},
        "thresholds": None if champion is None else thresholds_told(asdict(champion.model.thresholds)),
        "most_transactions": service.limits.rows,
    }


def columns_of(reader: RowReader) -> list[dict[str, Any]]:
    """The fields of a transaction: name, kind, and whether it must be there."""
    feed = reader.feed
    found = []
    for field in feed.fields:
        column = feed.columns.get(field)
        found.append(
            {
                "name": field,
                "type": _kind(column),
                "required": column is not None and (column.required or column.role in _ALWAYS),
                "description": column.description if column is not None else "",
            }
        )
    return found


def _kind(column: Column | None) -> str:
    if column is None:
        return "text"
    if column.origin is not None:
        return f"number ({column.unit} since {column.origin.isoformat()})"
    return _KINDS.get(column.role, "text")


def _grant(access: Access, request: Request, scope: str) -> Grant:
    return access.require(dict(request.scope["headers"]), scope)


def _look(service: Service) -> None:
    service.metrics.waiting.set(service.scorer.waiting)
    service.metrics.ready.set(not service.unready())
    service.metrics.set_degraded(service.degraded())
    for name in service.portfolios:
        champion = service.champions.current(name)
        if champion is not None:
            service.metrics.set_champion(name, champion.version)
