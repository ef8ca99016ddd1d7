"""The queue, and one case: looking at it, and everything that is done with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from fraudops import cases
from fraudops.errors import ConflictError, ContractError
from fraudops.portfolio import Portfolio

from fraudops_airflow.web.access import WORKERS, Person, PersonDep, needs
from fraudops_airflow.web.archive import Archive, ArchiveDep, WorkspaceDep
from fraudops_airflow.web.cases.queue import Asked, named, queue
from fraudops_airflow.web.cases.sent import Sent, SentDep
from fraudops_airflow.web.cases.steps import DONE, STEPS, Desk
from fraudops_airflow.web.rendering import render

router = APIRouter(dependencies=[Depends(needs(*WORKERS))])
_MOST_DIGITS = 9


@router.get("/cases")
def listed(request: Request, archive: ArchiveDep, person: PersonDep) -> Response:
    """The queue; a case that is named in full opens at once."""
    asked = Asked.of(request.query_params, list(archive.portfolios))
    if asked.q:
        with archive.reading() as session:
            known = named(session, asked.q, list(archive.portfolios))
        if known is not None:
            return _to(request, "cases", *known)
    page = queue(archive, person, asked, datetime.now(UTC).date())
    return render(request, "cases/queue.html", page=page, done=DONE.get(request.query_params.get("done", "")))


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
    from fraudops_airflow.web.cases.case import known_rules

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
        return _to(request, "cases", query=[*parse_qsl(sent.text("queue")), ("done", step)])
    return _to(request, "cases", found.name, whole, query=[("done", step)])


# -- inside -------------------------------------------------------------------------------------------


def _case(archive: Archive, portfolio: str, number: str) -> tuple[Portfolio, int]:
    """A portfolio and the number of a case that it has; the answer is 404 where there is none."""
    found = archive.portfolio(portfolio)
    if number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS:
        with archive.reading() as session:
            if named(session, f"{portfolio}-{int(number)}", [portfolio]) is not None:
                return found, int(number)
    raise HTTPException(404, f"There is no case {portfolio}-{number}.")


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
    status = 200 if problem is None else 409 if isinstance(problem, ConflictError) else 422
    return render(request, "cases/case.html", status=status, page=page, case=page.view.case, done=done)


def _to(request: Request, *path: object, query: list[tuple[str, str]] | None = None) -> Response:
    base = str(request.scope.get("root_path", "")).rstrip("/")
    address = "/".join([base, *(quote(str(part), safe="") for part in path)])
    return RedirectResponse(f"{address}?{urlencode(query)}" if query else address, 303)


def _file(content: bytes, name: str, media_type: str) -> Response:
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
