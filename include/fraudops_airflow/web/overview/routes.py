"""The page that the menu entry opens, the notices, and what takes room."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from fraudops.keeping.size import disk, format_bytes, measure

from fraudops_airflow.web.access import WORKERS, PersonDep
from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.overview import cards
from fraudops_airflow.web.overview.notices import PAGE as NOTICES
from fraudops_airflow.web.overview.notices import STATES, Filters, kinds, notice_page
from fraudops_airflow.web.rendering import render

router = APIRouter()

Name = Annotated[str | None, Query(max_length=64)]


@router.get("/")
def overview(request: Request, archive: ArchiveDep, person: PersonDep, portfolio: Name = None) -> HTMLResponse:
    """Per portfolio: what came in, which model decides, what it raised, who was told."""
    if portfolio:
        archive.portfolio(portfolio)
    page = cards.overview(archive, person, datetime.now(UTC), portfolio or None)
    return render(
        request,
        "overview/overview.html",
        page=page,
        chosen=portfolio or None,
        portfolios=list(archive.portfolios.values()),
        disk=disk(archive.store),
        may_work=person.is_any(*WORKERS),
    )


@router.get("/notices")
def notices(
    request: Request,
    archive: ArchiveDep,
    person: PersonDep,
    portfolio: Name = None,
    kind: Name = None,
    state: Name = None,
    before: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
) -> HTMLResponse:
    """The last notices: kind, state, attempts; no bodies."""
    if portfolio:
        archive.portfolio(portfolio)
    if (kind and kind not in kinds()) or (state and state not in STATES):
        raise HTTPException(404, "There are no such notices.")
    filters = Filters(portfolio or None, kind or None, state or None, before)
    with archive.reading() as session:
        page = notice_page(session, archive.portfolios, person, filters, datetime.now(UTC))
    return render(
        request,
        "overview/notices.html",
        page=page,
        filters=filters,
        kinds=kinds(),
        states=STATES,
        portfolios=sorted(archive.portfolios),
        size=NOTICES,
    )


@router.get("/storage")
def storage(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """What takes room, by portfolio and dataset: names and sizes are looked at, no file is opened."""
    sizes = sorted(measure(archive.store), key=lambda size: -size.bytes)
    return render(
        request,
        "overview/storage.html",
        sizes=sizes,
        total=sum(size.bytes for size in sizes),
        disk=disk(archive.store),
        spoken=format_bytes,
        now=datetime.now(UTC),
    )
