"""What a compliance officer records about a clock: a filing, why none is needed, another day of detection.

Nothing here ends a clock without a person, a day and a reason, and nothing removes what was before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import Filing
from fraudops.errors import ConflictError, ContractError
from fraudops.filings.deadlines import after_detection, after_filing, local_day
from fraudops.filings.definition import Clocks
from fraudops.filings.record import OPEN, add_event, jurisdiction_of, tell, unknown
from fraudops.filings.starting import new_filing, said
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles
from fraudops.workspace import Workspace

OFFICER = "compliance_officer"
_CONTINUES = ("sar", "sar_continuing")


def require_officer(roles: Roles, by: str) -> None:
    """Let only those go on who need to know.

    Raises
    ------
    ContractError
        The user has not the role.
    """
    if OFFICER not in roles.of(by):
        raise ContractError(
            f"{by!r} has not the role {OFFICER}", where="roles.yaml", remedy="ask somebody who has it, or give --by"
        )


def record_filed(
    ws: Workspace,
    portfolio: Portfolio,
    clocks: Clocks,
    number: int,
    *,
    filed_on: date,
    reference: str,
    by: str,
    roles: Roles,
    correction: str = "",
    now: datetime | None = None,
) -> int | None:
    """Record that a person filed a report; of activity that may go on the next clock starts.

    Parameters
    ----------
    reference
        Number that the authority gave.
    correction
        Why what was recorded before is wrong; it stays in the history.
    now
        The present, unless a test says otherwise.

    Returns
    -------
    int or None
        Number of the next clock.

    Raises
    ------
    ContractError
        The day lies ahead or before the clock's start, there is no reference, or the user may not.
    ConflictError
        Somebody has settled it already.
    """
    with acting(ws, portfolio, number, by=by, roles=roles) as (session, filing):
        _require_text(reference, "the number that the authority gave is missing", number, "--reference")
        _require_possible(portfolio, filing, filed_on, now)
        if filing.state not in OPEN:
            _require_correction(filing, correction)
        details: dict[str, Any] = {"settled_on": str(filed_on), "reference": reference.strip()}
        if filing.state not in OPEN:
            details |= {"before": _ending(filing), "reason": correction.strip()}
        kind = "filed" if filing.state in OPEN else "corrected"
        filing.state, filing.filed_on, filing.filed_by = "filed", filed_on, by
        filing.reference, filing.reason = reference.strip(), None
        filing.keep_until = _keep_until(portfolio, clocks, filing, filed_on)
        tell(session, ws, filing, by=by, kind=kind, details=details, at=now)
        return _continue(session, portfolio, clocks, filing, by, now)


def record_not_required(
    ws: Workspace,
    portfolio: Portfolio,
    number: int,
    *,
    reason: str,
    by: str,
    roles: Roles,
    now: datetime | None = None,
) -> None:
    """Record a decision that no report is needed, with its reason; the clock stays in the record.

    Raises
    ------
    ContractError
        There is no reason, or the user may not.
    ConflictError
        Somebody has settled it already.
    """
    with acting(ws, portfolio, number, by=by, roles=roles) as (session, filing):
        _require_text(reason, "a decision that no report is needed needs a reason", number, "--reason")
        if filing.state not in OPEN:
            raise settled(filing, "a wrong entry is corrected with 'fraudops filings filed --correct'")
        day = local_day(now or datetime.now(UTC), portfolio.zone)
        filing.state, filing.filed_on, filing.filed_by, filing.reason = "not_required", day, by, reason.strip()
        details = {"settled_on": str(day), "reason": reason.strip()}
        tell(session, ws, filing, by=by, kind="not_required", details=details, at=now)


def reopen(
    ws: Workspace,
    portfolio: Portfolio,
    number: int,
    *,
    reason: str,
    by: str,
    roles: Roles,
    now: datetime | None = None,
) -> None:
    """Let a clock run on that was ended by mistake, such as another one's filing; what was recorded stays.

    Raises
    ------
    ContractError
        It has not ended, there is no reason, or the user may not.
    """
    with acting(ws, portfolio, number, by=by, roles=roles) as (session, filing):
        _require_text(reason, "to reopen a clock needs a reason", number, "--reason")
        if filing.state in OPEN:
            raise ContractError("it has not ended", where=name_of(filing), remedy="nothing to reopen")
        details = {"before": _ending(filing), "reason": reason.strip()}
        filing.state, filing.filed_on, filing.filed_by = "due", None, None
        filing.reference = filing.reason = filing.keep_until = None
        tell(session, ws, filing, by=by, kind="reopened", details=details, at=now)
        _withdraw(session, portfolio, filing, by, reason.strip(), now)


def amend(
    ws: Workspace,
    portfolio: Portfolio,
    clocks: Clocks,
    number: int,
    *,
    detected_on: date,
    suspect_known: bool | None = None,
    reason: str,
    by: str,
    roles: Roles,
    now: datetime | None = None,
) -> None:
    """Let another day of detection count, for a reason; the day before stays beside it, and a missed one stays missed.

    Parameters
    ----------
    suspect_known
        Whether a suspect was identified on that day; None: as it was.

    Raises
    ------
    ContractError
        There is no reason, the clock does not count from a detection, the day lies ahead, or the user may not.
    """
    with acting(ws, portfolio, number, by=by, roles=roles) as (session, filing):
        _require_text(reason, "another day of detection needs a reason", number, "--reason")
        clock = clocks.of("sar", jurisdiction_of(portfolio))
        if filing.kind != "sar" or clock is None:
            raise ContractError("this clock counts from no detection", where=name_of(filing), remedy="nothing to amend")
        if filing.state not in OPEN:
            raise settled(filing, "its clock has ended")
        if detected_on > local_day(now or datetime.now(UTC), portfolio.zone):
            raise ContractError("the day of detection lies ahead", where=name_of(filing), remedy="give the day it was")
        known = bool(filing.suspect_known) if suspect_known is None else suspect_known
        found = after_detection(clock, detected_on, suspect_known=known)
        before = {"trigger_on": str(filing.trigger_on), "due_on": str(filing.due_on)}
        filing.trigger_on, filing.due_on, filing.suspect_known = found.trigger_on, found.due_on, known
        details = {**said(found), "before": before, "reason": reason.strip()}
        tell(session, ws, filing, by=by, kind="amended", details=details, at=now)


@contextmanager
def acting(
    ws: Workspace, portfolio: Portfolio, number: int, *, by: str, roles: Roles
) -> Iterator[tuple[Session, Filing]]:
    """An open transaction and the filing of a number, for a compliance officer alone; raises as both do."""
    require_officer(roles, by)
    with ws.transaction() as session:
        yield session, locked(session, portfolio, number)


def locked(session: Session, portfolio: Portfolio, number: int) -> Filing:
    """The filing of a number, for this transaction alone.

    Raises
    ------
    ContractError
        There is none.
    """
    query = select(Filing).where(Filing.id == number, Filing.portfolio == portfolio.name).with_for_update()
    found = session.scalars(query).one_or_none()
    if found is None:
        raise unknown(portfolio, number)
    return found


def name_of(filing: Filing) -> str:
    """How an error names it."""
    return f"{filing.portfolio} {filing.id}"


def settled(filing: Filing, remedy: str) -> ConflictError:
    """That somebody has ended its clock already."""
    state = filing.state.replace("_", " ")
    return ConflictError(
        f"{filing.filed_by} has recorded it as {state} on {filing.filed_on}", where=name_of(filing), remedy=remedy
    )


# -- inside -------------------------------------------------------------------------------------------


def _continue(
    session: Session, portfolio: Portfolio, clocks: Clocks, filing: Filing, by: str, now: datetime | None
) -> int | None:
    clock = clocks.of("sar_continuing", jurisdiction_of(portfolio))
    if filing.kind not in _CONTINUES or clock is None or not portfolio.filings.continuing:
        return None
    deadline = after_filing(clock, filing.filed_on or filing.trigger_on)
    next_one = _following(session, filing)
    if next_one is None:
        next_one = new_filing(
            session,
            portfolio,
            kind="sar_continuing",
            origin=_after(filing),
            deadline=deadline,
            subject=(filing.subject_kind, filing.subject),
            case_id=filing.case_id,
            previous_id=filing.id,
        )
        details = {**said(deadline), "clock": clock.id}
        add_event(session, next_one, by=by, kind="started", details=details, at=now)
    elif next_one.trigger_on != deadline.trigger_on and next_one.state in OPEN:
        before = {"trigger_on": str(next_one.trigger_on), "due_on": str(next_one.due_on)}
        next_one.trigger_on, next_one.due_on = deadline.trigger_on, deadline.due_on
        next_one.review_on = deadline.review_on
        details = {**said(deadline), "before": before, "reason": "the filing before was corrected"}
        add_event(session, next_one, by=by, kind="amended", details=details, at=now)
    return next_one.id


def _ending(filing: Filing) -> dict[str, Any]:
    """How it has ended, as the history keeps it."""
    return {
        "state": filing.state,
        "settled_on": str(filing.filed_on),
        "reference": filing.reference,
        "reason": filing.reason,
    }


def _after(filing: Filing) -> str:
    """Origin of the clock that a filing starts."""
    return f"after/{filing.id}"


def _following(session: Session, filing: Filing) -> Filing | None:
    query = select(Filing).where(Filing.portfolio == filing.portfolio, Filing.origin == _after(filing))
    return session.scalars(query.with_for_update()).one_or_none()


def _withdraw(
    session: Session, portfolio: Portfolio, filing: Filing, by: str, reason: str, now: datetime | None
) -> None:
    """End the clock that a filing has started which was none; another filing starts another one."""
    following = _following(session, filing)
    if following is None or following.state not in OPEN:
        return
    day = local_day(now or datetime.now(UTC), portfolio.zone)
    following.state, following.filed_on, following.filed_by = "not_required", day, by
    following.reason = f"number {filing.id} was not filed: {reason}"
    following.origin = f"{following.origin}/{following.id}"
    details = {"settled_on": str(day), "reason": following.reason}
    add_event(session, following, by=by, kind="not_required", details=details, at=now)


def _keep_until(portfolio: Portfolio, clocks: Clocks, filing: Filing, filed_on: date) -> date | None:
    clock = clocks.of(filing.kind, jurisdiction_of(portfolio))
    return None if clock is None else filed_on + timedelta(days=clock.days("kept_for", filed_on))


def _require_possible(portfolio: Portfolio, filing: Filing, filed_on: date, now: datetime | None) -> None:
    today = local_day(now or datetime.now(UTC), portfolio.zone)
    if filed_on > today:
        raise ContractError(
            f"{filed_on} lies ahead: in {portfolio.zone.key} it is {today}",
            where=name_of(filing),
            remedy="give a day of that zone, once it is filed",
        )
    if filed_on < filing.trigger_on:
        raise ContractError(
            f"{filed_on} lies before {filing.trigger_on}, on which the clock started",
            where=name_of(filing),
            remedy="give the day on which it was filed",
        )


def _require_correction(filing: Filing, correction: str) -> None:
    if not correction.strip():
        raise settled(filing, "say why that is wrong with --correct")


def _require_text(text: str, what: str, number: int, option: str) -> None:
    if not text.strip():
        raise ContractError(what, where=str(number), remedy=f"give {option}")
