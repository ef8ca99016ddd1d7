"""The web application that the plugin mounts: every page needs a user who may see Airflow's plugins.

Airflow mounts a plugin's application without any check of its own, so the check stands on the whole
application, and there are no generated API pages.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import date
from functools import cache
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from fraudops.errors import FraudopsError
from fraudops.keeping.size import storage
from fraudops.portfolio import Portfolio
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteHTTPException

from fraudops_airflow.web import summaries
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.rendering import render

log = logging.getLogger(__name__)

URL_PREFIX = "/fraud-ops"

_may_see_plugins = requires_access_view(AccessView.PLUGINS)


def signed_in(request: Request, user: GetUserDep) -> None:
    """Let through a user who is logged in and may see plugins: the rule by which Airflow shows the menu entry."""
    _may_see_plugins(request, user)


def open_archive() -> Archive:
    """The installation that the pages show; tests put another in its place."""
    return Archive.open()


ArchiveDep = Annotated[Archive, Depends(open_archive)]


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
    app.add_exception_handler(FraudopsError, _unavailable)
    app.add_exception_handler(SQLAlchemyError, _no_database)
    app.get("/")(overview)
    app.get("/monitoring")(monitoring)
    app.get("/monitoring/{portfolio}")(watched)
    app.get("/compliance")(compliance)
    app.get("/compliance/{portfolio}/{hit}")(rule_hit)
    app.get("/reports")(training_reports)
    app.get("/reports/{portfolio}/{run_id}")(training_report)
    app.get("/restated")(restatements)
    app.get("/restated/{portfolio}/{run}")(restatement)
    app.get("/evidence/{portfolio}/{version}")(evidence)
    app.get("/validation")(validations)
    app.get("/validation/{portfolio}/{key}")(validation)
    app.get("/quarantine")(quarantine)
    app.get("/documents/{area}/{portfolio}/{folder}/{file}")(document)
    return app


# -- pages: plain functions, which FastAPI runs in threads, since they wait for the database and the store ---


def overview(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Per portfolio: what came in, which model decides, what it raised, who was told."""
    return render(request, "overview.html", cards=summaries.overview(archive), storage=storage(archive.store))


