"""Whom alerts and hits are about, so that what is about one subject meets in one case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from fraudops.database import OnlineDecision
from fraudops.portfolio import TRANSACTION, Portfolio
from fraudops.portfolio.columns import entity_name
from fraudops.store import Among
from fraudops.workspace import Workspace

_ID = "transaction_id"


@dataclass(frozen=True)
class Subject:
    """A customer, an account …, or a transaction of which nothing more is known; as it is stored."""

    kind: str
    name: str


def of_transactions(ws: Workspace, portfolio: Portfolio, key: str, ids: Iterable[str]) -> dict[str, Subject]:
    """Who made some transactions of a partition; the transaction itself where that is not known.

    One that was decided at once, and is not in its partition yet, is as it was received.
    """
    wanted = sorted(set(ids))
    kind = portfolio.cases.subject_kind(portfolio.entities)
    known = _pairs(ws, portfolio, key, _ID, portfolio.entities[kind], wanted) if kind != TRANSACTION else {}
    missing = [one for one in wanted if one not in known]
    if missing and kind != TRANSACTION:
        return {one: Subject(kind, known[one]) for one in known} | _decided_at_once(ws, portfolio, missing)
    return {one: Subject(kind, known[one]) if one in known else Subject(TRANSACTION, one) for one in wanted}


def of_rows(portfolio: Portfolio, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Subject]:
    """Who made some transactions; the transaction itself where that is not known.

    Parameters
    ----------
    rows
        Transaction → stored column → value.
    """
    kind = portfolio.cases.subject_kind(portfolio.entities)
    names = {one: row.get(portfolio.entities[kind]) if kind != TRANSACTION else None for one, row in rows.items()}
    return {one: Subject(TRANSACTION, one) if name is None else Subject(kind, str(name)) for one, name in names.items()}


def _decided_at_once(ws: Workspace, portfolio: Portfolio, ids: list[str]) -> dict[str, Subject]:
    rows: dict[str, Mapping[str, Any]] = {one: {} for one in ids}
    with ws.transaction() as session:
        query = select(OnlineDecision.transaction_id, OnlineDecision.row).where(
            OnlineDecision.portfolio == portfolio.name, OnlineDecision.transaction_id.in_(ids)
        )
        rows.update((one, row) for one, row in session.execute(query))
    return of_rows(portfolio, rows)


def of_hits(
    ws: Workspace, portfolio: Portfolio, key: str, hits: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Subject]:
    """The subjects of hits of a partition.

    Parameters
    ----------
    hits
        Kind (``customer``, ``account``) and subject, as the rules name them.

    Returns
    -------
    dict
        Each pair → its subject. An account is its customer, where cases are about customers and the partition shows
        whose it is.
    """
    pairs = set(hits)
    kinds = _kinds(portfolio)
    wanted = portfolio.cases.subject_kind(portfolio.entities)
    accounts = sorted(name for kind, name in pairs if kind == "account")
    owners: dict[str, str] = {}
    if accounts and wanted == kinds["customer"]:
        columns = portfolio.entities[kinds["account"]], portfolio.entities[kinds["customer"]]
        owners = _pairs(ws, portfolio, key, *columns, accounts)
    return {
        (kind, name): Subject(kinds["customer"], owners[name])
        if kind == "account" and name in owners
        else Subject(kinds[kind], name)
        for kind, name in pairs
    }


def _kinds(portfolio: Portfolio) -> dict[str, str]:
    """What the rules call a subject → the entity of the portfolio."""
    if portfolio.compliance is None:
        return {"customer": "customer", "account": "account"}
    columns = portfolio.compliance.columns
    named = {"customer": columns.customer, "account": columns.account}
    return {kind: entity_name(column, portfolio.columns[column]) for kind, column in named.items()}


def _pairs(ws: Workspace, portfolio: Portfolio, key: str, column: str, other: str, values: list[str]) -> dict[str, str]:
    """Value of a column → value of another one in the same row; of several the last. Without those that are empty."""
    manifest = ws.store.manifest("transactions", portfolio.name, key)
    if manifest is None:
        return {}
    rows = ws.store.read(manifest, [column, other], among=Among(column, pa.array(values, pa.string())))
    rows = rows.filter(pc.is_valid(rows[other]))
    return dict(zip(rows[column].to_pylist(), rows[other].to_pylist(), strict=True))
