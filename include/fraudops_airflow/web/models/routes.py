"""Pages of model versions: the list, one of them, two side by side, their reports and evidence packs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from fraudops.database import ModelVersion
from fraudops.errors import ContractError
from fraudops.registry.versions import champion, version
from sqlalchemy.orm import Session

from fraudops_airflow.web.access import PersonDep
from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.models import approvals, training, versions
from fraudops_airflow.web.models.asking import asking
from fraudops_airflow.web.models.champions import reigns
from fraudops_airflow.web.models.comparison import Chosen, side_by_side
from fraudops_airflow.web.models.curves import pair, read_curves, verdict_between
from fraudops_airflow.web.models.figures import draw
from fraudops_airflow.web.models.judgement import judged_between
from fraudops_airflow.web.models.shadows import shadow_lines
from fraudops_airflow.web.models.version import version_page
from fraudops_airflow.web.rendering import render

router = APIRouter()

Short = Annotated[str, Query(max_length=64)]
Place = Annotated[int | None, Query(ge=0)]


@router.get("/models")
def model_versions(
    request: Request,
    archive: ArchiveDep,
    person: PersonDep,
    portfolio: Short = "",
    state: Short = "",
    candidate: Short = "",
    before: Place = None,
) -> HTMLResponse:
    """Every version, and what waits for a decision."""
    wanted = versions.Wanted(
        portfolio=portfolio if portfolio in archive.portfolios else "",
        state=state if state in versions.STATES else "",
        candidate=candidate,
        before=before,
    )
    with archive.reading() as session:
        return render(
            request,
            "models/versions.html",
            wanted=wanted,
            listed=versions.listed(archive, session, wanted),
            candidates=versions.candidates(session, archive.portfolios),
            states=versions.STATES,
            waiting=approvals.waiting(archive, session, person),
            portfolios=list(archive.portfolios.values()),
            champions=[
                (one, found[-1]) for one in archive.portfolios.values() if (found := reigns(archive, session, one))
            ],
        )


@router.get("/models/{portfolio}")
def portfolio_models(request: Request, archive: ArchiveDep, person: PersonDep, portfolio: str) -> HTMLResponse:
    """One portfolio: its champions over time, its shadows, and what may be started."""
    found = archive.portfolio(portfolio)
    with archive.reading() as session:
        return render(
            request,
            "models/portfolio.html",
            portfolio=found,
            reigns=reigns(archive, session, found),
            shadows=shadow_lines(archive, session, found),
            asking=asking(session, found, person),
            waiting=[one for one in approvals.waiting(archive, session, person) if one.portfolio is found],
            newest=versions.listed(archive, session, versions.Wanted(portfolio=portfolio), most=8),
        )


@router.get("/models/{portfolio}/compare")
def compare(
    request: Request,
    archive: ArchiveDep,
    person: PersonDep,
    portfolio: str,
    a: Short = "",
    b: Short = "",
    by: Short = "",
    at: Short = "",
) -> HTMLResponse:
    """Two versions side by side, at a threshold of the reader's choice."""
    found = archive.portfolio(portfolio)
    with archive.reading() as session:
        choices = versions.listed(archive, session, versions.Wanted(portfolio=portfolio), most=200).lines
        if not choices:
            raise HTTPException(404, f"{found.title} has no model version yet.")
        in_use = champion(session, portfolio)
        first = _version(session, portfolio, a or (in_use.version if in_use else choices[-1].version))
        second = _version(session, portfolio, b or _other_than(first.version, [one.version for one in choices]))
        both = pair(archive, session, first, second)
        side = side_by_side(both, Chosen.read(both, by, at)) if both else None
        verdict = verdict_between(session, first, second)
        return render(
            request,
            "models/compare.html",
            portfolio=found,
            choices=choices,
            first=first,
            second=second,
            side=side,
            figures=draw((both.first, both.second), both.file, side.at) if both and side else [],
            judged=judged_between(session, found, verdict, person) if verdict else None,
        )


@router.get("/models/{portfolio}/{version}")
def model_version(
    request: Request, archive: ArchiveDep, person: PersonDep, portfolio: str, version: str, check: Short = ""
) -> HTMLResponse:
    """One version: verdict, gates, curves, lineage, integrity, who promoted it."""
    # Imported here: the room brings the libraries that draw and measure, which no list needs.
    from fraudops.reports.evidence import filed_packs

    found = archive.portfolio(portfolio)
    with archive.reading() as session:
        model = _version(session, portfolio, version)
        file = read_curves(archive, portfolio, model.run_id)
        curve = file.curve(model.version) if file else None
        return render(
            request,
            "models/version.html",
            page=version_page(archive, session, found, model, person, read=check == "file"),
            figures=draw((curve,), file, (curve.as_decided(),)) if curve and file else [],
            packs=filed_packs(session, portfolio, model.version),
            asking=asking(session, found, person),
        )


@router.get("/reports")
def training_reports(
    request: Request, archive: ArchiveDep, portfolio: Short = "", before: Place = None
) -> HTMLResponse:
    """The training runs, and the evaluations over several windows."""
    wanted = portfolio if portfolio in archive.portfolios else ""
    return render(
        request,
        "models/reports.html",
        wanted=wanted,
        before=before,
        runs=training.training_runs(archive, portfolio=wanted, before=before),
        evaluations=training.evaluations(archive, wanted),
        portfolios=list(archive.portfolios.values()),
    )


@router.get("/reports/{portfolio}/{run_id}")
def training_report(request: Request, archive: ArchiveDep, portfolio: str, run_id: str) -> HTMLResponse:
    """One run: what was compared, with its report below."""
    found = archive.portfolio(portfolio)
    if not archive.has("reports", portfolio, run_id):
        raise HTTPException(404, f"There is no training report of run {run_id}.")
    with archive.reading() as session:
        run = training.training_run(archive, session, found, run_id)
    return render(request, "models/report.html", run=run)


@router.get("/evidence/{portfolio}/{version}")
def evidence(request: Request, archive: ArchiveDep, portfolio: str, version: str) -> HTMLResponse:
    """The evidence pack of a model version: its newest revision, and links to the earlier ones."""
    from fraudops.reports.evidence import filed_packs

    found = archive.portfolio(portfolio)
    with archive.reading() as session:
        packs = filed_packs(session, portfolio, version)
    if not packs:
        raise HTTPException(404, f"There is no evidence pack of {version}: 'fraudops models pack' files one.")
    return render(request, "models/evidence.html", portfolio=found, version=version, packs=packs)


def _version(session: Session, portfolio: str, name: str) -> ModelVersion:
    try:
        return version(session, portfolio, name)
    except ContractError as error:
        raise HTTPException(404, f"There is no such version of {portfolio}.") from error


def _other_than(name: str, names: list[str]) -> str:
    """The newest other version; the same where there is no other."""
    return next((other for other in names if other != name), name)
