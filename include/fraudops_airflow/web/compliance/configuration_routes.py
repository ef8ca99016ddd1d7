"""Pages of the configuration as it is read. Secrets are in no file that is shown here."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from fraudops_airflow.web.access import CONTROLLERS, PersonDep
from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.compliance import configuration as read
from fraudops_airflow.web.rendering import render

router = APIRouter()


@router.get("/configuration")
def configuration(request: Request, archive: ArchiveDep, person: PersonDep) -> HTMLResponse:
    """Portfolios, rules, clocks and roles: what is in force, what is wrong, what changed."""
    controls = person.is_any(*CONTROLLERS)
    page = read.configuration(archive, datetime.now(UTC).date(), everything=controls)
    return render(request, "compliance/configuration.html", page=page, controls=controls)


@router.get("/configuration/{portfolio}")
def portfolio(request: Request, archive: ArchiveDep, person: PersonDep, portfolio: str) -> HTMLResponse:
    """One portfolio with every default filled in; or what is wrong with its file."""
    controls = person.is_any(*CONTROLLERS)
    page = read.portfolio_page(archive, portfolio, everything=controls)
    if page is None:
        raise HTTPException(404, "There is no such portfolio.")
    return render(request, "compliance/portfolio.html", page=page, controls=controls)
