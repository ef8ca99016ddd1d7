"""What a clock's row and its events say together: when it ran out, and whether it was missed, whatever came later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fraudops.cases.changing import UPDATED, keyed_digest
from fraudops.database import CaseFile, Filing, FilingEvent
from fraudops.errors import ContractError
from fraudops.filings.deadlines import local_day
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

OPEN = ("due", "drafted")


@dataclass(frozen=True)
class Term:
    """A last day, and the day from which it counted."""

    since: date
    due_on: date


def missed_on(terms: Sequence[Term], settled_on: date | None, today: date) -> date | None:
    """The last day that passed without a filing; None where none has.

    A last day that was over when it was moved stays missed, and so does one that was over before the filing.

    Parameters
    ----------
    terms
        Last days in the order in which they counted.
    settled_on
        Day of the filing, or of the decision that none is needed.
    """
    end = today if settled_on is None else settled_on
    following = [term.since for term in terms[1:]] + [end]
    over = [term.due_on for term, until in zip(terms, following, strict=False) if term.due_on < min(until, end)]
    return min(over, default=None)


def terms_of(filing: Filing, zone: ZoneInfo) -> tuple[Term, ...]:
    """The last days that a filing has had, from its events."""
    found: list[Term] = []
    for event in filing.events:
        text = event.details.get("due_on")
        if text is not None and (not found or date.fromisoformat(text) != found[-1].due_on):
            found.append(Term(local_day(event.at, zone), date.fromisoformat(text)))
    # A clock counts from the day that started it, also where it was started late.
    return (replace(found[0], since=filing.trigger_on), *found[1:]) if found else ()


def unknown(portfolio: Portfolio, number: int) -> ContractError:
    """That there is no filing of a number."""
    return ContractError(
        f"there is no number {number}", where=portfolio.name, remedy="see 'fraudops filings list --all'"
    )


def jurisdiction_of(portfolio: Portfolio) -> str:
    """Whose law its clocks follow; without a section ``compliance`` that of the US, which has numbers."""
    return portfolio.compliance.jurisdiction if portfolio.compliance is not None else "US"


def add_event(
    session: Session,
    filing: Filing,
    *,
    by: str,
    kind: str,
    details: dict[str, Any],
    escalation_id: int | None = None,
    at: datetime | None = None,
) -> FilingEvent:
    """Append a line to a filing's history."""
    event = FilingEvent(
        filing_id=filing.id,
        at=at or datetime.now(UTC),
        by=by,
        kind=kind,
        escalation_id=escalation_id,
        details=details,
    )
    session.add(event)
    session.flush()
    return event


def tell(
    session: Session,
    ws: Workspace,
    filing: Filing,
    *,
    by: str,
    kind: str,
    details: dict[str, Any],
    at: datetime | None = None,
) -> None:
    """Append what a person did to a filing's history, and tell the ledger without what it was.

    The ledger gets the case, and a keyed digest that fits only this event.
    """
    event = add_event(session, filing, by=by, kind=kind, details=details, at=at)
    case = session.get(CaseFile, filing.case_id) if filing.case_id is not None else None
    said = {"kind": event.kind, "by": event.by, "details": event.details, "filing": event.filing_id}
    ws.record(
        session,
        portfolio=filing.portfolio,
        actor=event.by,
        action=UPDATED,
        # The same form as of any other change of a case.
        subject=f"{filing.portfolio}/cases/{case.number if case is not None else '-'}",
        details={"version": case.version if case is not None else 0, "events": keyed_digest(ws, said)},
    )
