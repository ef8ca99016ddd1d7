"""Model files that are not the ones registered: refused, recorded, told once per finding.

A finding begins with the first refusal and ends when the very file that was registered is read again. What is open
is told from the ledger alone, so that it makes no difference which step tripped over it, nor how many did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry, ModelVersion
from fraudops.errors import IntegrityError
from fraudops.notices import model_messages
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

REFUSED, RESTORED = "model_refused", "model_restored"
NO_FILE = "no file"
_ACTOR = "service:registry"


@dataclass(frozen=True)
class AlteredFile:
    """An open finding.

    Attributes
    ----------
    number
        The ledger entry with which it began.
    found
        Digest of what lies there, or ``no file``, as it was found last.
    refusals
        How often the file was refused since.
    """

    version: str
    number: int
    since: datetime
    found: str
    refusals: int

    @property
    def sentence(self) -> str:
        """For people."""
        state = "is gone" if self.found == NO_FILE else "was altered"
        return (
            f"the file of {self.version} {state} (found {self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC, ledger entry "
            f"{self.number}): restore it from the backup, or roll back"
        )


def refuse(ws: Workspace, model: ModelVersion, found: str) -> NoReturn:
    """Record that a file was not loaded, in a transaction of its own, and raise.

    Raises
    ------
    IntegrityError
        Always.
    """
    with ws.transaction() as session:
        ws.record(
            session,
            portfolio=model.portfolio,
            actor=_ACTOR,
            action=REFUSED,
            subject=_subject(model.portfolio, model.version),
            details={"registered_sha256": model.artifact_sha256, "found": found},
        )
    what = "the model's file is gone" if found == NO_FILE else "the model's file is not the one registered"
    raise IntegrityError(
        what,
        where=f"{model.portfolio} {model.version}: {model.artifact}",
        remedy=f"restore the file with SHA-256 {model.artifact_sha256[:16]}… from the backup, or roll back to "
        "another version; find out who changed it",
    )


def accept(ws: Workspace, model: ModelVersion) -> None:
    """End the finding about a version whose file has just been read and is the one registered, if there is one."""
    with ws.transaction() as session:
        if not _is_open(session, model):
            return
        ws.record(
            session,
            portfolio=model.portfolio,
            actor=_ACTOR,
            action=RESTORED,
            subject=_subject(model.portfolio, model.version),
            details={"registered_sha256": model.artifact_sha256},
        )


def altered_files(session: Session, portfolio_name: str) -> list[AlteredFile]:
    """The open findings of a portfolio, the oldest first."""
    entries = session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.portfolio == portfolio_name, LedgerEntry.action.in_((REFUSED, RESTORED)))
        .order_by(LedgerEntry.number)
    )
    refusals: dict[str, list[LedgerEntry]] = {}
    for entry in entries:
        if entry.action == RESTORED:
            refusals.pop(entry.subject, None)
        else:
            refusals.setdefault(entry.subject, []).append(entry)
    return [
        AlteredFile(
            version=subject.rsplit("/", 1)[1],
            number=found[0].number,
            since=found[0].at,
            found=str(found[-1].details["found"]),
            refusals=len(found),
        )
        for subject, found in refusals.items()
    ]


def raise_alarms(ws: Workspace, portfolio: Portfolio) -> int:
    """Queue the notice of each open finding that has none yet; returns how many were queued."""
    with ws.transaction() as session:
        return sum(_raise_alarm(session, ws, portfolio, finding) for finding in altered_files(session, portfolio.name))


# -- inside -------------------------------------------------------------------------------------------


def _raise_alarm(session: Session, ws: Workspace, portfolio: Portfolio, finding: AlteredFile) -> bool:
    model = session.scalar(
        select(ModelVersion).where(
            ModelVersion.portfolio == portfolio.name, ModelVersion.number == int(finding.version.removeprefix("v"))
        )
    )
    if model is None:
        return False
    return model_messages.model_refused(session, ws, portfolio, model, found=finding.found, finding=finding.number)


def _is_open(session: Session, model: ModelVersion) -> bool:
    newest = session.scalar(
        select(LedgerEntry.action)
        .where(
            LedgerEntry.subject == _subject(model.portfolio, model.version),
            LedgerEntry.action.in_((REFUSED, RESTORED)),
        )
        .order_by(LedgerEntry.number.desc())
        .limit(1)
    )
    return newest == REFUSED


def _subject(portfolio_name: str, version: str) -> str:
    return f"{portfolio_name}/models/{version}"
