"""Dormant accounts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
from fraudops.reference import SCHEMAS

from tests.rules.payments import hits, inputs, paid

RULE = "dormant_account"
OTHERS = [paid(f"2026-0{m}-{d:02d}T10:00", 10, account="B") for m in (1, 2, 3, 4, 5) for d in range(1, 28, 3)]


def customers(opened: date) -> pa.Table:
    known = [
        {"customer_id": "C-A1", "kind": "person", "opened_on": opened, "known_at": datetime(2025, 1, 1, tzinfo=UTC)}
    ]
    return pa.Table.from_pylist(known, schema=SCHEMAS["customers"])


def test_quiet_for_long_and_then_a_sum() -> None:
    rows = [*OTHERS, paid("2026-02-08T10:00", 10), paid("2026-05-20T10:00", 2_500, direction="out")]
    (hit,) = hits(RULE, inputs(rows, "2026-05-20"))
    assert "90 days or more" in hit.because
    rows += [paid("2026-03-15T10:00", 10)]
    assert not hits(RULE, inputs(rows, "2026-05-20"))


def test_small_payments_first_are_added_up_and_stay_one_hit() -> None:
    rows = [*OTHERS, paid("2026-02-08T10:00", 10)]
    rows += [paid("2026-05-18T10:00", 5), paid("2026-05-20T10:00", 2_500), paid("2026-05-21T10:00", 1_000)]
    assert not hits(RULE, inputs(rows, "2026-05-18"))
    (first,), (second,) = (hits(RULE, inputs(rows, f"2026-05-{day}")) for day in (20, 21))
    assert first.id_for("p", RULE) == second.id_for("p", RULE)
    assert first.values["woken_on"] == "2026-05-18"


def test_a_new_account_is_not_dormant() -> None:
    rows = [*OTHERS, paid("2026-05-20T10:00", 2_500)]
    assert not hits(RULE, inputs(rows, "2026-05-20"))
    assert not hits(RULE, inputs(rows, "2026-05-20", customers=customers(date(2026, 5, 1))))
    assert hits(RULE, inputs(rows, "2026-05-20", customers=customers(date(2020, 5, 1))))


def test_without_a_record_nothing_is_called_quiet() -> None:
    rows = [paid("2026-05-15T10:00", 10, account="B"), paid("2026-05-20T10:00", 2_500)]
    assert not hits(RULE, inputs(rows, "2026-05-20", customers=customers(date(2020, 5, 1))))
