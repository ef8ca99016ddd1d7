"""The queue, and one case: looking at it, and everything that is done with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fraudops import cases
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio

from fraudops_airflow.web.access import WORKERS, Person, PersonDep, needs
from fraudops_airflow.web.answers import status_of, there
from fraudops_airflow.web.archive import Archive, ArchiveDep, WorkspaceDep
from fraudops_airflow.web.asked import CASE_DIGITS, is_whole
from fraudops_airflow.web.cases.bulk import Outcome, assign_chosen
from fraudops_airflow.web.cases.queue import Asked, named, queue
from fraudops_airflow.web.cases.sent import Sent, SentDep
from fraudops_airflow.web.cases.steps import DONE, STEPS, Desk
from fraudops_airflow.web.rendering import render, segment

router = APIRouter(dependencies=[Depends(needs(*WORKERS))])


@router.get("/cases")
def listed(request: Request, archive: ArchiveDep, person: PersonDep) -> Response:
    """The queue; a case that is named in full opens at once."""
    asked = Asked.of(request.query_params, list(archive.portfolios))
    if asked.q:
        with archive.reading() as session:
            known = named(session, asked.q, list(archive.portfolios))
        if known is not None:
            return there(request, _address(*known))
    return _queue(request, archive, person, asked, done=DONE.get(request.query_params.get("done", "")))


@router.post("/cases/assign")
def assigned(request: Request, archive: ArchiveDep, ws: WorkspaceDep, person: PersonDep, sent: SentDep) -> Response:
    """Give the chosen cases of the queue to somebody; the page comes back with those that were refused."""
    asked = Asked.of(dict(parse_qsl(sent.text("queue"))), list(archive.portfolios))
    try:
        outcome = assign_chosen(archive, ws, person, sent)
    except ContractError as error:
        return _queue(request, archive, person, asked, problem=error)
    if outcome.refused:
        return _queue(request, archive, person, asked, outcome=outcome)
    # Back to the address, so that loading the page again does nothing.
    return there(request, "cases", [*parse_qsl(asked.query), ("done", "assigned")])


@router.get("/cases/{portfolio}/{number}")
def shown(request: Request, archive: ArchiveDep, person: PersonDep, portfolio: str, number: str) -> Response:
    """Everything that explains a case; nothing personal."""
    found, whole = _case(archive, portfolio, number)
    done = DONE.get(request.query_params.get("done", ""))
    return _page(request, archive, found, whole, person, done=done)


@router.post("/cases/{portfolio}/{number}/personal")
def personal(
    request: Request, archive: ArchiveDep, ws: WorkspaceDep, person: PersonDep, portfolio: str, number: str
) -> Response:
    """The case with what is personal of it; the timeline and the ledger say who looked."""
    found, whole = _case(archive, portfolio, number)
    seen = cases.look(ws, found, whole, by=person.name, roles=person.everybody)
    return _page(request, archive, found, whole, person, personal=seen)


@router.post("/cases/{portfolio}/{number}/export")
def exported(archive: ArchiveDep, ws: WorkspaceDep, person: PersonDep, portfolio: str, number: str) -> Response:
    """Everything that explains a case, as a file; who took it is kept."""
    from fraudops_airflow.web.definitions import known_rules

    found, whole = _case(archive, portfolio, number)
    view = cases.export(ws, found, whole, by=person.name, roles=person.everybody, rules=known_rules())
    content = json.dumps(view.to_dict(), indent=2).encode() + b"\n"
    return _file(content, f"{view.case.name}.json", "application/json")


@router.post("/cases/{portfolio}/{number}/attachments/{sha256}")
def attachment(
    archive: ArchiveDep, ws: WorkspaceDep, person: PersonDep, portfolio: str, number: str, sha256: str
) -> Response:
    """A file that belongs to a case; who took it is kept."""
    found, whole = _case(archive, portfolio, number)
    name, content = cases.attachment(ws, found, whole, sha256, by=person.name, roles=person.everybody)
    # Whatever somebody attached is never shown as a page of ours.
    return _file(content, name, "application/octet-stream")


@router.post("/cases/{portfolio}/{number}/{step}")
def taken(
    request: Request,
    archive: ArchiveDep,
    ws: WorkspaceDep,
    person: PersonDep,
    sent: SentDep,
    portfolio: str,
    number: str,
    step: str,
) -> Response:
    """Take a step; where it is refused, the page comes back with why, and with what was typed."""
    found, whole = _case(archive, portfolio, number)
    if step not in STEPS:
        raise HTTPException(404, "There is no such step.")
    try:
        STEPS[step](Desk(ws, found, whole, person), sent)
    except ContractError as error:
        return _page(request, archive, found, whole, person, problem=error, step=step, typed=sent)
    if "queue" in sent.fields:
        # Back to where it was pressed: what is not an address of the queue does nothing there.
        return there(request, "cases", [*parse_qsl(sent.text("queue")), ("done", step)])
    return there(request, _address(found.name, whole), [("done", step)])


# -- inside -------------------------------------------------------------------------------------------


def _case(archive: Archive, portfolio: str, number: str) -> tuple[Portfolio, int]:
    """A portfolio and the number of a case that it has; the answer is 404 where there is none."""
    found = archive.portfolio(portfolio)
    if is_whole(number, CASE_DIGITS):
        with archive.reading() as session:
            if named(session, f"{portfolio}-{int(number)}", [portfolio]) is not None:
                return found, int(number)
    raise HTTPException(404, f"There is no case {portfolio}-{number}.")


def _queue(
    request: Request,
    archive: Archive,
    person: Person,
    asked: Asked,
    *,
    done: str | None = None,
    outcome: Outcome | None = None,
    problem: ContractError | None = None,
) -> Response:
    page = queue(archive, person, asked, datetime.now(UTC).date())
    status = status_of(outcome.refused[0].error if outcome else problem)
    return render(request, "cases/queue.html", status=status, page=page, done=done, outcome=outcome, problem=problem)


def _page(
    request: Request,
    archive: Archive,
    portfolio: Portfolio,
    number: int,
    person: Person,
    *,
    done: str | None = None,
    personal: cases.Personal | None = None,
    problem: ContractError | None = None,
    step: str = "",
    typed: Sent | None = None,
) -> Response:
    # Imported here: it brings the libraries that read the store, which the queue does not need.
    from fraudops_airflow.web.cases.case import case_page

    page = case_page(archive, portfolio, number, person, personal=personal, problem=problem, step=step, typed=typed)
    return render(request, "cases/case.html", status=status_of(problem), page=page, case=page.view.case, done=done)


def _address(portfolio: str, number: int) -> str:
    return f"cases/{segment(portfolio)}/{number}"


def _file(content: bytes, name: str, media_type: str) -> Response:
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
