"""Ten weeks in which every rule about transactions has something to find on the last day, 2026-03-20."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from fraudops.reference import SCHEMAS

from tests.rules.payments import paid

DAY = "2026-03-20"
_LAST = date.fromisoformat(DAY)
_BEGIN = _LAST - timedelta(days=70)


def rows() -> list[dict[str, Any]]:
    """Everyday payments of twelve accounts, and one story for each rule."""
    found = []
    for number in range(71):
        day = _BEGIN + timedelta(days=number)
        found += [
            paid(f"{day}T{8 + n:02d}:17", 30 + n, account=f"A{n}", direction="out", counterparty=f"SHOP{n % 3}")
            for n in range(12)
        ]
        if day.day == 1:
            found += [paid(f"{day}T09:00", 2_500, account=f"A{n}", counterparty="EMPLOYER") for n in range(12)]
    return [*found, *_stories()]


def _stories() -> list[dict[str, Any]]:
    cash = {"cash": True, "channel": "branch"}
    over = [paid(f"{DAY}T15:0{n}", 5_500, account="A1", branch=f"B{n}", **cash) for n in range(2)]
    below = [
        paid(f"2026-03-{day}T15:00", 9_000, account="A2", branch=f"B{day}", **cash) for day in (16, 17, 18, 19, 20)
    ]
    through = [paid(f"{DAY}T09:00", 8_000, account="A3", counterparty="X1", counterparty_country="US")]
    through += [paid(f"{DAY}T11:00", 7_900, account="A3", direction="out", counterparty="X2")]
    payers = [paid(f"{DAY}T{n + 8:02d}:30", 400, account="A4", counterparty=f"P{n}") for n in range(12)]
    payees = [
        paid(f"2026-03-{18 + n % 3}T{n + 8:02d}:40", 400, account="A5", direction="out", counterparty=f"Q{n}")
        for n in range(13)
    ]
    woken = [paid(f"{DAY}T12:00", 4_000, account="OLD", customer="C-OLD", direction="out", counterparty="X3")]
    rounds = [
        paid(f"2026-03-{14 + n}T13:00", 3_000, account="A6", direction="out", counterparty=f"R{n}") for n in range(7)
    ]
    abroad = [
        paid(f"{DAY}T13:30", 3_500, account="A7", direction="out", counterparty="X4", counterparty_country="BR"),
        paid(f"{DAY}T13:40", 500, account="A8", direction="out", counterparty="X5", counterparty_country="IR"),
    ]
    burst = [
        paid(f"{DAY}T16:{n:02d}", 90, account="A9", direction="out", counterparty="X6", channel="card")
        for n in range(10)
    ]
    large = [paid(f"{DAY}T17:00", 30_000, account="A10", direction="out", counterparty="X7")]
    return [*over, *below, *through, *payers, *payees, *woken, *rounds, *abroad, *burst, *large]


def customers() -> pa.Table:
    """Persons, known for long; each has a document that has expired, one that has not, or none at all."""
    known = datetime(2026, 1, 1, tzinfo=UTC)
    documents = ("passport:2026-03-01", "passport:2030-01-01|address_proof:", None)
    content = [
        {
            "customer_id": f"C-{name}",
            "kind": "person",
            "risk_rating": ("low", "medium", "high")[place % 3],
            "risk_rated_on": date(2019, 1, 1),
            "address_country": "US",
            "documents": documents[place % 3],
            "opened_on": date(2015, 1, 1),
            "known_at": known,
        }
        for place, name in enumerate([*(f"A{n}" for n in range(12)), "OLD"])
    ]
    return pa.Table.from_pylist(content, schema=SCHEMAS["customers"])


def identities() -> pa.Table:
    """Their names; one of them is on the list."""
    known = datetime(2026, 1, 1, tzinfo=UTC)
    names = [f"Person Number {n} Smith" for n in range(12)] + ["Ivan Petrovich Drugov"]
    ids = [*(f"C-A{n}" for n in range(12)), "C-OLD"]
    content = [
        {"customer_id": i, "name": name, "aliases": None, "date_of_birth": date(1970, 5, 17), "known_at": known}
        for i, name in zip(ids, names, strict=True)
    ]
    return pa.Table.from_pylist(content, schema=SCHEMAS["customers_protected"])


def watchlist() -> pa.Table:
    """One entry."""
    entry = {
        "list_version": "2026-01",
        "entry_id": "E1",
        "name": "Ivan Petrovich Drugov",
        "aliases": "I. P. Drugow",
        "date_of_birth": date(1970, 5, 17),
        "country": "RU",
        "program": "TEST",
        "known_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return pa.Table.from_pylist([entry], schema=SCHEMAS["watchlist"])
