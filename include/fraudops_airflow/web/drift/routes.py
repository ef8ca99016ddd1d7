"""Pages of monitoring, validation and quarantine."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.drift import validation as validated
from fraudops_airflow.web.rendering import render

router = APIRouter()


@router.get("/monitoring")
def monitoring(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Every portfolio's status over time."""
    # Imported here: the room brings the libraries that measure, which most pages do not need.
    from fraudops_airflow.web.drift.monitoring import watched

    pages = [(portfolio, watched(archive, portfolio)) for portfolio in archive.portfolios.values()]
    pages.sort(key=lambda page: (page[1] is None, page[0].name))
    return render(request, "drift/monitoring.html", pages=pages)


@router.get("/monitoring/{portfolio}")
def watched(request: Request, archive: ArchiveDep, portfolio: str) -> HTMLResponse:
    """One portfolio: checks over time, performance, distributions then and now."""
    from fraudops_airflow.web.drift.monitoring import watched

    found = archive.portfolio(portfolio)
    page = watched(archive, found)
    if page is None:
        raise HTTPException(404, f"Nothing of {portfolio} has been monitored yet.")
    return render(request, "drift/watched.html", page=page)


@router.get("/validation")
def validations(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Validated partitions, newest first."""
    return render(
        request,
        "drift/validations.html",
        lines=validated.validations(archive),
        shown=validated.SHOWN_VALIDATIONS,
        portfolios=list(archive.portfolios.values()),
    )


@router.get("/validation/{portfolio}/{key}")
def validation(request: Request, archive: ArchiveDep, portfolio: str, key: str) -> HTMLResponse:
    """What validation found in one partition, with its Data Docs below."""
    found = archive.portfolio(portfolio)
    if not archive.has("validation", portfolio, f"date={key}"):
        raise HTTPException(404, f"There is no validation page of partition {key}.")
    return render(request, "drift/validation.html", line=validated.validation(archive, found, key))


@router.get("/quarantine")
def quarantine(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Files with rejected rows: how many, and why."""
    return render(
        request,
        "drift/quarantine.html",
        lines=validated.quarantine(archive),
        portfolios=list(archive.portfolios.values()),
    )
