"""Tabs on Airflow's pages of a DAG, a run and a task, and what their buttons lead to."""

from __future__ import annotations

from importlib import import_module
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from fraudops.portfolio import Portfolio

from fraudops_airflow.web.access import PersonDep
from fraudops_airflow.web.answers import there
from fraudops_airflow.web.archive import Archive, ArchiveDep
from fraudops_airflow.web.rendering import render
from fraudops_airflow.web.runs.actions import ACTIONS
from fraudops_airflow.web.runs.airflow import Airflow, AirflowDep, Run
from fraudops_airflow.web.runs.left import left, whose

router = APIRouter()


@router.get("/tab/dag/{dag_id}")
def of_dag(request: Request, archive: ArchiveDep, dag_id: str) -> HTMLResponse:
    """What a DAG of ours is for, and what can be started with it."""
    found = whose(archive, dag_id)
    if found is None:
        return _not_ours(request)
    portfolio, workflow = found
    return render(
        request,
        "runs/tab_dag.html",
        portfolio=portfolio,
        workflow=workflow,
        does=_what_it_does(workflow),
        actions=[action for action in ACTIONS.values() if action.workflow == workflow],
    )


@router.get("/tab/run/{dag_id}/{run_id}")
def of_run(
    request: Request, archive: ArchiveDep, airflow: AirflowDep, person: PersonDep, dag_id: str, run_id: str
) -> HTMLResponse:
    """What a run left."""
    return _left(request, archive, airflow, dag_id, run_id, None)


@router.get("/tab/task/{dag_id}/{run_id}/{task_id}")
def of_task(
    request: Request,
    archive: ArchiveDep,
    airflow: AirflowDep,
    person: PersonDep,
    dag_id: str,
    run_id: str,
    task_id: str,
) -> HTMLResponse:
    """What a task of a run left."""
    return _left(request, archive, airflow, dag_id, run_id, task_id)


@router.get("/left/{dag_id}/{run_id}/{label}")
def page_of(
    request: Request, archive: ArchiveDep, airflow: AirflowDep, dag_id: str, run_id: str, label: str
) -> Response:
    """Lead on to the page that a task's button names; to all that the run left where there is no such page."""
    portfolio, workflow, run = _run(archive, airflow, dag_id, run_id)
    paths = [one.path for one in left(archive, portfolio, workflow, run) if one.label == label and one.path]
    fallback = f"tab/run/{quote(dag_id, safe='')}/{quote(run_id, safe='')}"
    return there(request, paths[0] if paths else fallback)


def _left(
    request: Request, archive: Archive, airflow: Airflow, dag_id: str, run_id: str, task_id: str | None
) -> HTMLResponse:
    if whose(archive, dag_id) is None:
        return _not_ours(request)
    portfolio, workflow, run = _run(archive, airflow, dag_id, run_id)
    found = left(archive, portfolio, workflow, run)
    narrowed = [one for one in found if task_id is None or task_id in one.tasks]
    return render(
        request,
        "runs/tab_run.html",
        portfolio=portfolio,
        workflow=workflow,
        run=run,
        task_id=task_id,
        lines=narrowed,
        more=len(found) - len(narrowed),
    )


def _run(archive: Archive, airflow: Airflow, dag_id: str, run_id: str) -> tuple[Portfolio, str, Run]:
    """A run of one of our DAGs that the person may see; the answer is 404 otherwise, whichever of these it is."""
    ours = whose(archive, dag_id)
    run = airflow.run(dag_id, run_id) if ours else None
    if ours is None or run is None:
        raise HTTPException(404, "There is no such run, or it is not yours to see.")
    return *ours, run


def _not_ours(request: Request) -> HTMLResponse:
    return render(request, "runs/tab_other.html")


def _what_it_does(workflow: str) -> list[tuple[str, str]]:
    """The paragraphs of a workflow's documentation: what it starts with in bold, and the rest."""
    text: str = import_module(f"fraudops_airflow.{workflow}").DOC
    paragraphs = []
    for paragraph in text.strip().split("\n\n"):
        words = " ".join(paragraph.split()).replace("`", "")
        head, _, rest = words.removeprefix("**").partition("** ") if words.startswith("**") else ("", "", words)
        paragraphs.append((head, rest))
    return paragraphs
