"""Pages of clocks, drafts and filings: for compliance officers alone. fraudops files nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

from fraudops_airflow.web.access import OFFICER, Person, PersonDep, needs
from fraudops_airflow.web.answers import status_of, there
from fraudops_airflow.web.archive import Archive, ArchiveDep, WorkspaceDep
from fraudops_airflow.web.asked import day_of, required, typed, typed_day, whole
from fraudops_airflow.web.rendering import render

router = APIRouter(dependencies=[Depends(needs(OFFICER))])

_FORMS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "transactions.csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}
Text = Annotated[str, Form()]


@dataclass(frozen=True)
class Desk:
    """Where a compliance officer does something about a clock: with which keys, about which one, in whose name."""

    request: Request
    archive: Archive
    workspace: Workspace
    person: Person
    portfolio: Portfolio
    number: int


def desk(
    request: Request, archive: ArchiveDep, workspace: WorkspaceDep, person: PersonDep, portfolio: str, number: str
) -> Desk:
    """The desk of a request; the answer is 404 where there is no such portfolio or number."""
    return Desk(request, archive, workspace, person, archive.portfolio(portfolio), whole(number))


DeskDep = Annotated[Desk, Depends(desk)]


@router.get("/filings")
def filings(
    request: Request,
    archive: ArchiveDep,
    portfolio: str = "",
    show: str = "open",
    kind: str = "",
    month: str = "",
    day: str = "",
    after: str = "",
) -> HTMLResponse:
    """Clocks by their last day, with the month that they are due in."""
    from fraudops.filings.listing import SHOWN, Wanted

    from fraudops_airflow.web.compliance.filings import KINDS, filings_page, stage_words, tallies

    now = datetime.now(UTC)
    counts = tallies(archive, now)
    chosen = archive.portfolio(portfolio) if portfolio else _busiest(archive, counts)
    if show not in SHOWN or (kind and kind not in KINDS):
        raise HTTPException(404, "There is no such list.")
    page = None
    if chosen is not None:
        wanted = replace(Wanted(), shown=show, kind=kind or None)
        if day:
            wanted = replace(wanted, first=day_of(day), last=day_of(day))
        place = _place(after)
        page = filings_page(archive, chosen, now, wanted, month=_month(month or day[:7]), after=place)
    asked = {"portfolio": chosen.name if chosen else "", "show": show, "kind": kind, "month": month, "day": day}
    return render(
        request,
        "compliance/filings.html",
        page=page,
        counts=counts,
        portfolios=archive.portfolios,
        asked=asked,
        kinds=KINDS,
        stage_words=stage_words,
        is_first=not after,
    )


@router.post("/filings/{portfolio}/start")
def start(
    request: Request, archive: ArchiveDep, workspace: WorkspaceDep, person: PersonDep, portfolio: str
) -> Response:
    """Start the clocks of what has come in since the last look."""
    from fraudops.filings.starting import start_clocks

    from fraudops_airflow.web.definitions import known_clocks

    found = archive.portfolio(portfolio)
    start_clocks(workspace, found, known_clocks(), datetime.now(UTC), actor=person.name)
    return there(request, f"filings?portfolio={found.name}")


@router.get("/filings/{portfolio}/{number}")
def filing(request: Request, archive: ArchiveDep, portfolio: str, number: str) -> HTMLResponse:
    """One clock: what started it, the law, its drafts, its history, and what may be recorded."""
    return _page(request, archive, archive.portfolio(portfolio), whole(number))


@router.post("/filings/{portfolio}/{number}/drafts")
def draft(at: DeskDep) -> Response:
    """Prepare the documents from the case, as a new version where something is new."""
    from fraudops.filings.drafts import prepare

    from fraudops_airflow.web.definitions import known_clocks, known_rules

    def act() -> None:
        prepare(
            at.workspace,
            at.portfolio,
            known_clocks(),
            known_rules(),
            at.number,
            by=at.person.name,
            roles=at.person.everybody,
            as_of=datetime.now(UTC),
        )

    return _acted(at, act, {}, "#drafts")


@router.post("/filings/{portfolio}/{number}/drafts/{draft}")
def taken_out(at: DeskDep, draft: str, form: Text = "page") -> Response:
    """A version to read, or to take away as a file; who took it is in the clock's history."""
    from fraudops.filings.drafts import read_draft, written

    version = whole(draft)
    if form != "page" and form not in _FORMS:
        raise HTTPException(404, "There is no such form of a draft.")
    try:
        kept = read_draft(at.workspace, at.portfolio, at.number, version, by=at.person.name, roles=at.person.everybody)
    except ContractError as error:
        return _page(at.request, at.archive, at.portfolio, at.number, {}, error)
    if form == "page":
        return render(at.request, "compliance/draft.html", portfolio=at.portfolio, draft=kept, version=version)
    name = f"{at.portfolio.name}-draft-{kept.number}-v{version}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written(kept)[form], media_type=_FORMS[form], headers=headers)


