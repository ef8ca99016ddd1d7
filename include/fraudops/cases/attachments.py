"""Files that belong to a case. Their bytes lie encrypted in the store's area ``case_attachments``."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.cases.changing import case_of, changing, looking
from fraudops.database import CaseAttachment, CaseFile
from fraudops.errors import ContractError, IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.protection import decrypt, encrypt
from fraudops.roles import Roles
from fraudops.store import sha256_of
from fraudops.workspace import Workspace

AREA = "case_attachments"
LARGEST = 25_000_000
"""Bytes."""
_UNUSUAL = re.compile(r"[^\w .()+,@-]")


def attach(
    ws: Workspace,
    portfolio: Portfolio,
    number: int,
    *,
    name: str,
    content: bytes,
    by: str,
    roles: Roles,
    version: int | None = None,
) -> int:
    """Add a file to a case; the same bytes again change nothing.

    The file is written before the case says that it is there.

    Returns
    -------
    int
        The case's version now.

    Raises
    ------
    ConfigurationError
        There is no key to encrypt it with.
    ContractError
        It is empty or too large, or the person may not work cases.
    ConflictError
        Somebody changed the case since that version.
    """
    where, name = f"{portfolio.name}-{number}", _safe(name)
    if not content or len(content) > LARGEST:
        raise ContractError(
            f"the file has {len(content):,} bytes", where=where, remedy=f"attach one of 1 to {LARGEST:,} bytes"
        )
    sha256 = sha256_of(content)
    with changing(ws, portfolio, number, by=by, roles=roles, version=version) as change:
        known = select(CaseAttachment).where(CaseAttachment.case_id == change.case.id, CaseAttachment.sha256 == sha256)
        if change.session.scalar(known) is None:
            path = ws.store.put(encrypt(ws, content), AREA, portfolio.name, f"case={number}", f"{sha256}.fernet")
            change.session.add(
                CaseAttachment(
                    case_id=change.case.id,
                    name=name,
                    media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
                    size=len(content),
                    sha256=sha256,
                    path=path.relative_to(ws.store.root).as_posix(),
                    added_by=change.by,
                    added_at=change.now,
                )
            )
            change.tell("attached", name, sha256=sha256, size=len(content))
    return change.case.version


def attachment(
    ws: Workspace, portfolio: Portfolio, number: int, sha256: str, *, by: str, roles: Roles
) -> tuple[str, bytes]:
    """Name and bytes of a file; who took it is in the timeline and in the ledger.

    Parameters
    ----------
    sha256
        Its digest, or how that begins.

    Raises
    ------
    ContractError
        The case has no such file, or the person may not work cases.
    IntegrityError
        It is gone, or not the one that was attached.
    """
    with ws.transaction() as session:
        case = case_of(session, portfolio.name, number)
        query = select(CaseAttachment).where(CaseAttachment.case_id == case.id)
        found = [one for one in session.scalars(query) if sha256 and one.sha256.startswith(sha256)]
    if len(found) != 1:
        raise ContractError(
            f"{len(found)} files begin so", where=case.name, remedy=f"see 'fraudops cases show {case.name}'"
        )
    file = found[0]
    content = _bytes(ws, file, f"{case.name}, {file.name}")
    with looking(ws, portfolio, number, by=by, roles=roles) as look:
        look.see("attachment_read", file.name, sha256=file.sha256)
    return file.name, content


def wrong_attachments(ws: Workspace, session: Session, portfolio: Portfolio, *, thorough: bool) -> Iterator[str]:
    """Files that are not what was attached, in sentences without their names.

    Parameters
    ----------
    thorough
        Read and decrypt each of them; else it is only asked whether they are there. Without a key the latter as well.
    """
    query = select(CaseAttachment, CaseFile.number).join(CaseFile, CaseFile.id == CaseAttachment.case_id)
    for file, number in session.execute(query.where(CaseFile.portfolio == portfolio.name)):
        where = f"attachment {file.id} of {portfolio.name}-{number}"
        try:
            if thorough and ws.protection_keys:
                _bytes(ws, file, where)
            elif not (ws.store.root / file.path).exists():
                yield f"{where}: the file is gone"
        except IntegrityError as error:
            yield f"{where}: {error.what}"


def _bytes(ws: Workspace, file: CaseAttachment, where: str) -> bytes:
    path = ws.store.root / file.path
    if not path.exists():
        raise IntegrityError("the file is gone", where=where, remedy="restore the store from a backup")
    content = decrypt(ws, path.read_bytes(), where)
    if sha256_of(content) != file.sha256:
        raise IntegrityError("it is not the file that was attached", where=where, remedy="restore it from a backup")
    return content


def _safe(name: str) -> str:
    """The name without folders, and without signs that mean something to a shell, a page or a header."""
    return _UNUSUAL.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")[-200:] or "file"
