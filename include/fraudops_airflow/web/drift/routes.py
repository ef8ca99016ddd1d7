"""Pages of monitoring, validation and quarantine."""

from __future__ import annotations

import re
from math import ceil
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from fraudops.portfolio import Portfolio

from fraudops_airflow.web.access import ENGINEER, PersonDep
from fraudops_airflow.web.archive import Archive, ArchiveDep
from fraudops_airflow.web.attempts import Attempts
from fraudops_airflow.web.drift import quarantine as rejected
from fraudops_airflow.web.drift import validation as validated
from fraudops_airflow.web.rendering import render

router = APIRouter()

Name = Annotated[str, Query(max_length=64)]
_DIGITS = re.compile(r"[0-9a-f]{2,16}")

# Modules of monitoring are imported where they are needed: the room brings the libraries that measure.


@router.get("/monitoring")
def monitoring(request: Request, archive: ArchiveDep) -> HTMLResponse:
    """Every portfolio's status over time."""
    from fraudops_airflow.web.drift.watching import Glance, glance

    attempts = Attempts()

    def tried(portfolio: Portfolio) -> Glance | None:
        return attempts.at(f"the status of {portfolio.name}", lambda: glance(archive, portfolio), None)

    pages = [(portfolio, tried(portfolio)) for portfolio in archive.portfolios.values()]
    pages.sort(key=lambda page: (page[1] is None, page[0].name))
    return render(request, "drift/monitoring.html", pages=pages, troubles=attempts.troubles)


@router.get("/monitoring/{portfolio}")
def watched(
    request: Request,
    archive: ArchiveDep,
    portfolio: str,
    q: Name = "",
    family: Name = "",
    level: Name = "",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> HTMLResponse:
    """One portfolio: status over time, performance, every column then and now."""
    from fraudops_airflow.web.drift.watching import PAGE, Wanted
    from fraudops_airflow.web.drift.watching import watched as seen

    found, attempts, wanted = archive.portfolio(portfolio), Attempts(), Wanted(q.strip(), family, level, page)
    shown = attempts.at("monitoring", lambda: seen(archive, found, wanted), None)
    return render(
        request,
        "drift/watched.html",
        portfolio=found,
        page=shown,
        wanted=wanted,
        pages=ceil(shown.matching / PAGE) if shown else 0,
        troubles=attempts.troubles,
    )


@router.get("/monitoring/{portfolio}/{check}")
def check(request: Request, archive: ArchiveDep, portfolio: str, check: str) -> HTMLResponse:
    """One check: its number over time beside what it is judged by, what it means, what to do."""
    from fraudops_airflow.web.drift.watching import check_page

    page = check_page(archive, archive.portfolio(portfolio), check)
    if page is None:
        raise HTTPException(404, "Nothing of this name has been checked.")
    return render(request, "drift/check.html", page=page)


@router.get("/validation")
def validations(
    request: Request, archive: ArchiveDep, portfolio: Name = "", before: Annotated[str, Query(max_length=16)] = ""
) -> HTMLResponse:
    """Validated partitions: those that are stopped, then the newest."""
    chosen = _chosen(archive, portfolio)
    lines = validated.trend(archive, chosen[0]) if portfolio else []
    return render(
        request,
        "drift/validations.html",
        page=validated.validation_page(archive, chosen, before or None),
        trend=lines,
        charts=validated.trend_charts(chosen[0], lines) if portfolio else (),
        portfolio=portfolio,
        portfolios=list(archive.portfolios.values()),
        size=validated.PAGE,
    )


@router.get("/validation/{portfolio}/{key}")
def validation(request: Request, archive: ArchiveDep, portfolio: str, key: str) -> HTMLResponse:
    """What validation found in one partition, its files, and its Data Docs below."""
    found = archive.portfolio(portfolio)
    if not archive.has("validation", portfolio, f"date={key}"):
        raise HTTPException(404, f"There is no validation page of partition {key}.")
    files, troubles = validated.files_of(archive, found, key)
    return render(
        request,
        "drift/validation.html",
        line=validated.validation(archive, found, key),
        files=files,
        troubles=troubles,
    )


@router.get("/quarantine")
def quarantine(
    request: Request, archive: ArchiveDep, portfolio: Name = "", after: Annotated[str, Query(max_length=100)] = ""
) -> HTMLResponse:
    """Files with rejected rows: how many, and why."""
    chosen = _chosen(archive, portfolio)
    lines = validated.trend(archive, chosen[0]) if portfolio else []
    return render(
        request,
        "drift/quarantine.html",
        page=rejected.quarantine_page(archive, chosen, after or None),
        trend=lines,
        charts=validated.trend_charts(chosen[0], lines)[:1] if portfolio else (),
        portfolio=portfolio,
        portfolios=list(archive.portfolios.values()),
        size=rejected.PAGE,
    )


@router.get("/quarantine/{portfolio}/{digits}")
def file(request: Request, archive: ArchiveDep, person: PersonDep, portfolio: str, digits: str) -> HTMLResponse:
    """What became of a file's rows; for engineers also line by line, and where they are now."""
    # Imported here: the decisions room brings the scoring libraries.
    from fraudops.decisions.tracing import trace_landed

    found, attempts = archive.portfolio(portfolio), Attempts()
    if not _DIGITS.fullmatch(digits):
        raise HTTPException(404, "There is no such file.")
    line = attempts.at("the file", lambda: rejected.quarantined(archive, found, digits), None)
    if line is None and not attempts.troubles:
        raise HTTPException(404, "There is no such file.")
    may_trace = line is not None and person.is_any(ENGINEER)
    trace, lines = None, []
    if may_trace:
        most = rejected.TRACED
        trace = attempts.at(
            "what became of its rows", lambda: trace_landed(archive.workspace, found, digits, most=most), None
        )
    if may_trace and line is not None and line.rows:
        lines = attempts.at("its rejected lines", lambda: rejected.rejected_lines(archive, found, digits), lines)
    return render(
        request,
        "drift/file.html",
        portfolio=found,
        digits=digits,
        line=line,
        trace=trace,
        lines=lines,
        may_trace=may_trace,
        most_lines=rejected.LINES,
        troubles=attempts.troubles,
    )


def _chosen(archive: Archive, portfolio: str) -> list[Portfolio]:
    return [archive.portfolio(portfolio)] if portfolio else sorted(archive.portfolios.values(), key=lambda p: p.name)