@router.post("/filings/{portfolio}/{number}/filed")
def filed(at: DeskDep, filed_on: Text = "", reference: Text = "", correction: Text = "") -> Response:
    """Record that a person filed it, when, and with which number."""
    from fraudops.filings.acting import record_filed

    from fraudops_airflow.web.definitions import known_clocks

    def act() -> None:
        record_filed(
            at.workspace,
            at.portfolio,
            known_clocks(),
            at.number,
            filed_on=typed_day(filed_on, "filed on"),
            reference=required(typed(reference, "reference", longest=64), "the number that the authority gave"),
            correction=typed(correction, "why"),
            by=at.person.name,
            roles=at.person.everybody,
        )

    given = {"filed_on": filed_on, "reference": reference, "correction": correction}
    return _acted(at, act, given)


@router.post("/filings/{portfolio}/{number}/not-required")
def not_required(at: DeskDep, reason: Text = "") -> Response:
    """Record a decision that no report is needed."""
    from fraudops.filings.acting import record_not_required

    def act() -> None:
        why = required(typed(reason, "reason"), "why no report is needed")
        record_not_required(
            at.workspace, at.portfolio, at.number, reason=why, by=at.person.name, roles=at.person.everybody
        )

    return _acted(at, act, {"reason": reason})


@router.post("/filings/{portfolio}/{number}/reopen")
def reopen(at: DeskDep, reopening: Text = "") -> Response:
    """Let a clock run on that was ended by mistake."""
    from fraudops.filings.acting import reopen as record

    def act() -> None:
        why = required(typed(reopening, "reason"), "why it runs on")
        record(at.workspace, at.portfolio, at.number, reason=why, by=at.person.name, roles=at.person.everybody)

    return _acted(at, act, {"reopening": reopening})


@router.post("/filings/{portfolio}/{number}/amend")
def amend(at: DeskDep, detected_on: Text = "", suspect: Text = "", amending: Text = "") -> Response:
    """Let another day of detection count."""
    from fraudops.filings.acting import amend as record

    from fraudops_airflow.web.definitions import known_clocks

    def act() -> None:
        record(
            at.workspace,
            at.portfolio,
            known_clocks(),
            at.number,
            detected_on=typed_day(detected_on, "day of detection"),
            suspect_known={"yes": True, "no": False}.get(suspect),
            reason=required(typed(amending, "reason"), "why another day counts"),
            by=at.person.name,
            roles=at.person.everybody,
        )

    given = {"detected_on": detected_on, "suspect": suspect, "amending": amending}
    return _acted(at, act, given)


# -- inside -------------------------------------------------------------------------------------------


def _acted(at: Desk, act: Callable[[], None], given: dict[str, str], part: str = "") -> Response:
    """The page of the clock once something was done; or with what was wrong, and what the person typed."""
    try:
        act()
    except ContractError as error:
        return _page(at.request, at.archive, at.portfolio, at.number, given, error)
    return there(at.request, f"filings/{at.portfolio.name}/{at.number}{part}")


def _page(
    request: Request,
    archive: Archive,
    portfolio: Portfolio,
    number: int,
    given: dict[str, str] | None = None,
    error: ContractError | None = None,
) -> HTMLResponse:
    from fraudops_airflow.web.compliance.filings import filing_page, stage_words

    try:
        page = filing_page(archive, portfolio, number, datetime.now(UTC))
    except ContractError:
        raise HTTPException(404, "There is no such clock.") from None
    names = ("filed_on", "reference", "correction", "reason", "reopening", "detected_on", "suspect", "amending")
    return render(
        request,
        "compliance/filing.html",
        status=status_of(error),
        page=page,
        stage_words=stage_words,
        given=dict.fromkeys(names, "") | {name: text[:2000] for name, text in (given or {}).items()},
        error=error,
    )


def _busiest(archive: Archive, counts: Any) -> Portfolio | None:
    """The portfolio for which most has to be done."""
    names = sorted(archive.portfolios, key=lambda name: (-counts[name].open, -counts[name].filed, name))
    return archive.portfolios[names[0]] if names else None


def _place(after: str) -> tuple[date, int] | None:
    day, _, number = after.partition("/")
    found = day_of(day)
    return (found, whole(number)) if found is not None else None


def _month(text: str) -> str:
    if text:
        day_of(f"{text}-01")
    return text
