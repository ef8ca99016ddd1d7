"""Legal holds: what retention must not remove, because somebody may have to show it.

A hold names partitions, or transactions whose partitions are then held. Held with a partition is everything about it:
its rows, what is protected of them, features, scores, alerts, earlier versions, its validation, the rejected rows of
files that brought something into it. Labels and notices come later than what they are about, so all of them are held
from the first held partition on; what was known of customers, lists, holidays and rates came before, so all of it is
held up to the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.cases.summaries import open_keys
from fraudops.database import Alert, LegalHold
from fraudops.errors import ContractError
from fraudops.filings.supporting import supporting, supporting_cases
from fraudops.keeping.locks import lock_removal
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

PLACED, RELEASED = "hold_placed", "hold_released"


@dataclass(frozen=True)
class Held:
    """What of a portfolio must stay: partitions under a hold, and those that an open case or a filing is about."""

    ranges: tuple[tuple[str, str], ...]
    investigated: frozenset[str] = frozenset()
    cases: frozenset[int] = frozenset()
    """Numbers of cases that a report refers to."""

    @classmethod
    def read(cls, session: Session, portfolio: Portfolio) -> Held:
        """As the database has them now."""
        ranges = tuple((hold.first_key, hold.last_key) for hold in holds(session, portfolio.name, active=True))
        return cls(
            (*ranges, *supporting(session, portfolio)),
            frozenset(open_keys(session, portfolio.name)),
            supporting_cases(session, portfolio),
        )

    def covers_case(self, number: int, keys: frozenset[str]) -> bool:
        """Whether a case must stay, for itself or with one of the partitions that it is about."""
        return number in self.cases or any(self.covers(key) for key in keys)

    def covers(self, key: str) -> bool:
        """Whether a partition is held."""
        return key in self.investigated or any(first <= key <= last for first, last in self.ranges)

    def covers_what_came_at(self, key: str) -> bool:
        """Whether something that arrived in this partition may be about a held one."""
        return any(first <= key for first, _ in self.ranges)

    def covers_what_was_known_by(self, key: str) -> bool:
        """Whether something that arrived in this partition may have been in force in a held one."""
        return any(key <= last for _, last in self.ranges)


def place(
    ws: Workspace,
    portfolio: Portfolio,
    *,
    first: str | None = None,
    last: str | None = None,
    transactions: Sequence[str] = (),
    alert: int | None = None,
    reason: str,
    by: str,
) -> list[LegalHold]:
    """Hold partitions, or those of some transactions: one hold per stretch of partitions.

    Waits until a removal that is under way has ended: what this returns for is there, and stays.

    Parameters
    ----------
    first, last
        Partitions, both included.
    transactions
        Their ids.
    alert
        Number of an alert, as ``fraudops alerts list`` has it.
    by, reason
        Who answers for it, and why; both are recorded.

    Raises
    ------
    ContractError
        There is no such transaction or alert, no reason, or nothing was named.
    """
    _require(reason, "a hold needs a reason", portfolio)
    with ws.transaction() as session:
        lock_removal(session)
        ids = list(dict.fromkeys(transactions))
        if alert is not None:
            ids.append(_transaction_of(session, portfolio, alert))
        stretches = _by_key(ws, portfolio, session, ids)
        if first is not None or last is not None:
            stretches += [(*_range(portfolio, first, last), [])]
        if not stretches:
            raise ContractError(
                "nothing was named to be held",
                where=portfolio.name,
                remedy="give --from and --to, --transaction, or --alert",
            )
        placed = []
        for begin, end, names in stretches:
            hold = LegalHold(
                portfolio=portfolio.name,
                first_key=begin,
                last_key=end,
                transactions=names,
                reason=reason.strip(),
                placed_by=by,
                placed_at=datetime.now(UTC),
            )
            session.add(hold)
            session.flush()
            ws.record(
                session,
                portfolio=portfolio.name,
                actor=by,
                action=PLACED,
                subject=f"{portfolio.name}/holds/{hold.id}",
                details={"first": begin, "last": end, "transactions": names, "reason": hold.reason},
            )
            placed.append(hold)
    return placed


def release(ws: Workspace, number: int, *, reason: str, by: str) -> LegalHold:
    """End a hold; what retention would have removed goes with its next run.

    Raises
    ------
    ContractError
        There is no such hold, or it was released before; or there is no reason.
    """
    with ws.transaction() as session:
        lock_removal(session)
        hold = session.get(LegalHold, number)
        if hold is None or hold.released_at is not None:
            state = "there is no hold" if hold is None else f"{hold.released_by} has released hold"
            raise ContractError(f"{state} {number}", where="holds", remedy="see 'fraudops hold list'")
        if not reason.strip():
            raise ContractError("a release needs a reason", where=f"hold {number}", remedy="give --reason")
        hold.released_by, hold.release_reason, hold.released_at = by, reason.strip(), datetime.now(UTC)
        ws.record(
            session,
            portfolio=hold.portfolio,
            actor=by,
            action=RELEASED,
            subject=f"{hold.portfolio}/holds/{hold.id}",
            details={"first": hold.first_key, "last": hold.last_key, "reason": hold.release_reason},
        )
    return hold


def holds(session: Session, portfolio: str | None = None, *, active: bool = False) -> list[LegalHold]:
    """Holds in the order in which they were placed."""
    query = select(LegalHold).order_by(LegalHold.id)
    if portfolio is not None:
        query = query.where(LegalHold.portfolio == portfolio)
    if active:
        query = query.where(LegalHold.released_at.is_(None))
    return list(session.scalars(query))


# -- inside -------------------------------------------------------------------------------------------


def _range(portfolio: Portfolio, first: str | None, last: str | None) -> tuple[str, str]:
    begin, end = first or last or "", last or first or ""
    for key in (begin, end):
        try:
            portfolio.partitioning.start(key)
        except ValueError as error:
            raise ContractError(str(error), where=portfolio.name) from None
    if end < begin:
        raise ContractError(f"{end} lies before {begin}", where=portfolio.name, remedy="give the earlier one first")
    return begin, end


def _transaction_of(session: Session, portfolio: Portfolio, number: int) -> str:
    alert = session.get(Alert, number)
    if alert is None or alert.portfolio != portfolio.name:
        raise ContractError(
            f"there is no alert {number}",
            where=portfolio.name,
            remedy=f"see 'fraudops alerts list -p {portfolio.name}'",
        )
    return alert.transaction_id


def _by_key(ws: Workspace, portfolio: Portfolio, session: Session, ids: list[str]) -> list[tuple[str, str, list[str]]]:
    """The partition of each transaction: by its alert, or else by looking through the store, the newest first."""
    found = dict(
        session.execute(
            select(Alert.transaction_id, Alert.partition_key).where(
                Alert.portfolio == portfolio.name, Alert.transaction_id.in_(ids)
            )
        ).all()
    )
    missing = set(ids) - found.keys()
    for key in reversed(ws.store.keys("transactions", portfolio.name)):
        if not missing:
            break
        known = ws.store.read_partition("transactions", portfolio.name, key, ["transaction_id"])["transaction_id"]
        here = {item for item in missing if pc.index(known, item).as_py() >= 0}
        found |= dict.fromkeys(here, key)
        missing -= here
    if missing:
        raise ContractError(
            f"no partition has the transaction {sorted(missing)[0]!r}",
            where=portfolio.name,
            remedy="give the id as the file wrote it, or hold its partition with --from",
        )
    by_key: dict[str, list[str]] = {}
    for item in ids:
        by_key.setdefault(found[item], []).append(item)
    return [(key, key, names) for key, names in sorted(by_key.items())]


def _require(reason: str, what: str, portfolio: Portfolio) -> None:
    if not reason.strip():
        raise ContractError(what, where=portfolio.name, remedy="give --reason")
