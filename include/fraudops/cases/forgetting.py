"""What retention takes away of a case that was closed long ago: whom it was about, and what was said.

What stays is a stub: number, state, finding, dates, which alerts and hits were in it (so that none is gathered again),
and the dispositions, which are labels and go with those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from upath import UPath

from fraudops.cases.attachments import AREA
from fraudops.database import CaseAttachment, CaseEvent, CaseFile, CaseItem, Escalation
from fraudops.store import sha256_of
from fraudops.store.removal import remove_folder
from fraudops.workspace import Workspace

FORGOTTEN = ""
"""Subject of a case of which retention has left a stub."""


@dataclass(frozen=True)
class OldCase:
    """A case that was closed long enough ago.

    Attributes
    ----------
    keys
        Partitions of its alerts and hits.
    digest
        Of its timeline and its attachments, so that a copy can be told to be the one.
    rows, bytes
        Lines and attachments; what the latter take in the store.
    """

    number: int
    keys: frozenset[str]
    digest: str
    rows: int
    bytes: int


def old_cases(ws: Workspace, session: Session, portfolio: str, closed_before: datetime) -> Iterator[OldCase]:
    """Cases that were closed at or before a moment, and of which more than a stub is there."""
    query = select(CaseFile).where(
        CaseFile.portfolio == portfolio, CaseFile.closed_at <= closed_before, CaseFile.subject != FORGOTTEN
    )
    for case in session.scalars(query.order_by(CaseFile.number)):
        lines = list(session.scalars(select(CaseEvent.id).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)))
        files = list(session.scalars(select(CaseAttachment).where(CaseAttachment.case_id == case.id)))
        digest = sha256_of("\n".join([*map(str, lines), *sorted(file.sha256 for file in files)]).encode())
        size = sum(path.stat().st_size for file in files if (path := _path(ws, file)).exists())
        yield OldCase(
            case.number, partitions_of(session, portfolio, case.number), digest, len(lines) + len(files), size
        )


def partitions_of(session: Session, portfolio: str, number: int) -> frozenset[str]:
    """Partitions of the alerts and hits of a case."""
    query = select(CaseItem.partition_key).join(CaseFile, CaseFile.id == CaseItem.case_id)
    return frozenset(session.scalars(query.where(CaseFile.portfolio == portfolio, CaseFile.number == number)))


def forget_case(ws: Workspace, session: Session, portfolio: str, number: int, *, announced: int) -> bool:
    """Leave a stub of a case; False where it was taken up again in the meantime. May run again.

    Parameters
    ----------
    announced
        Number of the ledger's entry that says so: the database removes no timeline without.
    """
    query = select(CaseFile).where(CaseFile.portfolio == portfolio, CaseFile.number == number)
    case = session.scalar(query.with_for_update())
    if case is None or case.closed_at is None:
        return False
    remove_folder(ws.store.path(AREA, portfolio, f"case={number}"))
    session.execute(delete(CaseAttachment).where(CaseAttachment.case_id == case.id))
    session.execute(update(Escalation).where(Escalation.case_id == case.id).values(reason=""))
    session.execute(select(func.forget_timeline(case.id, announced)))
    case.subject, case.assignee = FORGOTTEN, None
    return True


# -- inside -------------------------------------------------------------------------------------------


def _path(ws: Workspace, file: CaseAttachment) -> UPath:
    return ws.store.root / file.path
