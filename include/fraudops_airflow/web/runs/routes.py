"""Pages from which runs are started, and of restatements."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from fraudops_airflow.web.archive import ArchiveDep
from fraudops_airflow.web.rendering import render
from fraudops_airflow.web.runs import restatements as restated
from fraudops_airflow.web.runs.actions import ACTIONS, GROUPS, workflows_of
from fraudops_airflow.web.runs.airflow import AirflowDep
from fraudops_airflow.web.runs.asked import Asked
from fraudops_airflow.web.runs.plan import Scene

router = APIRouter()


@router.get("/runs")
def runs(request: Request, archive: ArchiveDep, airflow: AirflowDep) -> HTMLResponse:
    """The forms of the portfolio that has come furthest."""
    names = sorted(archive.portfolios, key=lambda name: (not archive.store.keys("transactions", name), name))
    if not names:
        return render(request, "runs/portfolio.html", portfolio=None, portfolios=[])
    return runs_of(request, archive, airflow, names[0])


@router.get("/runs/{portfolio}")
def runs_of(request: Request, archive: ArchiveDep, airflow: AirflowDep, portfolio: str) -> HTMLResponse:
    """What can be started for a portfolio, and how its workflows are."""
    found = archive.portfolio(portfolio)
    workflows = workflows_of(found.compliance is not None)
    return render(
        request,
        "runs/portfolio.html",
        portfolio=found,
        portfolios=list(archive.portfolios.values()),
        groups=GROUPS,
        workflows=workflows,
        may_turn_on=airflow.may_turn_on(found.dag_id("ingest")),
    )


@router.get("/runs/{portfolio}/{action}")
def form(request: Request, archive: ArchiveDep, airflow: AirflowDep, portfolio: str, action: str) -> HTMLResponse:
    """A form, and what will happen if it is sent; nothing is started by asking."""
    found, chosen = archive.portfolio(portfolio), ACTIONS.get(action)
    if chosen is None:
        raise HTTPException(404, f"There is no form {action}.")
    scene = Scene(archive, found, Asked.of(request.query_params.multi_items()), datetime.now(UTC))
    plan = chosen.plan(scene)
    dag_id = found.dag_id(chosen.workflow)
    return render(
        request,
        "runs/form.html",
        portfolio=found,
        action=chosen,
        groups=GROUPS,
        fields=chosen.fields(scene),
        plan=plan,
        dag_id=dag_id,
        may_start=airflow.may_start(dag_id),
        may_turn_on=airflow.may_turn_on(dag_id),
    )


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
