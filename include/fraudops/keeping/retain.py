"""Removes what is older than its retention, so that a crash leaves nothing half removed and nothing unrecorded.

In batches, each of which goes through three steps::

    1. the ledger: what will be removed, with digests     (retention_began)
    2. the store: tombstone, manifest, data, one by one
    3. the database and the ledger: what was removed      (retention_removed)

Step 3 is one transaction. Where a batch was announced and not completed (the process died), the next run completes it
first: what is gone already stays gone, what has been held or rewritten since is left and named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from fraudops.cases.forgetting import forget_case
from fraudops.database import Alert, Delivery, LedgerEntry, Notice, OnlineDecision
from fraudops.intake.locks import lock_landing
from fraudops.keeping.collection import Collected, collect
from fraudops.keeping.due import (
    ALERTS,
    CASES,
    HISTORY,
    NOTICE_IS_REMOVED,
    NOTICES,
    PARTITIONS,
    Due,
    as_of_now,
    find_due,
    history_of,
    is_held,
)
from fraudops.keeping.holds import Held
from fraudops.keeping.locks import lock_removal
from fraudops.portfolio import ONLINE, Portfolio
from fraudops.store import Tombstone
from fraudops.store.removal import MODELS, bury, remove_folder, remove_partition
from fraudops.workspace import Workspace

BEGAN, REMOVED = "retention_began", "retention_removed"
_BATCH = 200


@dataclass
class Retained:
    """What a run of retention removed.

    Attributes
    ----------
    counts, rows
        Area → how many partitions, folders or days; and rows, files or entries in them.
    bytes
        Freed in the store, what was collected included.
    kept
        Announced and then left, because it was held or rewritten in the meantime.
    ledger
        Numbers of the entries that say what was removed.
    """

    counts: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    kept: list[str] = field(default_factory=list)
    ledger: list[int] = field(default_factory=list)
    collected: Collected = field(default_factory=Collected)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        return {
            "removed": dict(self.counts),
            "rows": dict(self.rows),
            "bytes": self.bytes,
            "kept": self.kept,
            "ledger": self.ledger,
            "collected": self.collected.to_dict(),
        }


def due(ws: Workspace, portfolio: Portfolio, now: datetime) -> list[Due]:
    """What :func:`retain` would remove now."""
    as_of = as_of_now(ws, portfolio, now)
    if as_of is None:
        return []
    with ws.transaction() as session:
        return list(find_due(ws, session, portfolio, as_of))


def retain(ws: Workspace, portfolio: Portfolio, *, now: datetime, actor: str) -> Retained:
    """Remove what is older than the portfolio's ``retention`` and not held; harmless when called again.

    Parameters
    ----------
    now
        Moment that ages are counted to (see :func:`~fraudops.keeping.due.as_of_now`).
    actor
        Airflow user, or ``service:<workflow>``.
    """
    result = Retained()
    for entry in _unfinished(ws, portfolio):
        _finish(ws, portfolio, entry, actor, result)
    items = due(ws, portfolio, now)
    for start in range(0, len(items), _BATCH):
        _finish(ws, portfolio, _announce(ws, portfolio, items[start : start + _BATCH], actor), actor, result)
    result.collected = collect(ws, portfolio, before=now - timedelta(days=1))
    result.bytes += result.collected.bytes
    return result


# -- inside -------------------------------------------------------------------------------------------


def _unfinished(ws: Workspace, portfolio: Portfolio) -> list[LedgerEntry]:
    """Batches that were announced and of which nobody said that they were removed."""
    with ws.transaction() as session:
        entries = session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.portfolio == portfolio.name, LedgerEntry.action.in_((BEGAN, REMOVED)))
            .order_by(LedgerEntry.number)
        ).all()
    done = {entry.details["began"] for entry in entries if entry.action == REMOVED}
    return [entry for entry in entries if entry.action == BEGAN and entry.number not in done]


def _announce(ws: Workspace, portfolio: Portfolio, batch: Sequence[Due], actor: str) -> LedgerEntry:
    with ws.transaction() as session:
        return ws.record(
            session,
            portfolio=portfolio.name,
            actor=actor,
            action=BEGAN,
            subject=f"{portfolio.name}/retention",
            details={"items": [item.to_list() for item in batch]},
        )


def _finish(ws: Workspace, portfolio: Portfolio, entry: LedgerEntry, actor: str, result: Retained) -> None:
    items = [Due.from_list(values) for values in entry.details["items"]]
    with ws.transaction() as session:
        lock_removal(session)
        # Nothing may be merged into a partition while it goes.
        lock_landing(session, portfolio.name)
        held = Held.read(session, portfolio)
        removed: list[Due] = []
        kept: list[Due] = []
        for item in items:
            free = not is_held(held, item, ws, session, portfolio) or _is_gone(ws, portfolio, item)
            gone = free and _remove(ws, session, portfolio, item, entry.number)
            (removed if gone else kept).append(item)
        counts, rows = Counter(item.area for item in removed), Counter[str]()
        for item in removed:
            rows[item.area] += item.rows
        freed = sum(item.bytes for item in removed)
        left = [f"{item.area} {item.name}" for item in kept]
        done = ws.record(
            session,
            portfolio=portfolio.name,
            actor=actor,
            action=REMOVED,
            subject=f"{portfolio.name}/retention",
            details={"began": entry.number, "removed": counts, "rows": rows, "bytes": freed, "kept": left},
        )
        number = done.number
    result.counts += counts
    result.rows += rows
    result.bytes += freed
    result.kept += left
    result.ledger.append(number)


def _is_gone(ws: Workspace, portfolio: Portfolio, item: Due) -> bool:
    """Whether the removal of a partition had gone so far, before it was interrupted, that there is no way back."""
    return item.area in PARTITIONS and (
        ws.store.manifest(item.area, portfolio.name, item.name) is None
        and ws.store.staged(item.area, portfolio.name, item.name) is None
    )


def _remove(ws: Workspace, session: Session, portfolio: Portfolio, item: Due, number: int) -> bool:
    """Remove one thing; False where it is not what was announced any more."""
    store, name = ws.store, portfolio.name
    if item.area in PARTITIONS or item.area == MODELS:
        stone = Tombstone(
            dataset=item.area, portfolio=name, key=item.name, digest=item.digest, rows=item.rows, ledger=number
        )
        if item.area in PARTITIONS:
            removed = remove_partition(store, stone)
            if removed:
                _forget_online(session, name, item)
            return removed
        bury(store, stone)
        remove_folder(store.path(MODELS, name, item.name))
        return True
    if item.area == ALERTS:
        session.execute(delete(Alert).where(Alert.portfolio == name, Alert.partition_key == item.name))
    elif item.area == CASES:
        return forget_case(ws, session, name, int(item.name), announced=number)
    elif item.area == NOTICES:
        _empty_notices(session, name, item.name)
    elif item.area == HISTORY:
        dataset, _, key = item.name.partition("/")
        for path in history_of(store.path(dataset, name, f"date={key}")):
            path.unlink(missing_ok=True)
    else:
        remove_folder(store.path(item.area, name, item.name))
    return True


def _forget_online(session: Session, portfolio: str, item: Due) -> None:
    """Take away from the table of what was decided at once what goes from the store."""
    chosen = (OnlineDecision.portfolio == portfolio, OnlineDecision.partition_key == item.name)
    if item.area == ONLINE:
        session.execute(delete(OnlineDecision).where(*chosen))
    elif item.area == "protected":
        session.execute(update(OnlineDecision).where(*chosen).values(raw=None))


def _empty_notices(session: Session, portfolio: str, day: str) -> None:
    """Take away what the notices of a day said and to whom; that there were such is kept, so none is sent again."""
    begin = datetime.combine(datetime.fromisoformat(day), time(), UTC)
    chosen = (
        Notice.portfolio == portfolio,
        Notice.state.in_(("sent", "rejected")),
        Notice.as_of >= begin,
        Notice.as_of < begin + timedelta(days=1),
    )
    numbers = select(Notice.id).where(*chosen)
    session.execute(delete(Delivery).where(Delivery.notice_id.in_(numbers)))
    session.execute(
        update(Notice).where(*chosen).values(subject=NOTICE_IS_REMOVED, text="", html="", recipients=[], sender="")
    )


def total_bytes(items: Iterable[Due]) -> int:
    """Bytes that some things take in the store."""
    return sum(item.bytes for item in items)
