"""Pages of the ledger: for those who answer for the record."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse

from fraudops_airflow.web.access import CONTROLLERS, needs
from fraudops_airflow.web.archive import Archive, ArchiveDep, WorkspaceDep
from fraudops_airflow.web.asked import day_of, whole
from fraudops_airflow.web.compliance.record import (
    MOST_VERIFIED,
    SHOWN_FINDINGS,
    Checked,
    Wanted,
    check_end,
    entries_page,
    entry_page,
    standing,
)
from fraudops_airflow.web.rendering import render

router = APIRouter(dependencies=[Depends(needs(*CONTROLLERS))])


@router.get("/ledger")
def ledger(
    request: Request,
    archive: ArchiveDep,
    portfolio: str = "",
    actor: str = "",
    action: str = "",
    subject: str = "",
    first: str = "",
    last: str = "",
    below: str = "",
) -> HTMLResponse:
    """What happened, the newest first, a page at a time; and how the record stands."""
    wanted = Wanted(portfolio[:64], actor[:256], action[:64], subject[:512], day_of(first), day_of(last))
    return _page(request, archive, wanted, whole(below) if below else None)


@router.post("/ledger/verify")
def verify(
    request: Request, archive: ArchiveDep, workspace: WorkspaceDep, most: Annotated[str, Form()] = "5000"
) -> HTMLResponse:
    """Verify the newest entries now; nothing is changed by it."""
    return _page(request, archive, Wanted(), None, check_end(workspace, max(1, min(whole(most), MOST_VERIFIED))))


@router.get("/ledger/{number}")
def entry(request: Request, archive: ArchiveDep, number: str) -> HTMLResponse:
    """One entry with its digests and its neighbours."""
    found = entry_page(archive, whole(number))
    if found is None:
        raise HTTPException(404, "The ledger has no such entry.")
    return render(request, "compliance/entry.html", page=found)


def _page(
    request: Request, archive: Archive, wanted: Wanted, below: int | None, checked: Checked | None = None
) -> HTMLResponse:
    return render(
        request,
        "compliance/ledger.html",
        page=entries_page(archive, wanted, below),
        standing=standing(archive),
        asked=wanted,
        is_first=below is None,
        portfolios=[*archive.portfolios, "all"],
        checked=checked,
        most=MOST_VERIFIED,
        shown_findings=SHOWN_FINDINGS,
    )
