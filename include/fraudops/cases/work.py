"""What people do with a case that is open: assign it, start, write down, escalate."""

from __future__ import annotations

from datetime import UTC, date

from fraudops.cases import states
from fraudops.cases.changing import OFFICERS, WORKERS, Change, changing, require_role
from fraudops.database import Escalation
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles
from fraudops.workspace import Workspace

_LONGEST = 20_000


def assign(
    ws: Workspace,
    portfolio: Portfolio,
    number: int,
    *,
    to: str | None,
    by: str,
    roles: Roles,
    version: int | None = None,
) -> int:
    """Give a case to somebody, or to nobody (None); the same again changes nothing.

    Returns
    -------
    int
        The case's version now.

    Raises
    ------
    ContractError
        It is closed, or either person may not work cases.
    ConflictError
        Somebody changed it since that version.
    """
    with changing(ws, portfolio, number, by=by, roles=roles, version=version) as change:
        _require_open(change)
        to = None if to is None else require_role(roles, to, WORKERS, change.case.name)
        if to != change.case.assignee:
            change.tell("assigned", before=change.case.assignee, after=to)
            change.case.assignee = to
    return change.case.version


def start(
    ws: Workspace, portfolio: Portfolio, number: int, *, by: str, roles: Roles, version: int | None = None
) -> int:
    """Begin the review; a case that is nobody's becomes the person's. Returns and raises as :func:`assign`."""
    with changing(ws, portfolio, number, by=by, roles=roles, version=version) as change:
        holder = f" ({change.case.assignee}'s)" if change.case.assignee else ""
        states.require("start", change.case.state, change.case.name + holder)
        if change.case.assignee is None:
            change.tell("assigned", before=None, after=change.by)
            change.case.assignee = change.by
        change.move(states.IN_REVIEW)
    return change.case.version


def note(
    ws: Workspace, portfolio: Portfolio, number: int, *, text: str, by: str, roles: Roles, version: int | None = None
) -> int:
    """Write something down, in a closed case too. Returns and raises as :func:`assign`."""
    text = required_text(text, "a note", f"{portfolio.name}-{number}")
    with changing(ws, portfolio, number, by=by, roles=roles, version=version) as change:
        change.tell("note", text)
    return change.case.version


def escalate(
    ws: Workspace,
    portfolio: Portfolio,
    number: int,
    *,
    detected_on: date,
    suspect_known: bool,
    reason: str,
    by: str,
    roles: Roles,
    version: int | None = None,
) -> int:
    """Record that there are facts that may be a basis for a report, and since which day that is known.

    A compliance officer does. The day is a person's finding, not an alert's age; deadlines of the law count from it.
    Once more, where the day was not the right one: what was recorded first stays beside it.

    Parameters
    ----------
    detected_on
        Day on which a person first saw those facts.
    suspect_known
        Whether somebody is suspected.

    Returns and raises as :func:`assign` does, and raises ContractError where the day lies ahead.
    """
    where = f"{portfolio.name}-{number}"
    reason = required_text(reason, "an escalation", where)
    with changing(ws, portfolio, number, by=by, roles=roles, version=version, needs=OFFICERS) as change:
        states.require("escalate", change.case.state, where)
        if detected_on > change.now.astimezone(UTC).date():
            raise ContractError(f"{detected_on} lies ahead", where=where, remedy="give the day on which it was seen")
        change.session.add(
            Escalation(
                case_id=change.case.id,
                detected_on=detected_on,
                suspect_known=suspect_known,
                by=change.by,
                at=change.now,
                reason=reason,
            )
        )
        change.tell("escalated", reason, detected_on=detected_on.isoformat(), suspect_known=suspect_known)
        withdraw_proposal(change, "escalated")
        change.move(states.ESCALATED)
    return change.case.version


def required_text(text: str, what: str, where: str) -> str:
    """The text without the space around it.

    Raises
    ------
    ContractError
        There is none, or too much.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or "\0" in text:
        raise ContractError(
            f"{what} needs words, at most {_LONGEST:,} characters", where=where, remedy="say it, or attach a file"
        )
    return text


def withdraw_proposal(change: Change, why: str) -> None:
    """What was proposed did not know of what has happened since; harmless where nothing is."""
    if change.case.proposed_finding is not None:
        change.tell(
            "proposal_withdrawn", why, finding=change.case.proposed_finding, proposed_by=change.case.proposed_by
        )
        change.case.proposed_finding = change.case.proposed_by = change.case.proposed_at = None


def _require_open(change: Change) -> None:
    if states.is_closed(change.case.state):
        raise ContractError(
            f"it is {states.spoken(change.case.state)}", where=change.case.name, remedy="reopen it first"
        )
