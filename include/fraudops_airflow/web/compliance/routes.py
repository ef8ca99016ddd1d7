"""Pages of the rules, and of what they found."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio

from fraudops_airflow.web.access import OFFICER, WORKERS, PersonDep, needs
from fraudops_airflow.web.answers import status_of, there
from fraudops_airflow.web.archive import Archive, ArchiveDep, WorkspaceDep
from fraudops_airflow.web.asked import day_of, typed, typed_day, whole
from fraudops_airflow.web.compliance import configuration_routes, filing_routes, ledger_routes, pack_routes
from fraudops_airflow.web.rendering import render

router = APIRouter()
router.include_router(filing_routes.router)
router.include_router(pack_routes.router)
router.include_router(ledger_routes.router)
router.include_router(configuration_routes.router)

SEVERITIES = ("info", "low", "medium", "high", "critical")


@router.get("/compliance")
def compliance(
    request: Request, archive: ArchiveDep, as_of: str = "", portfolio: str = "", severity: str = "", q: str = ""
) -> HTMLResponse:
    """The rules in force on a day with their numbers, what changes next, and what they found by day."""
    from fraudops_airflow.web.compliance.rules import ruled

    day = day_of(as_of)
    ruling = [item for item in archive.portfolios.values() if item.compliance is not None]
    pages = [
        ruled(archive, item, day, severity=severity, text=q[:100])
        for item in ruling
        if not portfolio or item.name == portfolio
    ]
    asked = {"as_of": as_of, "portfolio": portfolio, "severity": severity, "q": q[:100]}
    return render(request, "compliance/rules.html", pages=pages, asked=asked, portfolios=ruling, severities=SEVERITIES)


@router.get("/compliance/{portfolio}/rules/{rule}")
def rule(
    request: Request, archive: ArchiveDep, person: PersonDep, portfolio: str, rule: str, subject: str = ""
) -> HTMLResponse:
    """One rule: its text, every number with its dates, what it found over time, who is snoozed."""
    return _rule(request, archive, person, portfolio, rule, {"subject": subject[:256]})


@router.post("/compliance/{portfolio}/rules/{rule}/snoozes", dependencies=[Depends(needs(OFFICER))])
def snooze(
    request: Request,
    archive: ArchiveDep,
    workspace: WorkspaceDep,
    person: PersonDep,
    portfolio: str,
    rule: str,
    subject: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Tell nobody of the rule's hits of one customer or account for a while."""
    from fraudops.rules.snoozing import snooze as place

    from fraudops_airflow.web.definitions import known_rules

    found = _ruling(archive, portfolio)
    if rule not in known_rules():
        raise HTTPException(404, "There is no such rule.")
    try:
        if not subject.strip():
            raise ContractError("whose hits is missing", where=rule, remedy="give the customer or account")
        place(
            workspace,
            found,
            rule=rule,
            subject=typed(subject, "subject", longest=256).strip(),
            until=datetime.combine(typed_day(until, "until"), time(), tzinfo=UTC),
            reason=typed(reason, "reason"),
            by=person.name,
        )
    except ContractError as error:
        given = {"subject": subject[:256], "until": until[:20], "reason": reason[:2000]}
        return _rule(request, archive, person, portfolio, rule, given, error)
    return there(request, f"compliance/{portfolio}/rules/{rule}#snoozes")


@router.post("/compliance/{portfolio}/rules/{rule}/snoozes/{snooze}", dependencies=[Depends(needs(OFFICER))])
def lift(
    request: Request,
    archive: ArchiveDep,
    workspace: WorkspaceDep,
    person: PersonDep,
    portfolio: str,
    rule: str,
    snooze: str,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """End a snooze before its time."""
    from fraudops.rules.snoozing import lift as end

    found = _ruling(archive, portfolio)
    try:
        end(workspace, found, whole(snooze), reason=typed(reason, "reason"), by=person.name)
    except ContractError as error:
        return _rule(request, archive, person, portfolio, rule, {"lifting": reason[:2000]}, error)
    return there(request, f"compliance/{portfolio}/rules/{rule}#snoozes")


@router.get("/hits", dependencies=[Depends(needs(*WORKERS))])
def hits(
    request: Request,
    archive: ArchiveDep,
    portfolio: str = "",
    rule: str = "",
    subject: str = "",
    first: str = "",
    last: str = "",
    after: str = "",
) -> HTMLResponse:
    """What the rules found in one portfolio, the newest first, a page at a time."""
    from fraudops.rules.raised import Wanted

    from fraudops_airflow.web.compliance.hits import hits_page
    from fraudops_airflow.web.definitions import known_rules

    ruling = [item for item in archive.portfolios.values() if item.compliance is not None]
    asked = {"portfolio": portfolio, "rule": rule, "subject": subject[:256], "first": first[:10], "last": last[:10]}
    chosen = _ruling(archive, portfolio) if portfolio else (ruling[0] if ruling else None)
    page = None
    if chosen is not None:
        wanted = Wanted(rule or None, subject[:256].strip() or None, first[:16] or None, last[:16] or None)
        key, _, hit = after.partition("/")
        page = hits_page(archive, chosen, wanted, (key[:16], hit[:64]) if hit else None)
        asked["portfolio"] = chosen.name
    return render(
        request,
        "compliance/hits.html",
        page=page,
        portfolio=chosen,
        portfolios=ruling,
        rules=known_rules(),
        asked=asked,
        is_first=not after,
    )


@router.get("/hits/{portfolio}/{hit}", dependencies=[Depends(needs(*WORKERS))])
def rule_hit(request: Request, archive: ArchiveDep, person: PersonDep, portfolio: str, hit: str) -> HTMLResponse:
    """One hit: what was seen, the numbers that it was compared with, its case."""
    from fraudops_airflow.web.compliance.hits import explained

    found = explained(archive, archive.portfolio(portfolio), hit[:64])
    if found is None:
        raise HTTPException(404, "There is no such hit.")
    return render(request, "compliance/hit.html", page=found, may_snooze=person.is_any(OFFICER))


# -- inside -------------------------------------------------------------------------------------------


def _ruling(archive: Archive, name: str) -> Portfolio:
    found = archive.portfolio(name)
    if found.compliance is None:
        raise HTTPException(404, f"{name} has no rules.")
    return found


def _rule(
    request: Request,
    archive: Archive,
    person: Any,
    portfolio: str,
    name: str,
    given: dict[str, str],
    error: ContractError | None = None,
) -> HTMLResponse:
    from fraudops_airflow.web.compliance.rule import rule_page, snooze_lines

    found, now = _ruling(archive, portfolio), datetime.now(UTC)
    page = rule_page(archive, found, name, now.date())
    if page is None:
        raise HTTPException(404, "There is no such rule.")
    works = person.is_any(*WORKERS)
    return render(
        request,
        "compliance/rule.html",
        status=status_of(error),
        page=page,
        snoozes=snooze_lines(archive, found, name, now) if works else None,
        works=works,
        may_snooze=person.is_any(OFFICER),
        given={"subject": "", "until": "", "reason": "", "lifting": ""} | given,
        error=error,
    )
