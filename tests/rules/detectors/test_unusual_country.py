"""Unusual countries."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
from fraudops.reference import SCHEMAS

from tests.rules.payments import hits, inputs, paid

RULE = "unusual_country"
EVERYDAY = [paid(f"2026-02-{day:02d}T10:00", 20, counterparty="S", counterparty_country="US") for day in range(1, 12)]


def abroad(at: str, amount: float, country: str):
    return paid(at, amount, direction="out", counterparty="X", counterparty_country=country)


def test_a_new_country_of_an_account_with_a_past() -> None:
    (hit,) = hits(RULE, inputs([*EVERYDAY, abroad("2026-03-05T10:00", 3_000, "BR")], "2026-03-05"))
    assert (hit.values["country"], hit.values["payments_before"]) == ("BR", 11)
    assert not hits(RULE, inputs([abroad("2026-03-05T10:00", 3_000, "BR")], "2026-03-05"))
    assert not hits(RULE, inputs([*EVERYDAY, abroad("2026-03-05T10:00", 2_999, "BR")], "2026-03-05"))
    assert not hits(RULE, inputs([*EVERYDAY, abroad("2026-03-05T10:00", 3_000, "US")], "2026-03-05"))


def test_it_stays_one_hit_and_then_is_known() -> None:
    days = ("05", "08", "30")
    rows = [*EVERYDAY, *(abroad(f"2026-03-{day}T10:00", 3_000, "BR") for day in days)]
    first, second, later = (hits(RULE, inputs(rows, f"2026-03-{day}")) for day in days)
    assert first[0].id_for("p", RULE) == second[0].id_for("p", RULE)
    assert not later


def test_a_listed_country_needs_no_past_and_the_list_has_dates() -> None:
    assert hits(RULE, inputs([abroad("2026-03-05T10:00", 150, "MM")], "2026-03-05"))
    assert not hits(RULE, inputs([abroad("2022-10-20T10:00", 150, "MM")], "2022-10-20"))
    assert hits(RULE, inputs([abroad("2022-10-21T10:00", 150, "MM")], "2022-10-21"))


def test_the_customers_own_country_is_usual() -> None:
    known = [
        {"customer_id": "C-A1", "kind": "person", "address_country": "BR", "known_at": datetime(2026, 1, 1, tzinfo=UTC)}
    ]
    customers = pa.Table.from_pylist(known, schema=SCHEMAS["customers"])
    rows = [*EVERYDAY, abroad("2026-03-05T10:00", 3_000, "BR")]
    assert not hits(RULE, inputs(rows, "2026-03-05", customers=customers))
