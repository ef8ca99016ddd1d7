"""The model's alerts: the list, the list as a file, and one of them."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from fraudops_airflow.web.access import WORKERS, needs
from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.asked import is_whole
from fraudops_airflow.web.cases.alerts import MOST_EXPORTED, Asked, alerts, as_csv, explained
from fraudops_airflow.web.rendering import render

router = APIRouter(dependencies=[Depends(needs(*WORKERS))])


@router.get("/alerts")
def listed(request: Request, archive: ArchiveDep) -> Response:
    """Alerts, the newest transaction first."""
    asked = Asked.of(request.query_params, list(archive.portfolios))
    page = alerts(archive, asked)
    return render(
        request, "cases/alerts.html", page=page, portfolios=list(archive.portfolios.values()), most=MOST_EXPORTED
    )


@router.get("/alerts/export.csv")
def exported(request: Request, archive: ArchiveDep) -> Response:
    """The same as a file that a spreadsheet may open."""
    content = as_csv(archive, Asked.of(request.query_params, list(archive.portfolios)))
    headers = {"Content-Disposition": 'attachment; filename="alerts.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/alerts/{portfolio}/{number}")
def shown(request: Request, archive: ArchiveDep, portfolio: str, number: str) -> Response:
    """One alert: why it was raised, and the case that it is in."""
    found = archive.portfolio(portfolio)
    page = explained(archive, portfolio, int(number)) if is_whole(number) else None
    if page is None:
        raise HTTPException(404, f"There is no alert {number} of {portfolio}.")
    return render(request, "cases/alert.html", page=page, portfolio=found)
