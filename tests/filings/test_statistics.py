"""What was missed is counted in the month in which it was missed, whatever was recorded since."""

from __future__ import annotations

from datetime import date

from fraudops.filings.acting import record_filed, record_not_required
from fraudops.filings.statistics import ClockCounts, statistics

from tests.filings.conftest import CLOCKS, ROLES, Bank, noon

DAY = date.fromisoformat


def month(bank: Bank, first: str, after: str) -> dict[str, ClockCounts]:
    with bank.ws.transaction() as session:
        return {item.kind: item for item in statistics(session, bank.portfolio, DAY(first), DAY(after))}


def test_a_month_end(bank: Bank) -> None:
    # Five cases found on 1 March: filed in time, filed on 2 April, not needed, and one that nobody touches.
    for number in range(1, 5):
        bank.escalate(bank.case(number), "2026-03-01", "2026-03-03")
    bank.start("2026-03-03")
    first, second, third, _ = bank.numbers("sar")
    about = {"reference": "31000", "by": "olga", "roles": ROLES}
    record_filed(bank.ws, bank.portfolio, CLOCKS, first, filed_on=DAY("2026-03-31"), now=noon("2026-04-02"), **about)
    record_filed(bank.ws, bank.portfolio, CLOCKS, second, filed_on=DAY("2026-04-02"), now=noon("2026-04-02"), **about)
    record_not_required(
        bank.ws, bank.portfolio, third, reason="explained", by="olga", roles=ROLES, now=noon("2026-03-20")
    )
    march = month(bank, "2026-03-01", "2026-04-01")
    assert march["sar"] == ClockCounts(
        "sar", started=4, met=1, not_required=1, missed=2, open_at_end=2, overdue_at_end=2
    )
    assert march["sar_continuing"] == ClockCounts("sar_continuing", started=1, open_at_end=1)
    assert march["ctr"] == ClockCounts("ctr")
    april = month(bank, "2026-04-01", "2026-05-01")
    assert april["sar"] == ClockCounts("sar", late=1, open_at_end=1, overdue_at_end=1)
    assert month(bank, "2026-02-01", "2026-03-01")["sar"] == ClockCounts("sar")


def test_internal_reviews_are_counted_by_the_day_on_which_somebody_was_done(bank: Bank) -> None:
    due = {"due_on": DAY("2026-03-05"), "opened_as_of": noon("2026-03-02"), "created_at": noon("2026-03-02")}
    for number, (at, state) in enumerate((("2026-03-05", "escalated"), ("2026-03-06", "closed_fraud")), 1):
        bank.event(bank.case(number, **due), at, "state", before="in_review", after=state)
    bank.event(bank.case(3, **due), "2026-03-03", "state", before="open", after="in_review")
    assert month(bank, "2026-03-01", "2026-04-01")["review"] == ClockCounts(
        "review", started=3, met=1, late=1, missed=2, open_at_end=1, overdue_at_end=1
    )
    assert month(bank, "2026-04-01", "2026-05-01")["review"] == ClockCounts("review", open_at_end=1, overdue_at_end=1)
