"""Cash over the reporting threshold: deposits of a year, and who is to be reported for which business day.

The expectation is written by hand from 31 CFR 1010.311 and .313 and the holidays of the Federal Reserve; nothing here
computes it. Local time in New York; the cutoff is 18:00. Each block is one person, unless somebody acts for another.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fraudops.rules.calendar import BusinessCalendar

from tests.rules.federal_reserve import HOLIDAYS
from tests.rules.payments import hits, inputs

EASTERN = ZoneInfo("America/New_York")
CALENDAR = BusinessCalendar("America/New_York", time(18), HOLIDAYS)

# person, local time, in or out, amount in cents (dollars), then what differs from a deposit at branch B1 in account A1
DEPOSITS: tuple[tuple[Any, ...], ...] = (
    # Ada: exactly the threshold, a Tuesday. Not more than it.
    ("ada", "2026-03-03 11:00", "in", 1_000_000),
    # Ben: a cent more.
    ("ben", "2026-03-03 11:00", "in", 1_000_001),
    # Cleo: two branches, two accounts, one day.
    ("cleo", "2026-03-03 09:30", "in", 600_000),
    ("cleo", "2026-03-03 16:45", "in", 400_100, {"branch": "B2", "account": "A2"}),
    # Dan: in and out are not added up, nor set off: 9,000 in and 9,000 out.
    ("dan", "2026-03-03 10:00", "in", 900_000),
    ("dan", "2026-03-03 10:05", "out", 900_000),
    # Eve: the same with more than the threshold out.
    ("eve", "2026-03-03 10:00", "in", 900_000),
    ("eve", "2026-03-03 10:05", "out", 700_000),
    ("eve", "2026-03-03 15:00", "out", 300_050),
    # Fay: before and after the cutoff are two days: Tuesday and Wednesday.
    ("fay", "2026-03-03 17:59", "in", 600_000),
    ("fay", "2026-03-03 18:01", "in", 600_000),
    # Gil: evening, night and morning are one day: Wednesday the 4th.
    ("gil", "2026-03-03 19:00", "in", 400_000),
    ("gil", "2026-03-04 02:15", "in", 400_000),
    ("gil", "2026-03-04 09:00", "in", 200_001),
    # Hal: Friday evening, Saturday, Sunday and Monday are Monday the 9th; clocks went forward on Sunday.
    ("hal", "2026-03-06 18:30", "in", 300_000),
    ("hal", "2026-03-07 12:00", "in", 300_000),
    ("hal", "2026-03-08 14:00", "in", 300_000),
    ("hal", "2026-03-09 17:30", "in", 100_001),
    # Ida: Monday 17:30 in summer time is 21:30 UTC, 18:30 is 22:30 UTC: two days.
    ("ida", "2026-03-09 17:30", "in", 600_000),
    ("ida", "2026-03-09 18:30", "in", 600_000),
    # Jon: Friday evening, a holiday on Monday (Martin Luther King), Tuesday: all Tuesday the 20th.
    ("jon", "2026-01-16 20:00", "in", 500_000),
    ("jon", "2026-01-19 11:00", "in", 500_000),
    ("jon", "2026-01-20 10:00", "in", 1),
    # Kim: Friday 3 July is a business day, though 4 July is a Saturday; so these are two days.
    ("kim", "2026-07-03 12:00", "in", 600_000),
    ("kim", "2026-07-04 12:00", "in", 600_000),
    # Lea: that Saturday and the Monday after it are Monday the 6th.
    ("lea", "2026-07-04 12:00", "in", 600_000),
    ("lea", "2026-07-06 12:00", "in", 600_000),
    # Max deposits for the firm, as Ned does: the firm is over it, and neither of the two.
    ("max", "2026-03-03 11:00", "in", 700_000, {"on_behalf_of": "firm"}),
    ("ned", "2026-03-03 14:00", "in", 500_000, {"on_behalf_of": "firm"}),
    # Ora deposits for two others, and is over it herself.
    ("ora", "2026-03-03 11:00", "in", 600_000, {"on_behalf_of": "pia"}),
    ("ora", "2026-03-03 14:00", "in", 600_000, {"on_behalf_of": "quinn"}),
    # Ray acts in his own name, on his own behalf: counted once.
    ("ray", "2026-03-03 11:00", "in", 600_000, {"on_behalf_of": "ray"}),
    # Sue: pounds, worth 1.25 dollars: 8,000.00 GBP are exactly 10,000.00 dollars. Tom has a penny more.
    ("sue", "2026-03-03 11:00", "in", 800_000, {"currency": "GBP"}),
    ("tom", "2026-03-03 11:00", "in", 800_001, {"currency": "GBP"}),
    # Uma: half of it is no cash.
    ("uma", "2026-03-03 11:00", "in", 600_000),
    ("uma", "2026-03-03 11:05", "in", 600_000, {"cash": False}),
    # Vic: New Year's Eve after the cutoff and New Year's Day are Friday 2 January.
    ("vic", "2025-12-31 18:30", "in", 600_000),
    ("vic", "2026-01-01 12:00", "in", 400_001),
    # Wes: the hour that comes twice on Sunday 1 November; all of it is Monday the 2nd.
    ("wes", "2026-11-01 01:30", "in", 500_000),
    ("wes", "2026-11-02 17:59", "in", 500_001),
)

TO_REPORT = {
    ("ben", "2026-03-03", "in", 1_000_001),
    ("cleo", "2026-03-03", "in", 1_000_100),
    ("eve", "2026-03-03", "out", 1_000_050),
    ("gil", "2026-03-04", "in", 1_000_001),
    ("hal", "2026-03-09", "in", 1_000_001),
    ("jon", "2026-01-20", "in", 1_000_001),
    ("lea", "2026-07-06", "in", 1_200_000),
    ("firm", "2026-03-03", "in", 1_200_000),
    ("ora", "2026-03-03", "in", 1_200_000),
    ("tom", "2026-03-03", "in", 1_000_001),
    ("vic", "2026-01-02", "in", 1_000_001),
    ("wes", "2026-11-02", "in", 1_000_001),
}
_POUND_IN_QUARTERS = 5


def rows() -> list[dict[str, Any]]:
    found = []
    for person, at, direction, cents, *more in DEPOSITS:
        moment = datetime.fromisoformat(at).replace(tzinfo=EASTERN).astimezone(UTC)
        row = {
            "event_time": moment,
            "account": f"{person}-A1",
            "customer": person,
            "counterparty": None,
            "counterparty_country": None,
            "branch": "B1",
            "direction": direction,
            "cash": True,
            "on_behalf_of": None,
            "channel": "branch",
            "amount_minor": cents,
            "currency": "USD",
        }
        row |= more[0] if more else {}
        # 8,000.01 GBP at 1.25 are 10,000.0125 USD.
        row["base_minor"] = cents if row["currency"] == "USD" else (cents * _POUND_IN_QUARTERS * 2 + 4) // 8
        found.append(row)
    return found


def reported(order: Iterable[dict[str, Any]]) -> dict[tuple[str, ...], int]:
    """Person, business day and direction → the total of the last run that found it, day by day as they come."""
    order = list(order)
    totals: dict[tuple[str, ...], int] = {}
    for day in sorted({row["event_time"].date() for row in order}):
        near = [row for row in order if day - timedelta(days=7) <= row["event_time"].date() <= day]
        for hit in hits("cash_over_threshold", inputs(near, day, calendar=CALENDAR)):
            values = hit.values
            totals[hit.subject, values["business_day"], values["direction"]] = values["total_minor"]
    return totals


def test_who_is_to_be_reported_for_which_day_is_what_a_person_says() -> None:
    assert {(*key, total) for key, total in reported(rows()).items()} == TO_REPORT


def test_the_order_of_the_rows_changes_nothing() -> None:
    assert reported(reversed(rows())) == reported(rows())


@pytest.mark.parametrize("day", [date(2026, 3, 3), date(2026, 7, 6)])
def test_later_rows_change_nothing(day: date) -> None:
    until = [row for row in rows() if row["event_time"].date() <= day]
    found = [hits("cash_over_threshold", inputs(given, day, calendar=CALENDAR)) for given in (until, rows())]
    assert [h.id_for("p", "r") for h in found[0]] == [h.id_for("p", "r") for h in found[1]]
