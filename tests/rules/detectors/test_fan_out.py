"""Many payees."""

from __future__ import annotations

from tests.rules.payments import hits, inputs, paid

RULE = "fan_out"


def test_payments_out_are_counted_and_those_in_are_not() -> None:
    rows = [
        paid(f"2026-03-05T{8 + n}:00".replace("T8", "T08").replace("T9", "T09"), 400, counterparty=f"P{n}")
        for n in range(12)
    ]
    assert not hits(RULE, inputs(rows, "2026-03-05"))
    (hit,) = hits(RULE, inputs([row | {"direction": "out"} for row in rows], "2026-03-05"))
    assert hit.values["payees"] == 12


def test_a_payroll_is_usual_once_it_was_seen() -> None:
    def month(day: str, first: int):
        return [paid(f"{day}T10:{n:02d}", 1_500, direction="out", counterparty=f"E{first + n}") for n in range(15)]

    rows = [*month("2026-01-30", 0), *month("2026-02-27", 0)]
    assert hits(RULE, inputs(rows, "2026-01-30"))
    assert not hits(RULE, inputs(rows, "2026-02-27"))
