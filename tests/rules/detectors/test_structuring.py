"""Cash that is kept below the threshold."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
from fraudops.reference import SCHEMAS

from tests.rules.payments import hits, inputs, paid

RULE = "structuring"


def cash(day: int, amount: float, **more):
    return paid(f"2026-03-{day:02d}T15:00", amount, cash=True, **{"branch": "B1"} | more)


def business() -> pa.Table:
    content = [{"customer_id": "C-A1", "kind": "business", "known_at": datetime(2026, 1, 1, tzinfo=UTC)}]
    return pa.Table.from_pylist(content, schema=SCHEMAS["customers"])


def test_several_days_below_the_threshold_are_one_hit_that_grows() -> None:
    rows = [cash(day, 4_500) for day in (3, 4, 5, 6)]
    (third,) = hits(RULE, inputs(rows, "2026-03-05"), least_indicators=2, near_share="0.4")
    (fourth,) = hits(RULE, inputs(rows, "2026-03-06"), least_indicators=2, near_share="0.4")
    assert third.id_for("p", RULE) == fourth.id_for("p", RULE)
    assert (third.values["total_minor"], fourth.values["total_minor"]) == (1_350_000, 1_800_000)


def test_closeness_to_the_threshold_alone_is_nothing() -> None:
    near = [cash(3, 9_900), cash(3, 50), cash(4, 9_900)]
    assert not hits(RULE, inputs(near, "2026-03-04"))
    assert not hits(RULE, inputs(near, "2026-03-04"), least_indicators=1)
    assert hits(RULE, inputs([*near[:2], cash(4, 9_900, branch="B2")], "2026-03-04"))


def test_a_day_over_the_threshold_is_reported_as_such_and_no_part_of_it() -> None:
    rows = [cash(3, 10_001, branch="B1"), cash(4, 3_000, branch="B2"), cash(5, 3_000, branch="B3"), cash(6, 3_000)]
    assert not hits(RULE, inputs(rows, "2026-03-06"))


def test_several_persons_for_one_are_that_ones() -> None:
    rows = [cash(3, 4_000, account=f"A{n}", customer=f"C{n}", on_behalf_of="BOSS", branch=f"B{n}") for n in range(2)]
    rows += [cash(4, 9_000, account="A3", customer="C3", on_behalf_of="BOSS")]
    (hit,) = hits(RULE, inputs(rows, "2026-03-04"))
    assert hit.subject == "BOSS"
    assert "several persons" in hit.values["indicators"]


def test_what_the_customer_always_does_is_usual() -> None:
    every_day = [cash(day, 9_500, branch=f"B{day % 2}") for day in range(1, 31)]
    assert not hits(RULE, inputs(every_day, date(2026, 3, 30)))


def test_a_business_needs_more_indicators() -> None:
    rows = [cash(day, 9_500) for day in (3, 4, 5)]
    assert hits(RULE, inputs(rows, "2026-03-05"))
    assert not hits(RULE, inputs(rows, "2026-03-05", customers=business()))


def test_in_and_out_are_apart() -> None:
    rows = [cash(day, 4_000, branch=f"B{day}", direction=("in", "out")[day % 2]) for day in (3, 4, 5, 6)]
    assert not hits(RULE, inputs(rows, "2026-03-06"))


def test_a_customer_with_a_shop_that_is_known_for_long_may_bring_more_for_a_day() -> None:
    every_day = [cash(day, 4_500, branch=f"B{day % 2}") for day in range(1, 31)]
    assert not hits(RULE, inputs([*every_day, cash(30, 500)], date(2026, 3, 30)), least_transactions=1)
