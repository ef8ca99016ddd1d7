"""Makes a month's pack, keeps it, enters it into the ledger, and sends it.

::

    packs/portfolio=<P>/<month>_as-of-<moment>/pack.json     what it says, as data; written first
                                               index.html, pack.pdf, pack.csv, <chart>.png

An edition is made once. Whoever asks for it again gets the same bytes: the documents follow from ``pack.json`` alone,
and that is computed again only where it was lost; it must then have the digest that the ledger has. What became known
since is told by another edition, as of a later moment, beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.models import LedgerEntry
from fraudops.decisions.locks import lock_partition
from fraudops.errors import ContractError, IntegrityError
from fraudops.monthly.completeness import REPORTED, subject_of, undone_of
from fraudops.monthly.composing import compose
from fraudops.monthly.month import Month, folder_of
from fraudops.monthly.pack import Pack, text_of
from fraudops.monthly.writing import draw_all, page, paper, sheet
from fraudops.notices.attachments import Attachment
from fraudops.notices.report_messages import monthly_report
from fraudops.portfolio import REPORT_FEEDS, Portfolio
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

AREA = "packs"
CONTENT, PAGE, PAPER, SHEET = "pack.json", "index.html", "pack.pdf", "pack.csv"
_MEDIA_TYPES = {PAPER: "application/pdf", PAGE: "text/html", SHEET: "text/csv"}
"""What the mail brings, the most important first."""


@dataclass(frozen=True)
class Edition:
    """A pack that is kept.

    Attributes
    ----------
    state
        ``made`` now, or ``unchanged``: it was there.
    folder
        Its name; its files lie in ``path``, below the store's root.
    notices
        How many were queued.
    """

    month: str
    folder: str
    path: str
    state: Literal["made", "unchanged"]
    digests: Mapping[str, str]
    notices: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**vars(self), "digests": dict(self.digests)}


def make_pack(
    ws: Workspace,
    portfolio: Portfolio,
    month: Month,
    rules_folder: Path,
    *,
    actor: str,
    as_of: datetime | None = None,
    incomplete: bool = False,
) -> Edition:
    """Make a month's pack, or find the one that is there; documents that were lost are written again.

    Parameters
    ----------
    as_of
        Labels that became known later do not count. None: the end of the month's last partition, so that the first
        edition comes in time, with what has matured by then.
    incomplete
        Make it although partitions are missing or not done with; it says which.
    actor
        Airflow user, or ``service:<workflow>``.

    Raises
    ------
    ContractError
        The month is not complete, or the moment is none at which it could be known.
    IntegrityError
        A file of the edition is not the one that was written.
    """
    at = as_of or month.as_of(portfolio.partitioning)
    folder = folder_of(month, at)
    with ws.transaction() as session:
        lock_partition(session, "monthly", portfolio.name, folder)
        recorded = _recorded(session, portfolio, folder)
        pack = _kept(ws, portfolio, folder, recorded)
        if pack is None:
            if recorded is None:
                _require_known(ws, portfolio, month, at)
            if recorded is None and not incomplete:
                _require_complete(ws, portfolio, month, rules_folder)
            pack = compose(ws, portfolio, month, at, rules_folder)
            _require_same(portfolio, folder, pack, recorded)
            ws.store.put(pack.to_bytes(), AREA, portfolio.name, folder, CONTENT)
        digests = _write(ws, portfolio, folder, pack, recorded)
        if recorded is None:
            _enter(ws, session, portfolio, folder, pack, digests, actor)
        queued = _tell(ws, session, portfolio, folder, pack, digests)
    return Edition(
        month.key,
        folder,
        _path(ws, portfolio, folder),
        "made" if recorded is None else "unchanged",
        digests,
        int(queued),
    )


def editions(ws: Workspace, portfolio: Portfolio) -> list[str]:
    """Folders of the packs there are, in the order of their months and moments."""
    root = ws.store.path(AREA, portfolio.name)
    found = [path.name for path in root.iterdir() if (path / CONTENT).exists()] if root.exists() else []
    return sorted(found)


def wrong_packs(ws: Workspace, session: Session, portfolio: Portfolio) -> tuple[int, list[str]]:
    """How many packs there are, and which of their files are not what the ledger says, in sentences."""
    recorded = session.execute(
        select(LedgerEntry.subject, LedgerEntry.details["files"])
        .where(LedgerEntry.portfolio == portfolio.name, LedgerEntry.action == REPORTED)
        .order_by(LedgerEntry.number.desc())
    )
    known: dict[str, dict[str, str]] = {subject.rpartition("/")[2]: files for subject, files in recorded}
    findings = [
        f"packs {folder}: the pack is not in the ledger" for folder in editions(ws, portfolio) if folder not in known
    ]
    for folder, files in sorted(known.items()):
        for name in sorted({*files, *_names(ws, portfolio, folder)}):
            digest = _digest(ws, portfolio, folder, name)
            if digest is None:
                findings.append(f"packs {folder}: {name} is gone")
            elif digest != files.get(name):
                what = "is not the one that was written" if name in files else "does not belong to the pack"
                findings.append(f"packs {folder}: {name} {what}")
    return len(known), findings


# -- inside -------------------------------------------------------------------------------------------


def _require_known(ws: Workspace, portfolio: Portfolio, month: Month, at: datetime) -> None:
    """What lies ahead of the newest partition cannot be known: labels would look matured that nobody waited for."""
    partitioning, name = portfolio.partitioning, portfolio.name
    over = month.as_of(partitioning)
    if at < over:
        raise ContractError(
            f"the month is not over at {at:%Y-%m-%d %H:%M} UTC", where=f"{name} {month.key}",
            remedy=f"give a moment from {over:%Y-%m-%d %H:%M} UTC on, or none",
        )  # fmt: skip
    newest = [keys[-1] for dataset in ("transactions", *REPORT_FEEDS) if (keys := ws.store.keys(dataset, name))]
    until = max((partitioning.end(key) for key in newest), default=None)
    if until is None or until <= month.start:
        raise ContractError("there is nothing of this month", where=f"{name} {month.key}", remedy="load it first")
    if at > max(until, over):
        raise ContractError(
            f"nothing is known up to {at:%Y-%m-%d %H:%M} UTC", where=f"{name} {month.key}",
            remedy=f"the newest partition ends at {until:%Y-%m-%d %H:%M} UTC: give no later moment",
        )  # fmt: skip


def _require_complete(ws: Workspace, portfolio: Portfolio, month: Month, rules_folder: Path) -> None:
    found = undone_of(ws, portfolio, month, rules_folder)
    if found:
        raise ContractError(
            f"the month is not complete: {found.sentence}",
            where=f"{portfolio.name} {month.key}",
            remedy=f"{portfolio.dag_id('reconcile')} does what is left; or ask for the pack as it is: --incomplete",
        )


def _recorded(session: Session, portfolio: Portfolio, folder: str) -> LedgerEntry | None:
    return session.scalar(
        select(LedgerEntry)
        .where(LedgerEntry.action == REPORTED, LedgerEntry.subject == subject_of(portfolio, folder))
        .order_by(LedgerEntry.number)
        .limit(1)
    )


def _kept(ws: Workspace, portfolio: Portfolio, folder: str, recorded: LedgerEntry | None) -> Pack | None:
    """The pack of an edition that is there."""
    try:
        content = ws.store.get(AREA, portfolio.name, folder, CONTENT)
    except FileNotFoundError:
        return None
    if recorded is not None and sha256_of(content) != recorded.details["files"][CONTENT]:
        raise _altered(portfolio, folder, CONTENT, "is not the one that was written")
    return Pack.from_bytes(content)


def _require_same(portfolio: Portfolio, folder: str, pack: Pack, recorded: LedgerEntry | None) -> None:
    """An edition that was lost is computed again, and must be what it was."""
    if recorded is not None and sha256_of(pack.to_bytes()) != recorded.details["files"][CONTENT]:
        raise _altered(portfolio, folder, CONTENT, "is gone, and what it was computed from has changed since")


def _write(
    ws: Workspace, portfolio: Portfolio, folder: str, pack: Pack, recorded: LedgerEntry | None
) -> dict[str, str]:
    """Write the documents, or those that were lost; returns the digest of each."""
    known: dict[str, str] = dict(recorded.details["files"]) if recorded is not None else {}
    there = {name: _digest(ws, portfolio, folder, name) for name in known}
    lost = [name for name, digest in there.items() if digest is None]
    for name, digest in there.items():
        if digest not in (None, known[name]):
            raise _altered(portfolio, folder, name, "is not the one that was written")
    if known and not lost:
        return known
    documents = _documents(pack)
    for name in lost or documents:
        if known and sha256_of(documents[name]) != known[name]:
            raise _altered(portfolio, folder, name, "is gone, and this version of fraudops would write it otherwise")
        ws.store.put(documents[name], AREA, portfolio.name, folder, name)
    return known or {name: sha256_of(content) for name, content in documents.items()}


def _documents(pack: Pack) -> dict[str, bytes]:
    pictures = draw_all(pack)
    return {
        CONTENT: pack.to_bytes(),
        PAGE: page(pack, pictures),
        PAPER: paper(pack, pictures),
        SHEET: sheet(pack),
        **{f"{name}.png": png for name, png in pictures.items()},
    }


def _digest(ws: Workspace, portfolio: Portfolio, folder: str, name: str) -> str | None:
    try:
        return sha256_of(ws.store.get(AREA, portfolio.name, folder, name))
    except FileNotFoundError:
        return None


def _names(ws: Workspace, portfolio: Portfolio, folder: str) -> list[str]:
    place = ws.store.path(AREA, portfolio.name, folder)
    return [path.name for path in place.iterdir() if not path.name.startswith(".")] if place.exists() else []


def _altered(portfolio: Portfolio, folder: str, name: str, what: str) -> IntegrityError:
    return IntegrityError(
        f"{name} {what}", where=f"{portfolio.name}, packs/{folder}", remedy="restore it from the backup"
    )


def _enter(
    ws: Workspace,
    session: Session,
    portfolio: Portfolio,
    folder: str,
    pack: Pack,
    digests: Mapping[str, str],
    actor: str,
) -> None:
    ws.record(
        session,
        portfolio=portfolio.name,
        actor=actor,
        action=REPORTED,
        subject=subject_of(portfolio, folder),
        details={
            "month": pack.month,
            "as_of": pack.as_of,
            "restated": pack.restated,
            "partitions": pack.headline["Partitions"],
            "files": dict(digests),
        },
    )


def _tell(
    ws: Workspace, session: Session, portfolio: Portfolio, folder: str, pack: Pack, digests: Mapping[str, str]
) -> bool:
    files = []
    for name, media_type in _MEDIA_TYPES.items():
        place = ws.store.path(AREA, portfolio.name, folder, name)
        shown = f"{portfolio.name}-{pack.month}.{name.rpartition('.')[2]}"
        path = place.relative_to(ws.store.root).as_posix()
        files.append(Attachment(shown, media_type, path, place.stat().st_size, digests[name]))
    return monthly_report(
        session,
        ws,
        portfolio,
        month=pack.month,
        edition=pack.edition,
        as_of=datetime.fromisoformat(pack.as_of),
        headline=[(name, text_of(cell)) for name, cell in pack.headline.items()],
        remarks=pack.remarks,
        files=files,
        folder=_path(ws, portfolio, folder),
    )


def _path(ws: Workspace, portfolio: Portfolio, folder: str) -> str:
    return ws.store.path(AREA, portfolio.name, folder).relative_to(ws.store.root).as_posix()
