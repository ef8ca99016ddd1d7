"""Pages of rules and of what they found."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.rendering import render

router = APIRouter()


@router.get("/compliance")
def compliance(request: Request, archive: ArchiveDep, as_of: str = "") -> HTMLResponse:
    """The rules in force on a day with their numbers, and what they found by day."""
    from fraudops_airflow.web.compliance.rules import ruled

    try:
        day = date.fromisoformat(as_of) if as_of else None
    except ValueError:
        raise HTTPException(404, "Write the day such as 2026-03-05.") from None
    pages = [ruled(archive, item, day) for item in archive.portfolios.values() if item.compliance is not None]
    return render(request, "compliance/rules.html", pages=pages)


@router.get("/compliance/{portfolio}/{hit}")
def rule_hit(request: Request, archive: ArchiveDep, portfolio: str, hit: str) -> HTMLResponse:
    """One hit: what was seen, and the numbers that it was compared with."""
    from fraudops_airflow.web.compliance.rules import explained

    found = explained(archive, archive.portfolio(portfolio), hit)
    if found is None:
        raise HTTPException(404, f"There is no hit {hit} of {portfolio}.")
    return render(request, "compliance/hit.html", page=found)
