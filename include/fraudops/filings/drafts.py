"""Prepares drafts and keeps them: each version encrypted in the store's area ``drafts``, none ever overwritten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.cases.personal import Personal, look
from fraudops.cases.view import CaseView
from fraudops.cases.view import read as read_case
from fraudops.database import CaseFile, Filing, FilingDraft
from fraudops.errors import ContractError, IntegrityError
from fraudops.filings.acting import acting, locked, name_of, require_officer, settled
from fraudops.filings.activity_draft import Activity, activity_entries, narrative
from fraudops.filings.cash_draft import cash_entries, involved
from fraudops.filings.definition import Clocks
from fraudops.filings.forms import FORMS, Draft, as_json
from fraudops.filings.material import hits_of, movements_from, movements_of, people
from fraudops.filings.record import OPEN, jurisdiction_of, tell
from fraudops.portfolio import Portfolio
from fraudops.protection import decrypt, encrypt
from fraudops.roles import Roles
from fraudops.rules.registry import Rule
from fraudops.store import sha256_of
from fraudops.workspace import Workspace

AREA = "drafts"
"""Area of the store; protected."""


@dataclass(frozen=True)
class Kept:
    """A version of a draft.

    Attributes
    ----------
    is_new
        Whether it was written now; else nothing has changed since it was.
    """

    version: int
    is_new: bool
    draft: Draft


def prepare(
    ws: Workspace,
    portfolio: Portfolio,
    clocks: Clocks,
    rules: Mapping[str, Rule],
    number: int,
    *,
    by: str,
    roles: Roles,
    as_of: datetime,
) -> Kept:
    """Prepare the documents of a report from what is known, and keep them as a new version, where something is new.

    Parameters
    ----------
    as_of
        Customers, hits and transactions are read as they were known then.

    Raises
    ------
    ContractError
        There is no such clock, or the user may not.
    ConflictError
        Somebody has settled it already.
    """
    require_officer(roles, by)
    personal = _personal(ws, portfolio, number, by, roles)
    with ws.transaction() as session:
        filing = locked(session, portfolio, number)
        if filing.state not in OPEN:
            raise settled(filing, "its drafts can still be taken out with --version")
        draft = _draft(session, ws, portfolio, clocks, rules, filing, personal, as_of)
        newest = _newest(session, filing)
        if newest is not None and _content(_read(ws, filing, newest)) == _content(draft):
            return Kept(newest.version, False, _read(ws, filing, newest))
        version = 1 if newest is None else newest.version + 1
        sha256 = _keep(ws, filing, version, draft)
        now = datetime.now(UTC)
        session.add(
            FilingDraft(filing_id=filing.id, version=version, as_of=as_of, by=by, sha256=sha256, created_at=now)
        )
        filing.state = "drafted"
        tell(session, ws, filing, by=by, kind="drafted", details={"version": version, "sha256": sha256})
    return Kept(version, True, draft)


def read_draft(ws: Workspace, portfolio: Portfolio, number: int, version: int, *, by: str, roles: Roles) -> Draft:
    """A version that was kept; who took it is in the history and, as ever, in the ledger.

    Raises
    ------
    ContractError
        There is no such version, or the user may not.
    IntegrityError
        Its bytes are not those that were written.
    """
    with acting(ws, portfolio, number, by=by, roles=roles) as (session, filing):
        kept = session.scalars(
            select(FilingDraft).where(FilingDraft.filing_id == filing.id, FilingDraft.version == version)
        ).one_or_none()
        if kept is None:
            raise ContractError(
                f"there is no version {version}", where=name_of(filing), remedy="see 'fraudops filings show'"
            )
        found = _read(ws, filing, kept)
        tell(session, ws, filing, by=by, kind="taken_out", details={"version": version})
    return found


def written(draft: Draft) -> dict[str, bytes]:
    """End of a file's name → its bytes."""
    return {ending: write(draft) for ending, write in FORMS.items()}


# -- inside -------------------------------------------------------------------------------------------


def _personal(ws: Workspace, portfolio: Portfolio, number: int, by: str, roles: Roles) -> Personal:
    """What is personal of the case: whoever takes it leaves a trace with the case and in the ledger."""
    with ws.transaction() as session:
        filing = locked(session, portfolio, number)
        case = session.get(CaseFile, filing.case_id) if filing.case_id is not None else None
        wanted = case is not None and filing.state in OPEN
    return look(ws, portfolio, case.number, by=by, roles=roles) if case is not None and wanted else Personal()


