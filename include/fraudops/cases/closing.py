"""Closing a case, by two people where it matters, and opening it again.

Who finds something closes the case. From a stated severity on (``cases.four_eyes_from``), and where it was escalated,
that is a proposal which a second person, a compliance officer, approves or declines. Closing says what was found about
each transaction of the case; a case that is reopened and closed otherwise says so anew, and the later word counts.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import exists, select

from fraudops.cases import states
from fraudops.cases.changing import OFFICERS, Change, changing
from fraudops.cases.priority import rank
from fraudops.cases.transactions import contents_of
from fraudops.cases.work import required_text
from fraudops.database import CaseEvent, CaseFile, Disposition, Escalation
from fraudops.decisions.locks import lock_partition
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles
from fraudops.workspace import Workspace

PROPOSED, CLOSED, REOPENED = "proposed", "closed", "reopened"
"""Kinds of events."""


def close(
    ws: Workspace,
    portfolio: Portfolio,
    number: int,
    *,
    finding: str,
    reason: str,
    by: str,
    roles: Roles,
    version: int | None = None,
    otherwise: Mapping[str, str] | None = None,
) -> int:
    """Close a case with a finding, or propose to, where it takes two.

    Parameters
    ----------
    finding
        ``fraud``, ``not_fraud`` or ``insufficient``: of every transaction of the case …
    otherwise
        … but of these: transaction → finding.

    Returns
    -------
    int
        The case's version now; its state says whether it is closed.

    Raises
    ------
    ContractError
        It is not in review, there is no such finding or transaction, no reason, or the person may not.
    ConflictError
        Somebody changed it since that version.
    """
    where = f"{portfolio.name}-{number}"
    reason, others = required_text(reason, "a finding", where), dict(otherwise or {})
    for one in (finding, *others.values()):
        states.after_closing(one, where)
    with changing(ws, portfolio, number, by=by, roles=roles, version=version) as change:
        states.require("close", change.case.state, where)
        if others.keys() - set(contents_of(ws, change.session, portfolio, change.case).transactions):
            raise ContractError(
                "a transaction that was named is not one of the case's",
                where=where,
                remedy=f"see 'fraudops cases show {where}'",
            )
        change.tell(
            PROPOSED if needs_two(portfolio, change.case) else CLOSED, reason, finding=finding, otherwise=others
        )
        if needs_two(portfolio, change.case):
            change.case.proposed_finding = finding
            change.case.proposed_by, change.case.proposed_at = change.by, change.now
        else:
            _close(ws, portfolio, change, finding, others, found_by=change.by)
    return change.case.version


def approve(
    ws: Workspace,
    portfolio: Portfolio,
    number: int,
    *,
    by: str,
    roles: Roles,
    version: int | None = None,
    reason: str = "",
) -> int:
    """Close a case as was proposed; a compliance officer does who is not the proposer. Returns as :func:`close`.

    Raises
    ------
    ContractError
        Nothing is proposed, the person proposed it, or may not.
    ConflictError
        Somebody changed it since that version.
    """
    with changing(ws, portfolio, number, by=by, roles=roles, version=version, needs=OFFICERS) as change:
        _require_other_than_proposer(change)
        case = change.case
        proposal = _proposal(change)
        found_by, finding, others = str(case.proposed_by), str(case.proposed_finding), proposal.details["otherwise"]
        change.tell(CLOSED, reason.strip() or None, finding=finding, otherwise=others, proposed_by=found_by)
        _close(ws, portfolio, change, finding, others, found_by=found_by)
    return change.case.version


def decline(
    ws: Workspace, portfolio: Portfolio, number: int, *, reason: str, by: str, roles: Roles, version: int | None = None
) -> int:
    """Leave a case open against a proposal; returns and raises as :func:`approve`."""
    reason = required_text(reason, "a refusal", f"{portfolio.name}-{number}")
    with changing(ws, portfolio, number, by=by, roles=roles, version=version, needs=OFFICERS) as change:
        _require_other_than_proposer(change)
        change.tell("declined", reason, finding=change.case.proposed_finding, proposed_by=change.case.proposed_by)
        change.case.proposed_finding = change.case.proposed_by = change.case.proposed_at = None
    return change.case.version


def reopen(
    ws: Workspace, portfolio: Portfolio, number: int, *, reason: str, by: str, roles: Roles, version: int | None = None
) -> int:
    """Take a closed case up again; what it said stays said until it is closed otherwise. Returns as :func:`close`.

    Raises
    ------
    ContractError
        It is not closed, its subject has another case that is open, no reason, or the person may not.
    ConflictError
        Somebody changed it since that version.
    """
    where = f"{portfolio.name}-{number}"
    reason = required_text(reason, "reopening", where)
    with changing(ws, portfolio, number, by=by, roles=roles, version=version) as change:
        states.require("reopen", change.case.state, where)
        # A run that gathers could open another case of the subject just now.
        lock_partition(change.session, "cases", portfolio.name, "all")
        _require_no_other(change)
        escalated = select(exists().where(Escalation.case_id == change.case.id))
        change.tell(REOPENED, reason, finding=change.case.finding)
        change.case.finding = change.case.closed_by = change.case.closed_at = None
        change.move(states.after_reopening(was_escalated=bool(change.session.scalar(escalated))))
    return change.case.version


def needs_two(portfolio: Portfolio, case: CaseFile) -> bool:
    """Whether it takes a second person to close a case."""
    least = portfolio.cases.four_eyes_from
    return case.state == states.ESCALATED or (least is not None and rank(case.severity) >= rank(least))


# -- inside -------------------------------------------------------------------------------------------


def _close(
    ws: Workspace, portfolio: Portfolio, change: Change, finding: str, others: Mapping[str, str], *, found_by: str
) -> None:
    case = change.case
    change.move(states.after_closing(finding, case.name))
    case.finding, case.closed_by, case.closed_at = finding, change.by, change.now
    case.proposed_finding = case.proposed_by = case.proposed_at = None
    for transaction in contents_of(ws, change.session, portfolio, case).transactions:
        change.session.add(
            Disposition(
                portfolio=portfolio.name,
                case_id=case.id,
                transaction_id=transaction,
                finding=others.get(transaction, finding),
                by=found_by,
                reported_at=change.now,
            )
        )


def _require_other_than_proposer(change: Change) -> None:
    case = change.case
    if case.proposed_finding is None:
        raise ContractError("nothing is proposed", where=case.name, remedy="somebody closes it first")
    if case.proposed_by is not None and case.proposed_by.casefold() == change.by.casefold():
        raise ContractError(
            "who proposes to close a case does not decide on it",
            where=case.name,
            remedy="ask another compliance officer",
        )


def _proposal(change: Change) -> CaseEvent:
    return change.session.scalars(
        select(CaseEvent)
        .where(CaseEvent.case_id == change.case.id, CaseEvent.kind == PROPOSED)
        .order_by(CaseEvent.id.desc())
        .limit(1)
    ).one()


def _require_no_other(change: Change) -> None:
    case = change.case
    other = change.session.scalar(
        select(CaseFile).where(
            CaseFile.portfolio == case.portfolio,
            CaseFile.subject_kind == case.subject_kind,
            CaseFile.subject == case.subject,
            CaseFile.closed_at.is_(None),
        )
    )
    if other is not None:
        raise ContractError(
            f"the same subject has an open case, {other.name}", where=case.name, remedy=f"go on with {other.name}"
        )
