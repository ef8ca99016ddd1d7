"""Lists of clocks: every one on exactly one page, counts that add up, what was missed stays among the missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from fraudops.filings.acting import amend, record_filed, record_not_required
from fraudops.filings.listing import Wanted, drafts_of, due_by_day, page_of_clocks, tally, warned

from tests.filings.conftest import CLOCKS, ROLES, Bank, noon

DAY = date.fromisoformat
BY = {"by": "olga", "roles": ROLES}


def numbers(bank: Bank, wanted: Wanted, *, most: int = 2, day: str = "2026-04-05") -> list[int]:
    """Of all pages."""
    found: list[int] = []
    after = None
    while page := page_of_clocks(bank.ws, bank.portfolio, CLOCKS, noon(day), wanted, after=after, most=most):
        found += [clock.number for clock in page]
        after = page[-1].due_on, page[-1].number
    return found


def test_pages_counts_and_days(bank: Bank) -> None:
    for place, detected in enumerate(("2026-03-01", "2026-03-05", "2026-03-05", "2026-03-20", "2026-03-04"), start=1):
        bank.escalate(bank.case(place), detected, detected)
    bank.start("2026-04-01")
    first, second, third, fourth, fifth = bank.numbers("sar")
    filed = {"filed_on": DAY("2026-04-05"), "reference": "1", **BY, "now": noon("2026-04-05")}
    record_filed(bank.ws, bank.portfolio, CLOCKS, first, **filed)
    record_not_required(bank.ws, bank.portfolio, second, reason="why", **BY, now=noon("2026-04-02"))
    moved = {"detected_on": DAY("2026-03-25"), "reason": "why", **BY, "now": noon("2026-04-04")}
    amend(bank.ws, bank.portfolio, CLOCKS, fifth, **moved)
    (next_one,) = bank.numbers("sar_continuing")

    assert numbers(bank, Wanted()) == [third, fourth, fifth, next_one]
    assert numbers(bank, Wanted("overdue")) == [third]
    assert numbers(bank, Wanted("settled")) == [second, first]
    assert numbers(bank, Wanted("missed")) == [fifth, third, first]
    assert sorted(numbers(bank, Wanted("all"))) == sorted([first, second, third, fourth, fifth, next_one])
    assert numbers(bank, replace(Wanted("all"), kind="sar_continuing")) == [next_one]
    assert numbers(bank, Wanted("all", first=DAY("2026-04-04"), last=DAY("2026-04-04"))) == [third, second]
    with bank.ws.transaction() as session:
        counted = tally(session, bank.portfolio, noon("2026-04-05"))
        assert (counted.overdue, counted.soon, counted.later, counted.filed, counted.not_required) == (1, 0, 3, 1, 1)
        days = due_by_day(session, bank.portfolio.name, DAY("2026-03-30"), DAY("2026-04-30"))
        assert days == {
            DAY("2026-03-31"): (0, 1),
            DAY("2026-04-04"): (1, 1),
            DAY("2026-04-19"): (1, 0),
            DAY("2026-04-24"): (1, 0),
        }
        assert drafts_of(session, third) == []


def test_what_people_were_told(bank: Bank) -> None:
    bank.escalate(bank.case(), "2026-03-01", "2026-03-03")
    for day in ("2026-03-26", "2026-04-02"):
        bank.look(day)
    (number,) = bank.numbers("sar")
    with bank.ws.transaction() as session:
        assert warned(session, "accounts", [number]) == {
            number: [(DAY("2026-03-26"), "5"), (DAY("2026-04-02"), "overdue 2026-04-02")]
        }
        assert warned(session, "cards", [number]) == {}
