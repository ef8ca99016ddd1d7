"""What is personal of a case: names, the visible digits of cards, what a screening matched. Shown on request, with a
trace of who looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from fraudops.cases.changing import OFFICERS, looking
from fraudops.cases.transactions import contents_of
from fraudops.cases.view import CaseView, read
from fraudops.portfolio import Portfolio
from fraudops.reference import identities
from fraudops.roles import Roles
from fraudops.rules import HITS_PROTECTED
from fraudops.rules.registry import Rule
from fraudops.store import Among
from fraudops.workspace import Workspace

_ID = "transaction_id"


@dataclass(frozen=True)
class Personal:
    """What only who works the case may see; never to be logged or sent.

    Attributes
    ----------
    transactions
        Transaction → protected column → value. Without those that retention removed.
    customer
        Name, aliases, date of birth as they are known now; empty where the portfolio is told of no customers.
    hits
        Hit → what it matched.
    """

    transactions: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    customer: dict[str, str] = field(default_factory=dict, repr=False)
    hits: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)


def export(
    ws: Workspace, portfolio: Portfolio, number: int, *, by: str, roles: Roles, rules: Mapping[str, Rule] | None = None
) -> CaseView:
    """Everything that explains a case, to be taken elsewhere; the timeline and the ledger say who took it.

    Nothing personal is in it, but what investigators wrote down. Why it was escalated is in it for compliance officers
    alone.

    Raises
    ------
    ContractError
        There is no such case, or the person may not work cases.
    """
    with looking(ws, portfolio, number, by=by, roles=roles) as taken:
        taken.see("exported")
        view = read(ws, taken.session, portfolio, number, rules=rules)
    return view if set(OFFICERS) & set(roles.of(by.strip())) else view.without_escalations()


def look(ws: Workspace, portfolio: Portfolio, number: int, *, by: str, roles: Roles) -> Personal:
    """What is personal of a case. The timeline and the ledger say who looked, not at what.

    Raises
    ------
    ContractError
        There is no such case, or the person may not work cases.
    """
    with looking(ws, portfolio, number, by=by, roles=roles) as seen:
        case = contents_of(ws, seen.session, portfolio, seen.case)
        found = Personal(
            transactions=dict(_rows(ws, "protected", portfolio, case.keys, _ID, case.transactions)),
            customer=_customer(ws, portfolio, seen.case.subject) if seen.case.subject_kind == "customer" else {},
            hits=_matched(ws, portfolio, case.keys, sorted(case.hits)),
        )
        seen.see("looked_at", None, transactions=len(found.transactions), hits=len(found.hits))
    return found


def _rows(
    ws: Workspace, dataset: str, portfolio: Portfolio, keys: Iterable[str], column: str, values: Sequence[str]
) -> Iterable[tuple[str, dict[str, str]]]:
    among = Among(column, pa.array(values, pa.string()))
    for key in sorted(keys):
        manifest = ws.store.manifest(dataset, portfolio.name, key)
        for row in ws.store.read(manifest, among=among).to_pylist() if manifest is not None else ():
            yield row[column], _texts(row, column)


def _customer(ws: Workspace, portfolio: Portfolio, customer: str) -> dict[str, str]:
    if "customers" not in portfolio.reference_feeds:
        return {}
    rows = identities(ws, portfolio, datetime.now(UTC))
    found = Among("customer_id", pa.array([customer])).of(rows).to_pylist()
    return _texts(found[0], "customer_id", "known_at") if found else {}


def _matched(
    ws: Workspace, portfolio: Portfolio, keys: Iterable[str], hits: Sequence[str]
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for hit, row in _rows(ws, HITS_PROTECTED, portfolio, keys, "hit_id", hits):
        found.setdefault(hit, {})[row["name"]] = row["value"]
    return found


def _texts(row: dict[str, Any], *without: str) -> dict[str, str]:
    return {name: str(value) for name, value in row.items() if name not in without and value is not None}
