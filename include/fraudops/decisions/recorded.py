"""Past decisions: how they are named, where they are recorded, and which alert was raised from which scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import Alert, LedgerEntry, OnlineDecision
from fraudops.decisions.historic import RAISED
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.store import Store, tombstone
from fraudops.workspace import Workspace


@dataclass(frozen=True, order=True)
class DecisionId:
    """Names a scored transaction: ``cards/2026-03-05/TX``; the transaction's id may hold slashes."""

    portfolio: str
    key: str
    transaction_id: str

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.portfolio}/{self.key}/{self.transaction_id}"


def find_decision(ws: Workspace, portfolios: Mapping[str, Portfolio], text: str) -> DecisionId:
    """The decision of a name, or of a bare transaction id where one partition alone has it.

    Raises
    ------
    ContractError
        There is none, or there are several.
    """
    whole = _parsed(ws, portfolios, text)
    if whole is not None:
        return whole
    found = sorted(
        set(_with_alert(ws, portfolios, text))
        or set(_decided_at_once(ws, portfolios, text))
        or set(_with_score(ws.store, portfolios, text))
    )
    if not found:
        raise ContractError(
            f"no scored transaction is called {text!r}",
            where=", ".join(portfolios),
            remedy="name it as PORTFOLIO/PARTITION/TRANSACTION, such as cards/2026-03-05/TX-1; partitions that were "
            "never scored (pending, history) have no decisions",
        )
    if len(found) > 1:
        raise ContractError(
            f"{len(found)} scored transactions are called {text!r}",
            remedy=f"say which: {', '.join(str(one) for one in found[:5])}",
        )
    return found[0]


def sample(ws: Workspace, portfolio: Portfolio, count: int, seed: int) -> list[DecisionId]:
    """Decisions at random, each as likely as any other; the same store, number and seed give the same ones.

    Raises
    ------
    ContractError
        The portfolio has none.
    """
    manifests = [ws.store.require("scores", portfolio.name, key) for key in ws.store.keys("scores", portfolio.name)]
    ends = np.cumsum([manifest.rows for manifest in manifests])
    total = int(ends[-1]) if len(ends) else 0
    if not total:
        raise ContractError("nothing was scored yet", where=portfolio.name, remedy="promote a model, score a partition")
    places = np.sort(np.random.default_rng(seed).choice(total, size=min(count, total), replace=False))
    found = []
    for number in np.unique(np.searchsorted(ends, places, side="right")).tolist():
        manifest = manifests[number]
        ids = ws.store.read(manifest, ["transaction_id"])["transaction_id"]
        first = int(ends[number]) - manifest.rows
        rows = [place - first for place in places.tolist() if first <= place < ends[number]]
        found += [DecisionId(portfolio.name, manifest.key, ids[row].as_py()) for row in rows]
    return found


def alerts_of(session: Session, portfolio: str, key: str, ids: Iterable[str] | None = None) -> list[Alert]:
    """Alerts of a partition (only of these transactions), in the order in which they were raised."""
    query = select(Alert).where(Alert.portfolio == portfolio, Alert.partition_key == key).order_by(Alert.id)
    return list(session.scalars(query if ids is None else query.where(Alert.transaction_id.in_(list(ids)))))


def entry_of(session: Session, alert: Alert) -> LedgerEntry | None:
    """The ledger's entry with which an alert was raised: the first one of its partition and model from then on."""
    entries = session.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.action == RAISED,
            LedgerEntry.subject == f"{alert.portfolio}/alerts/{alert.partition_key}",
            LedgerEntry.at >= alert.created_at,
        )
        .order_by(LedgerEntry.number)
    )
    return next((entry for entry in entries if entry.details.get("model_version") == alert.model.version), None)


# -- inside ---------------------------------------------------------------------------------------------------


def _parsed(ws: Workspace, portfolios: Mapping[str, Portfolio], text: str) -> DecisionId | None:
    name, _, rest = text.partition("/")
    key, _, transaction_id = rest.partition("/")
    if name not in portfolios or not transaction_id:
        return None
    try:
        portfolios[name].partitioning.start(key)
    except ValueError:
        return None
    asked = DecisionId(name, key, transaction_id)
    if asked in _decided_at_once(ws, portfolios, transaction_id):
        return asked
    stone = tombstone(ws.store, "scores", name, key)
    if stone is not None:
        raise ContractError(
            stone.sentence,
            where=name,
            remedy="restore a backup from before that into an installation of its own, and ask there",
        )
    if ws.store.manifest("scores", name, key) is None:
        raise ContractError(
            "the partition has no scores, so nothing was decided on it",
            where=f"{name} {key}",
            remedy="see 'fraudops status': it is pending, or history that the first champion was trained on",
        )
    return asked


def _decided_at_once(ws: Workspace, portfolios: Mapping[str, Portfolio], transaction_id: str) -> list[DecisionId]:
    query = select(OnlineDecision.portfolio, OnlineDecision.partition_key).where(
        OnlineDecision.transaction_id == transaction_id, OnlineDecision.portfolio.in_(list(portfolios))
    )
    with ws.transaction() as session:
        return [DecisionId(portfolio, key, transaction_id) for portfolio, key in session.execute(query)]


def _with_alert(ws: Workspace, portfolios: Mapping[str, Portfolio], transaction_id: str) -> list[DecisionId]:
    query = select(Alert).where(Alert.transaction_id == transaction_id, Alert.portfolio.in_(list(portfolios)))
    with ws.transaction() as session:
        return [DecisionId(a.portfolio, a.partition_key, a.transaction_id) for a in session.scalars(query)]


def _with_score(store: Store, portfolios: Mapping[str, Portfolio], transaction_id: str) -> list[DecisionId]:
    wanted = pa.scalar(transaction_id, pa.string())
    return [
        DecisionId(name, key, transaction_id)
        for name in portfolios
        for key in store.keys("scores", name)
        if pc.any(pc.equal(_ids(store, name, key), wanted)).as_py()
    ]


def _ids(store: Store, portfolio: str, key: str) -> pa.ChunkedArray:
    return store.read_partition("scores", portfolio, key, ["transaction_id"])["transaction_id"]


def rows_of(table: pa.Table, ids: Sequence[str]) -> dict[str, int]:
    """Position of each transaction that is among the rows."""
    found = pc.index_in(pa.array(list(ids), pa.string()), table["transaction_id"].combine_chunks())
    return {name: place for name, place in zip(ids, found.to_pylist(), strict=True) if place is not None}
