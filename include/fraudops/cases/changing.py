"""How a case changes: its row is locked, its version checked, its timeline continued, and the ledger told, all at once.

The ledger learns that a case changed and the keyed digest of how, and nothing else: that a case was escalated is a sign
that a report may exist, which only those who work cases may see.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.cases.states import spoken
from fraudops.database import CaseEvent, CaseFile
from fraudops.errors import ConflictError, ContractError
from fraudops.portfolio import Portfolio
from fraudops.roles import BusinessRole, Roles
from fraudops.store import canonical_json
from fraudops.workspace import Workspace

UPDATED = "case_updated"
"""Action of the ledger's entry for whatever happens to a case."""
LOOKED = "case_looked_at"
"""Action of the ledger's entry where something personal was shown."""
WORKERS: tuple[BusinessRole, ...] = ("investigator", "compliance_officer")
OFFICERS: tuple[BusinessRole, ...] = ("compliance_officer",)
_SHOWN = 5


@dataclass
class Change:
    """A case that is being changed, in an open transaction.

    Attributes
    ----------
    now
        When it is changed.
    events
        What will be added to its timeline; while there are none, nothing changes.
    """

    session: Session
    case: CaseFile
    by: str
    now: datetime
    events: list[CaseEvent] = field(default_factory=list)

    def tell(self, kind: str, text: str | None = None, **details: Any) -> None:
        """Add a line to the timeline."""
        self.events.append(
            CaseEvent(
                case_id=self.case.id,
                version=self.case.version + 1,
                at=self.now,
                by=self.by,
                kind=kind,
                text=text,
                details=details,
            )
        )

    def move(self, state: str) -> None:
        """Into another state, told as ``state``."""
        if state != self.case.state:
            self.tell("state", spoken(state), before=self.case.state, after=state)
            self.case.state = state


@contextmanager
def changing(
    ws: Workspace,
    portfolio: Portfolio,
    number: int,
    *,
    by: str,
    roles: Roles,
    version: int | None,
    needs: Iterable[BusinessRole] = WORKERS,
) -> Iterator[Change]:
    """Change a case; everything commits at the end, or nothing.

    Parameters
    ----------
    version
        The version that the person has seen; None: whatever it is now.
    needs
        One of these roles.

    Raises
    ------
    ContractError
        There is no such case, or the person has none of the roles.
    ConflictError
        Somebody changed it since; says who and what.
    """
    where = f"{portfolio.name}-{number}"
    by = require_role(roles, by, needs, where)
    with ws.transaction() as session:
        case = locked_case(session, portfolio.name, number)
        _require_version(session, case, version)
        change = Change(session, case, by, datetime.now(UTC))
        yield change
        if change.events:
            case.version += 1
            session.add_all(change.events)
            record(ws, session, case, change.by, change.events)


@dataclass
class Look:
    """A case of which something personal is shown, in an open transaction; it stays the version that it is."""

    session: Session
    case: CaseFile
    by: str
    events: list[CaseEvent] = field(default_factory=list)

    def see(self, kind: str, text: str | None = None, **details: Any) -> None:
        """Add a line to the timeline."""
        now, version = datetime.now(UTC), self.case.version
        line = CaseEvent(
            case_id=self.case.id, version=version, at=now, by=self.by, kind=kind, text=text, details=details
        )
        self.events.append(line)


@contextmanager
def looking(ws: Workspace, portfolio: Portfolio, number: int, *, by: str, roles: Roles) -> Iterator[Look]:
    """Show something personal of a case, and leave a trace in its timeline and in the ledger.

    Raises
    ------
    ContractError
        There is no such case, or the person may not work cases.
    """
    by = require_role(roles, by, WORKERS, f"{portfolio.name}-{number}")
    with ws.transaction() as session:
        look = Look(session, case_of(session, portfolio.name, number), by)
        yield look
        session.add_all(look.events)
        record(ws, session, look.case, by, look.events, action=LOOKED)


def locked_case(session: Session, portfolio: str, number: int) -> CaseFile:
    """A case that nobody else can change until the transaction ends; raises ContractError where there is none."""
    return _one(session, portfolio, number, lock=True)


def case_of(session: Session, portfolio: str, number: int) -> CaseFile:
    """A case; raises ContractError where there is none."""
    return _one(session, portfolio, number, lock=False)


def require_role(roles: Roles, by: str, needs: Iterable[BusinessRole], where: str) -> str:
    """The person's name, where they have one of the roles; raises ContractError where they have not."""
    by, wanted = by.strip(), tuple(needs)
    if not set(wanted) & set(roles.of(by)):
        raise ContractError(
            f"{by or 'nobody'} may not do that: it takes the role {' or '.join(wanted)}",
            where=where,
            remedy="say who you are with --by, or give the role in roles.yaml (fraudops roles list)",
        )
    return by


def record(
    ws: Workspace,
    session: Session,
    case: CaseFile,
    actor: str,
    events: Iterable[CaseEvent],
    *,
    action: str = UPDATED,
) -> None:
    """Tell the ledger what was done to a case, and the keyed digest of its new lines."""
    session.flush()
    ws.record(
        session,
        portfolio=case.portfolio,
        actor=actor,
        action=action,
        subject=f"{case.portfolio}/cases/{case.number}",
        details={"version": case.version, "events": digest_of(ws, events)},
    )


def digest_of(ws: Workspace, events: Iterable[CaseEvent]) -> str:
    """Digest of lines of a timeline."""
    lines = [
        [event.id, event.version, event.at.astimezone(UTC).isoformat(), event.by, event.kind, event.text, event.details]
        for event in events
    ]
    return keyed_digest(ws, lines)


def keyed_digest(ws: Workspace, content: Any) -> str:
    """Digest that fits this content alone; it needs the ledger's key, so that nobody can find out by trying."""
    return hmac.new(ws.ledger_keys[-1], canonical_json(content), "sha256").hexdigest()


# -- inside -------------------------------------------------------------------------------------------


def _one(session: Session, portfolio: str, number: int, *, lock: bool) -> CaseFile:
    query = select(CaseFile).where(CaseFile.portfolio == portfolio, CaseFile.number == number)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise ContractError(f"there is no case {portfolio}-{number}", remedy="see 'fraudops cases list'")
    if not found.subject:
        raise ContractError(
            "what was in the case was removed by retention; what was found is in the list",
            where=found.name,
            remedy="'fraudops ledger show --action retention_removed' says when",
        )
    return found


def _require_version(session: Session, case: CaseFile, version: int | None) -> None:
    if version is None or version == case.version:
        return
    since = session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.version > version).order_by(CaseEvent.id)
    ).all()
    told = [
        f"{event.by}: {event.kind.replace('_', ' ')} ({event.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)" for event in since
    ]
    earlier = [f"{len(told) - _SHOWN} changes, then"] if len(told) > _SHOWN else []
    happened = "; ".join([*earlier, *told[-_SHOWN:]])
    raise ConflictError(
        f"it has changed since version {version} and is at {case.version} now: {happened}",
        where=case.name,
        remedy="look at it again, then decide",
    )
