"""Customers whose name is like one on the watch list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.numbers import Numbers
from fraudops.rules.screening import Criteria, Match, Party, screen, screen_changes

NEEDS = Needs(transactions=False, customers=True, identities=True, watchlist=True)
_BIRTH = {
    "agrees": "the dates of birth are the same",
    "near": "the dates of birth are nearly the same",
    "contradicts": "the dates of birth differ",
    "unknown": "a date of birth is missing",
}


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Whoever is new or has changed, among customers or on the list; everybody where the numbers have changed."""
    customers, entries = _customers(inputs.identities, inputs.customers), _entries(inputs.watchlist)
    criteria, before = _criteria(numbers), inputs.before
    if before is None or criteria != _criteria(numbers.on(before.day)):
        matches = screen(customers, entries, criteria)
    else:
        matches = screen_changes(
            customers,
            entries,
            criteria,
            new_customers=_changed(customers, _customers(before.identities, before.customers)),
            new_entries=_changed(entries, _entries(before.watchlist)),
        )
    return _hits(matches, customers, entries, inputs, criteria)


def _criteria(numbers: Numbers) -> Criteria:
    return Criteria(*(round(numbers.exact(name) * 1000) for name in ("threshold", "birth_agrees", "birth_contradicts")))


def _customers(identities: pa.Table | None, customers: pa.Table | None) -> list[Party]:
    if identities is None or customers is None:
        return []
    kinds = dict(zip(customers["customer_id"].to_pylist(), customers["kind"].to_pylist(), strict=True))
    return [
        _party(*row, business=kinds.get(row[0]) == "business")
        for row in _rows(identities, "customer_id", "name", "aliases", "date_of_birth")
    ]


def _entries(watchlist: pa.Table | None) -> list[Party]:
    return [_party(*row) for row in _rows(watchlist, "entry_id", "name", "aliases", "date_of_birth")]


def _rows(table: pa.Table | None, *names: str) -> Iterator[tuple[Any, ...]]:
    return iter(()) if table is None else zip(*(table[name].to_pylist() for name in names), strict=True)


def _party(of: str, name: str | None, aliases: str | None, born: date | None, *, business: bool = False) -> Party:
    names = [text.strip() for text in (name or "", *(aliases or "").split("|"))]
    return Party(of, tuple(text for text in names if text), born.isoformat() if born else "", business)


def _changed(now: Sequence[Party], before: Sequence[Party]) -> set[str]:
    return {party.id for party in set(now) - set(before)}


def _hits(
    matches: Sequence[Match], customers: Sequence[Party], entries: Sequence[Party], inputs: Inputs, criteria: Criteria
) -> Iterator[Hit]:
    who, whom = {party.id: party for party in customers}, {party.id: party for party in entries}
    versions: dict[str, str] = dict(_rows(inputs.watchlist, "entry_id", "list_version"))
    for match in matches:
        customer, entry, version = who[match.customer], whom[match.entry], versions[match.entry]
        yield Hit(
            kind="customer",
            subject=match.customer,
            one=(match.entry,),
            on=inputs.day,
            because=(
                f"{_which(match.customer_name)} of the customer is like {_which(match.entry_name)} of entry "
                f"{match.entry}, list {version}: {match.parts} of {match.of} parts agree, {match.how}; "
                f"{_BIRTH[match.birth]}; the score is {match.score / 1000:.3f}, "
                f"enough is {criteria.threshold / 1000:.3f}"
            ),
            values={
                "entry_id": match.entry,
                "list_version": version,
                "score_thousandths": match.score,
                "name_score_thousandths": match.name_score,
                "how": match.how,
                "parts_agreeing": match.parts,
                "parts": match.of,
                "birth": match.birth,
                "customer_name": _which(match.customer_name),
                "entry_name": _which(match.entry_name),
            },
            protected={
                "customer_name": customer.names[match.customer_name],
                "entry_name": entry.names[match.entry_name],
            },
        )


def _which(number: int) -> str:
    return f"alias {number}" if number else "the name"