def monitoring(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Every portfolio's status over time."""
    # Imported here: the room brings the libraries that measure, which most pages do not need.
    from fraudops_airflow.web.monitoring import watched

    pages = [(portfolio, watched(archive, portfolio)) for portfolio in archive.portfolios.values()]
    pages.sort(key=lambda page: (page[1] is None, page[0].name))
    return render(request, "monitoring.html", pages=pages)


def watched(request: Request, archive: ArchiveDep, portfolio: str) -> HTMLResponse:
    """One portfolio: checks over time, performance, distributions then and now."""
    from fraudops_airflow.web.monitoring import watched

    found = _portfolio(archive, portfolio)
    page = watched(archive, found)
    if page is None:
        raise HTTPException(404, f"Nothing of {portfolio} has been monitored yet.")
    return render(request, "watched.html", page=page)


def compliance(request: Request, archive: ArchiveDep, as_of: str = "") -> HTMLResponse:
    """The rules in force on a day with their numbers, and what they found by day."""
    from fraudops_airflow.web.compliance import ruled

    try:
        day = date.fromisoformat(as_of) if as_of else None
    except ValueError:
        raise HTTPException(404, "Write the day such as 2026-03-05.") from None
    pages = [ruled(archive, item, day) for item in archive.portfolios.values() if item.compliance is not None]
    return render(request, "compliance.html", pages=pages)


def rule_hit(request: Request, archive: ArchiveDep, portfolio: str, hit: str) -> HTMLResponse:
    """One hit: what was seen, and the numbers that it was compared with."""
    from fraudops_airflow.web.compliance import explained

    found = explained(archive, _portfolio(archive, portfolio), hit)
    if found is None:
        raise HTTPException(404, f"There is no hit {hit} of {portfolio}.")
    return render(request, "rule_hit.html", page=found)


def training_reports(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """The training runs that left a report."""
    return render(
        request,
        "reports.html",
        runs=summaries.training_runs(archive),
        portfolios=list(archive.portfolios.values()),
    )


def training_report(request: Request, archive: ArchiveDep, portfolio: str, run_id: str) -> HTMLResponse:
    """One run: what was compared, with its report below."""
    found = _portfolio(archive, portfolio)
    if not archive.has("reports", portfolio, run_id):
        raise HTTPException(404, f"There is no training report of run {run_id}.")
    with archive.reading() as session:
        run = summaries.training_run(session, found, run_id)
    return render(request, "report.html", run=run)


def restatements(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """What would be alerted today for days of the past: every restatement, by portfolio."""
    return render(
        request,
        "restatements.html",
        lines=summaries.restatements(archive),
        portfolios=list(archive.portfolios.values()),
    )


def restatement(request: Request, archive: ArchiveDep, portfolio: str, run: str) -> HTMLResponse:
    """One restatement, with its page below."""
    found = _portfolio(archive, portfolio)
    if not archive.has("restated", portfolio, run):
        raise HTTPException(404, f"There is no restatement {run}.")
    return render(request, "restatement.html", portfolio=found, run=run)


def evidence(request: Request, archive: ArchiveDep, portfolio: str, version: str) -> HTMLResponse:
    """The evidence pack of a model version: its newest revision, and links to the earlier ones."""
    # Imported here: the room brings the libraries that draw and measure, which no other page needs.
    from fraudops.reports.evidence import filed_packs

    found = _portfolio(archive, portfolio)
    with archive.reading() as session:
        packs = filed_packs(session, portfolio, version)
    if not packs:
        raise HTTPException(404, f"There is no evidence pack of {version}: 'fraudops models pack' files one.")
    return render(request, "evidence.html", portfolio=found, version=version, packs=packs)


def validations(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Validated partitions, newest first."""
    return render(
        request,
        "validations.html",
        lines=summaries.validations(archive),
        shown=summaries.SHOWN_VALIDATIONS,
        portfolios=list(archive.portfolios.values()),
    )


def validation(request: Request, archive: ArchiveDep, portfolio: str, key: str) -> HTMLResponse:
    """What validation found in one partition, with its Data Docs below."""
    found = _portfolio(archive, portfolio)
    if not archive.has("validation", portfolio, f"date={key}"):
        raise HTTPException(404, f"There is no validation page of partition {key}.")
    return render(request, "validation.html", line=summaries.validation(archive, found, key))


def quarantine(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Files with rejected rows: how many, and why."""
    return render(
        request,
        "quarantine.html",
        lines=summaries.quarantine(archive),
        portfolios=list(archive.portfolios.values()),
    )


def document(archive: ArchiveDep, area: str, portfolio: str, folder: str, file: str) -> Response:
    """A stored page or picture as it is: no script runs in it and nothing outside is loaded by it."""
    found = archive.document(area, portfolio, folder, file)
    if found is None:
        raise HTTPException(404, "There is no such document.")
    return Response(
        found.content,
        media_type=found.media_type,
        headers={
            # Without allow-scripts the same origin gives a document nothing but its own pictures (an opaque
            # origin would be refused the session's cookie).
            "Content-Security-Policy": (
                "sandbox allow-same-origin; default-src 'none'; img-src 'self' data:; font-src data:; "
                "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
            )
        },
    )


# -- inside ---------------------------------------------------------------------------------------------


def _portfolio(archive: Archive, name: str) -> Portfolio:
    if name not in archive.portfolios:
        raise HTTPException(404, f"There is no portfolio {name}.")
    return archive.portfolios[name]


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Headers of every answer. Our own style and script carry a nonce; nothing else may run or load."""
    request.state.nonce = secrets.token_urlsafe(16)
    response = await call_next(request)
    nonce = f"'nonce-{request.state.nonce}'"
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; style-src {nonce}; script-src {nonce}; img-src 'self' data:; frame-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _refused(request: Request, error: Exception) -> HTMLResponse:
    """Not logged in, not allowed, not there."""
    status = error.status_code if isinstance(error, StarletteHTTPException) else 500
    titles = {401: "Log in to Airflow first", 403: "Your Airflow role does not include this", 404: "Nothing here"}
    remedies = {
        401: "These pages open with the session of the Airflow UI.",
        403: "Ask an administrator for read access to Airflow's plugins.",
    }
    detail = remedies.get(status, str(getattr(error, "detail", "")))
    return _problem(request, status, titles.get(status, "That did not work"), detail)


def _unavailable(request: Request, error: Exception) -> HTMLResponse:
    """Something is not set up; the error itself says what to do."""
    log.warning("fraud-ops page %s: %s", request.url.path, error)
    what, where, remedy = (getattr(error, name, None) for name in ("what", "where", "remedy"))
    detail = ": ".join(part for part in (where, what) if part)
    return _problem(request, 503, "Fraud Ops is not set up completely", detail, remedy)


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
    return render(request, "problem.html", status=status, title=title, detail=detail, remedy=remedy)
