"""The page that the menu entry opens."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fraudops.keeping.size import storage

from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.overview import cards
from fraudops_airflow.web.rendering import render

router = APIRouter()


@router.get("/")
def overview(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Per portfolio: what came in, which model decides, what it raised, who was told."""
    return render(request, "overview/overview.html", cards=cards.overview(archive), storage=storage(archive.store))
