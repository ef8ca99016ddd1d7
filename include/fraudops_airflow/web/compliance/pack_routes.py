"""Pages of the monthly packs."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse
from fraudops.errors import ContractError

from fraudops_airflow.web.access import CONTROLLERS, PersonDep
from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.rendering import render

router = APIRouter()


@router.get("/packs")
def packs(request: Request, archive: ArchiveDep, portfolio: str = "") -> HTMLResponse:
    """Each portfolio's months: with a pack, or waiting for one."""
    from fraudops_airflow.web.compliance.packs import packs

    now = datetime.now(UTC)
    chosen = [archive.portfolio(portfolio)] if portfolio else list(archive.portfolios.values())
    pages = [packs(archive, item, now) for item in chosen]
    pages.sort(key=lambda page: (not page.months, page.portfolio.name))
    return render(
        request, "compliance/packs.html", pages=pages, portfolios=list(archive.portfolios.values()), asked=portfolio
    )


@router.get("/packs/{portfolio}/months/{month}")
def month(request: Request, archive: ArchiveDep, portfolio: str, month: str, look: str = "") -> HTMLResponse:
    """One month: what it waits for, its editions, and how to have one made."""
    from fraudops.monthly.month import Month

    from fraudops_airflow.web.compliance.packs import month_page

    found = archive.portfolio(portfolio)
    try:
        chosen = Month.parse(month)
    except ContractError:
        raise HTTPException(404, "Write the month such as 2026-03.") from None
    page = month_page(archive, found, chosen, datetime.now(UTC), closely=look == "closely")
    return render(request, "compliance/month.html", page=page)


@router.get("/packs/{portfolio}/{edition}")
def edition(request: Request, archive: ArchiveDep, person: PersonDep, portfolio: str, edition: str) -> HTMLResponse:
    """One edition of a pack: its page below, its files to take away."""
    from fraudops_airflow.web.compliance.packs import FILES
    from fraudops_airflow.web.compliance.packs import edition as read

    chosen = archive.portfolio(portfolio)
    found = read(archive, chosen, edition)
    if found is None:
        raise HTTPException(404, "There is no such pack.")
    one, others = found
    return render(
        request,
        "compliance/pack.html",
        portfolio=chosen,
        edition=one,
        others=others,
        files=FILES,
        controls=person.is_any(*CONTROLLERS),
    )
