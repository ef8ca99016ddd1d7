"""What a draft is made of: transactions, hits, and what is on file about people, as it was known at a moment."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fraudops.cases.transactions import GROWS, REACHES_BACK, rows_of
from fraudops.filings.forms import Movement
from fraudops.portfolio import Portfolio
from fraudops.portfolio.iso import money_text
from fraudops.reference import customers, identities
from fraudops.rules import HITS
from fraudops.store import Among
from fraudops.workspace import Workspace

_NAMES = ("account", "customer", "counterparty", "counterparty_country", "branch", "direction", "on_behalf_of")


@dataclass(frozen=True)
class Person:
    """What is on file about a customer; None where nothing is.

    Attributes
    ----------
    documents
        Kinds of the documents on file, with the days on which they expire.
    """

    id: str
    name: str | None = None
    aliases: str | None = None
    date_of_birth: date | None = None
    kind: str | None = None
    country: str | None = None
    risk_rating: str | None = None
    documents: str | None = None
    opened_on: date | None = None


@dataclass(frozen=True)
class Seen:
    """A hit as the newest partition that found it has it."""

    id: str
    rule: str
    severity: str
    key: str
    on: date
    because: str
    transactions: tuple[str, ...]
    values: dict[str, Any]
    numbers: dict[str, dict[str, Any]]


def people(ws: Workspace, portfolio: Portfolio, ids: Collection[str], as_of: datetime) -> list[Person]:
    """What was known of some customers, in the order of their ids."""
    wanted = sorted(set(ids))
    if portfolio.compliance is None:
        return [Person(one) for one in wanted]
    known = _by_id(customers(ws, portfolio, as_of), wanted)
    personal = _by_id(identities(ws, portfolio, as_of), wanted)
    found = []
    for one in wanted:
        about, who = known.get(one, {}), personal.get(one, {})
        found.append(
            Person(
                id=one,
                name=who.get("name"),
                aliases=who.get("aliases"),
                date_of_birth=who.get("date_of_birth"),
                kind=about.get("kind"),
                country=about.get("address_country"),
                risk_rating=about.get("risk_rating"),
                documents=about.get("documents"),
                opened_on=about.get("opened_on"),
            )
        )
    return found


def hits_of(ws: Workspace, portfolio: Portfolio, ids: Collection[str], as_of: datetime) -> list[Seen]:
    """Some hits as they were known at a moment, by day and id; what a correction took back is missing."""
    newest: dict[str, Seen] = {}
    for key in ws.store.keys(HITS, portfolio.name) if ids else ():
        if portfolio.partitioning.end(key) > as_of:
            continue
        found = rows_of(ws, ws.store.require(HITS, portfolio.name, key), ids)
        newest |= {hit: _seen(key, row) for hit, row in found.items()}
    return sorted(newest.values(), key=lambda hit: (hit.on, hit.id))


def movements_of(
    ws: Workspace, portfolio: Portfolio, ids: Collection[str], keys: Collection[str], as_of: datetime
) -> tuple[Movement, ...]:
    """Some transactions, in the order of time.

    Parameters
    ----------
    keys
        Partitions that they were found by; they are looked for in these and around them.
    """
    if not ids or not keys:
        return ()
    partitioning = portfolio.partitioning
    first, last = partitioning.start(min(keys)) - REACHES_BACK, partitioning.start(max(keys)) + GROWS
    columns, wanted = _columns(portfolio), pa.array(sorted(ids), pa.string())
    found: dict[str, Movement] = {}
    for key in ws.store.keys("transactions", portfolio.name):
        if not first <= partitioning.start(key) <= last or partitioning.end(key) > as_of:
            continue
        manifest = ws.store.require("transactions", portfolio.name, key)
        names = list(dict.fromkeys(["transaction_id", "event_time", *_amount(portfolio), *columns.values()]))
        for row in ws.store.read(manifest, names, among=Among("transaction_id", wanted)).to_pylist():
            found[row["transaction_id"]] = _movement(portfolio, columns, row)
    return in_order(found.values())


def movements_from(portfolio: Portfolio, rows: Iterable[dict[str, Any]]) -> tuple[Movement, ...]:
    """Stored rows of transactions as they are listed, in the order of time."""
    columns = _columns(portfolio)
    return in_order(_movement(portfolio, columns, row) for row in rows)


def in_order(movements: Iterable[Movement]) -> tuple[Movement, ...]:
    """By time and id."""
    return tuple(sorted(movements, key=lambda movement: (movement.time, movement.transaction)))


def totals(movements: Sequence[Movement]) -> str:
    """Amounts by currency and direction, to read."""
    sums: dict[tuple[str, str], tuple[int, int, int]] = {}
    for movement in movements:
        digits = len(movement.amount.partition(".")[2])
        minor = int(movement.amount.replace(",", "").replace(".", "") or 0)
        count, sum_, _ = sums.get((movement.currency, movement.direction), (0, 0, 0))
        sums[movement.currency, movement.direction] = count + 1, sum_ + minor, digits
    return "; ".join(
        f"{count:,} {direction or 'payments'}, {money_text(minor, digits, currency)} in all"
        for (currency, direction), (count, minor, digits) in sorted(sums.items())
    )


# -- inside -------------------------------------------------------------------------------------------


def _by_id(table: pa.Table, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = table.filter(pc.is_in(table["customer_id"], value_set=pa.array(ids, pa.string())))
    return {row["customer_id"]: row for row in rows.to_pylist()}


def _seen(key: str, row: dict[str, Any]) -> Seen:
    return Seen(
        id=row["hit_id"],
        rule=row["rule"],
        severity=row["severity"],
        key=key,
        on=row["on"],
        because=row["because"],
        transactions=tuple(row["transactions"]),
        values=json.loads(row["values"]),
        numbers=json.loads(row["numbers"]),
    )


def _columns(portfolio: Portfolio) -> dict[str, str]:
    """Our name → the stored column; what the portfolio does not have is left out."""
    rules = portfolio.compliance
    if rules is not None:
        return {name: portfolio.stored_name(column) for name, column in rules.columns.given.items()}
    entities = dict(portfolio.entities)
    found = {name: entities.pop(name) for name in ("account", "customer") if name in entities}
    if "account" not in found and "card" in entities:
        found["account"] = entities.pop("card")
    return found | dict(zip(("counterparty",), entities.values(), strict=False))


def _amount(portfolio: Portfolio) -> list[str]:
    named = portfolio.currency in portfolio.columns
    currency = [portfolio.stored_name(portfolio.currency)] if named else []
    return ["amount_minor", *currency] if portfolio.has_amount else currency


def _movement(portfolio: Portfolio, columns: dict[str, str], row: dict[str, Any]) -> Movement:
    minor = row.get("amount_minor")
    named = portfolio.currency in portfolio.columns
    currency = row.get(portfolio.stored_name(portfolio.currency)) if named else portfolio.currency
    texts = {name: str(row[columns[name]]) if row.get(columns.get(name, "")) else "" for name in (*_NAMES, "channel")}
    return Movement(
        transaction=row["transaction_id"],
        time=f"{row['event_time'].astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        amount="" if minor is None else money_text(minor, portfolio.minor_digits, ""),
        currency=currency or "",
        cash="yes" if row.get(columns.get("cash", "")) else "",
        **texts,
    )
