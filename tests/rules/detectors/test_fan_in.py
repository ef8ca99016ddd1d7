"""Many payers."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
from fraudops.reference import SCHEMAS

from tests.rules.payments import hits, inputs, paid

RULE = "fan_in"


def payers(day: int, many: int, first: int = 0, **more):
    return [
        paid(f"2026-03-{day:02d}T{8 + n % 12:02d}:00", 400, counterparty=f"P{first + n}", **more) for n in range(many)
    ]


def test_different_payers_are_counted_not_payments() -> None:
    assert hits(RULE, inputs(payers(5, 8), "2026-03-05"))
    assert not hits(RULE, inputs([*payers(5, 6), *payers(5, 6)], "2026-03-05"))


def test_days_that_follow_are_the_same_hit() -> None:
    rows = [*payers(5, 10), *payers(6, 3, first=10), *payers(8, 2, first=20)]
    found = [hits(RULE, inputs(rows, f"2026-03-{day:02d}")) for day in (5, 6, 8)]
    assert len({hit.id_for("p", RULE) for (hit,) in found}) == 1
    assert [hit.values["payers"] for (hit,) in found] == [10, 13, 15]


def test_who_always_has_many_is_usual() -> None:
    rows = [row for day in range(1, 25) for row in payers(day, 5, first=day * 5)]
    assert not hits(RULE, inputs(rows, "2026-03-24"))


def test_a_business_has_another_number() -> None:
    known = [{"customer_id": "C-A1", "kind": "business", "known_at": datetime(2026, 1, 1, tzinfo=UTC)}]
    customers = pa.Table.from_pylist(known, schema=SCHEMAS["customers"])
    assert not hits(RULE, inputs(payers(5, 30), "2026-03-05", customers=customers))
    assert hits(RULE, inputs(payers(5, 60), "2026-03-05", customers=customers))


def test_cash_has_nobody_on_the_other_side() -> None:
    assert not hits(RULE, inputs(payers(5, 20, cash=True), "2026-03-05"))
