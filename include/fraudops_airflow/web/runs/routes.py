"""Pages from which runs are started, and of what they left."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.rendering import render
from fraudops_airflow.web.runs import restatements as restated

router = APIRouter()


@router.get("/restated")
def restatements(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """What would be alerted today for days of the past: every restatement, by portfolio."""
    return render(
        request,
        "runs/restatements.html",
        lines=restated.restatements(archive),
        portfolios=list(archive.portfolios.values()),
    )


@router.get("/restated/{portfolio}/{run}")
def restatement(request: Request, archive: ArchiveDep, portfolio: str, run: str) -> HTMLResponse:
    """One restatement, with its page below."""
    found = archive.portfolio(portfolio)
    if not archive.has("restated", portfolio, run):
        raise HTTPException(404, f"There is no restatement {run}.")
    return render(request, "runs/restatement.html", portfolio=found, run=run)
