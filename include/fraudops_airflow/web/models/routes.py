"""Pages of training runs and of model versions."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.models import training
from fraudops_airflow.web.rendering import render

router = APIRouter()


@router.get("/reports")
def training_reports(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """The training runs that left a report."""
    return render(
        request,
        "models/reports.html",
        runs=training.training_runs(archive),
        portfolios=list(archive.portfolios.values()),
    )


@router.get("/reports/{portfolio}/{run_id}")
def training_report(request: Request, archive: ArchiveDep, portfolio: str, run_id: str) -> HTMLResponse:
    """One run: what was compared, with its report below."""
    found = archive.portfolio(portfolio)
    if not archive.has("reports", portfolio, run_id):
        raise HTTPException(404, f"There is no training report of run {run_id}.")
    with archive.reading() as session:
        run = training.training_run(session, found, run_id)
    return render(request, "models/report.html", run=run)


@router.get("/evidence/{portfolio}/{version}")
def evidence(request: Request, archive: ArchiveDep, portfolio: str, version: str) -> HTMLResponse:
    """The evidence pack of a model version: its newest revision, and links to the earlier ones."""
    # Imported here: the room brings the libraries that draw and measure, which no other page needs.
    from fraudops.reports.evidence import filed_packs

    found = archive.portfolio(portfolio)
    with archive.reading() as session:
        packs = filed_packs(session, portfolio, version)
    if not packs:
        raise HTTPException(404, f"There is no evidence pack of {version}: 'fraudops models pack' files one.")
    return render(request, "models/evidence.html", portfolio=found, version=version, packs=packs)
