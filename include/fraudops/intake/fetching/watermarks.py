"""How far a source has been read. Kept in the store, moved only when what was read has been landed.

Each reading has a number, and its file is named by it: ``read_000007.parquet``. A file whose number is the next one
has been read and not landed yet (there was a crash in between): it is landed, not read again. When it has been
landed, ledger and store say so, in this order; a crash between the two repeats the second step only.
"""

from __future__ import annotations

from contextlib import suppress

from pydantic import ValidationError
from sqlalchemy import select

from fraudops.database import LedgerEntry
from fraudops.errors import ContractError, IntegrityError
from fraudops.portfolio import Portfolio, Source
from fraudops.portfolio.strict import Strict
from fraudops.store import Store
from fraudops.workspace import Workspace

_AREA = "watermarks"
_READ = "source_read"
_RESET = "source_reset"


class Watermark(Strict):
    """How far a source has been read."""

    column: str
    value: str | None = None
    """Highest value read and landed, as text; None: nothing yet."""
    readings: int = 0
    """How many readings have been landed."""


def watermark_of(store: Store, portfolio: Portfolio, source: Source) -> Watermark:
    """How far a source has been read.

    Raises
    ------
    ContractError
        What is kept is of another column than the portfolio's YAML names now.
    """
    column = source.watermark or ""
    try:
        found = Watermark.model_validate_json(store.get(_AREA, portfolio.name, _object(source)))
    except FileNotFoundError:
        return Watermark(column=column)
    except ValidationError:
        raise IntegrityError(
            "the watermark in the store cannot be read",
            where=f"{portfolio.name}: source {source.name!r}",
            remedy="restore it, or have everything read again: fraudops sources reset",
        ) from None
    if found.column != column and found.value is not None:
        raise ContractError(
            f"was read by watermark {found.column!r} so far, and the YAML now names {column!r}",
            where=f"{portfolio.name}: source {source.name!r}",
            remedy="name the former one, or have everything read again: fraudops sources reset",
        )
    return found.model_copy(update={"column": column})


def advance(ws: Workspace, portfolio: Portfolio, source: Source, reached: Watermark, *, rows: int, actor: str) -> None:
    """Record that a reading has been landed; harmless where that is recorded already."""
    subject = f"{portfolio.name}/{source.name}/read_{reached.readings:06d}"
    details = {"rows": rows, "watermark": reached.column, "reaches": reached.value}
    with ws.transaction() as session:
        entries = select(LedgerEntry.details).where(LedgerEntry.action == _READ, LedgerEntry.subject == subject)
        if details not in session.execute(entries).scalars().all():
            ws.record(session, portfolio=portfolio.name, actor=actor, action=_READ, subject=subject, details=details)
    _keep(ws.store, portfolio, source, reached)


def reset(ws: Workspace, portfolio: Portfolio, source: Source, *, actor: str, reason: str) -> Watermark:
    """Have everything read again from the start; returns how far it had been read."""
    before = Watermark(column=source.watermark or "")
    with suppress(FileNotFoundError, ValidationError):
        before = Watermark.model_validate_json(ws.store.get(_AREA, portfolio.name, _object(source)))
    with ws.transaction() as session:
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=actor,
            action=_RESET,
            subject=f"{portfolio.name}/{source.name}",
            details={"watermark": before.column, "reached": before.value, "reason": reason},
        )
    # The number goes on: the names of earlier readings' files stay theirs.
    _keep(ws.store, portfolio, source, Watermark(column=source.watermark or "", readings=before.readings))
    return before


def _keep(store: Store, portfolio: Portfolio, source: Source, watermark: Watermark) -> None:
    store.put(watermark.model_dump_json().encode(), _AREA, portfolio.name, _object(source))


def _object(source: Source) -> str:
    return f"{source.name}.json"