def _draft(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    clocks: Clocks,
    rules: Mapping[str, Rule],
    filing: Filing,
    personal: Personal,
    as_of: datetime,
) -> Draft:
    case = session.get(CaseFile, filing.case_id) if filing.case_id is not None else None
    definition = clocks.of(filing.kind, jurisdiction_of(portfolio))
    blank = Draft(
        title=f"{definition.title if definition is not None else filing.kind}: draft",
        portfolio=portfolio.name,
        number=filing.id,
        case=case.name if case is not None else None,
        as_of=as_of.astimezone(UTC).isoformat(timespec="seconds"),
        due_on=str(filing.due_on),
        narrative=(),
        entries=(),
        movements=(),
    )
    if filing.kind == "ctr" or case is None:
        return _of_cash(ws, portfolio, filing, blank, as_of)
    view = read_case(ws, session, portfolio, case.number, rules=rules)
    return _of_activity(session, ws, portfolio, filing, view, personal, blank, as_of)


def _of_cash(ws: Workspace, portfolio: Portfolio, filing: Filing, blank: Draft, as_of: datetime) -> Draft:
    ids = {event.details["hit"] for event in filing.events if "hit" in event.details}
    hits = hits_of(ws, portfolio, ids, as_of)
    transactions = {one for hit in hits for one in hit.transactions}
    movements = movements_of(ws, portfolio, transactions, {hit.key for hit in hits}, as_of)
    known = people(ws, portfolio, involved(filing.subject, movements), as_of)
    known.sort(key=lambda person: (person.id != filing.subject, person.id))
    entries = cash_entries(portfolio, filing.subject, filing.trigger_on, hits, movements, known)
    return replace(blank, entries=entries, movements=movements)


def _of_activity(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    filing: Filing,
    view: CaseView,
    personal: Personal,
    blank: Draft,
    as_of: datetime,
) -> Draft:
    movements = movements_from(portfolio, view.transactions)
    ids = {filing.subject} if filing.subject_kind == "customer" else {m.customer for m in movements if m.customer}
    previous = session.get(Filing, filing.previous_id) if filing.previous_id is not None else None
    filed = (
        (previous.reference, previous.filed_on)
        if previous is not None and previous.reference is not None and previous.filed_on is not None
        else None
    )
    found = Activity(view, personal, tuple(people(ws, portfolio, ids, as_of)), movements, filed)
    return replace(blank, narrative=narrative(found), entries=activity_entries(portfolio, found), movements=movements)


def _newest(session: Session, filing: Filing) -> FilingDraft | None:
    last = select(func.max(FilingDraft.version)).where(FilingDraft.filing_id == filing.id).scalar_subquery()
    query = select(FilingDraft).where(FilingDraft.filing_id == filing.id, FilingDraft.version == last)
    return session.scalars(query).one_or_none()


def _content(draft: Draft) -> bytes:
    """What tells versions apart: everything but the moment at which it was looked."""
    return as_json(replace(draft, as_of=""))


def _keep(ws: Workspace, filing: Filing, version: int, draft: Draft) -> str:
    """Write all forms of a version, the JSON form last; its digest."""
    forms = written(draft)
    for ending in sorted(forms, key=lambda ending: ending == "json"):
        ws.store.put(encrypt(ws, forms[ending]), AREA, filing.portfolio, *_place(filing, version, ending))
    return sha256_of(forms["json"])


def _read(ws: Workspace, filing: Filing, kept: FilingDraft) -> Draft:
    where = f"{name_of(filing)}, version {kept.version}"
    stored = ws.store.get(AREA, filing.portfolio, *_place(filing, kept.version, "json"))
    content = decrypt(ws, stored, where)
    if sha256_of(content) != kept.sha256:
        raise IntegrityError("it is not the draft that was kept", where=where, remedy="restore the store from a backup")
    return Draft.from_dict(json.loads(content))


def _place(filing: Filing, version: int, ending: str) -> tuple[str, str]:
    return f"number={filing.id}", f"v{version}.{ending}.fernet"
