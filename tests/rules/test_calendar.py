"""Business days, against tables that were written by hand with a printed calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from fraudops.errors import ContractError
from fraudops.rules.calendar import BusinessCalendar
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.federal_reserve import HOLIDAYS

NEW_YORK = BusinessCalendar("America/New_York", time(18), HOLIDAYS)
EASTERN = ZoneInfo("America/New_York")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=EASTERN)


@pytest.mark.parametrize(
    ("moment", "expected", "why"),
    [
        ("2026-03-03 12:00", "2026-03-03", "a Tuesday at noon"),
        ("2026-03-03 18:00", "2026-03-03", "at the cutoff itself"),
        ("2026-03-03 18:00:00.000001", "2026-03-04", "just after it"),
        ("2026-03-03 23:59:59.999999", "2026-03-04", "at night"),
        ("2026-03-04 00:00", "2026-03-04", "at night, after midnight"),
        ("2026-03-04 05:10", "2026-03-04", "before the doors open"),
        ("2026-03-06 18:01", "2026-03-09", "a Friday evening"),
        ("2026-03-07 10:00", "2026-03-09", "a Saturday"),
        ("2026-03-08 23:00", "2026-03-09", "a Sunday night, clocks were put forward in the morning"),
        ("2026-03-09 17:59", "2026-03-09", "the Monday after"),
        ("2026-11-01 01:30", "2026-11-02", "in the hour that comes twice, a Sunday"),
        ("2026-01-16 19:00", "2026-01-20", "the Friday evening before Martin Luther King's birthday"),
        ("2026-01-19 09:00", "2026-01-20", "that holiday, a Monday"),
        ("2026-02-13 18:30", "2026-02-17", "the Friday evening before Washington's birthday"),
        ("2026-07-03 12:00", "2026-07-03", "the Friday before a 4 July on a Saturday: not a holiday"),
        ("2026-07-03 20:00", "2026-07-06", "its evening"),
        ("2026-07-04 12:00", "2026-07-06", "4 July, a Saturday; the Monday after it is no holiday"),
        ("2027-07-02 18:30", "2027-07-06", "a Friday evening before a 4 July on a Sunday, observed on Monday"),
        ("2027-07-05 11:00", "2027-07-06", "the observed day"),
        ("2027-12-24 11:00", "2027-12-24", "Christmas on a Saturday: Friday is a business day"),
        ("2027-12-24 18:01", "2027-12-27", "its evening"),
        ("2027-06-18 10:00", "2027-06-18", "Juneteenth on a Saturday: Friday is a business day"),
        ("2026-11-25 19:00", "2026-11-27", "the evening before Thanksgiving"),
        ("2026-11-27 16:00", "2026-11-27", "the Friday after Thanksgiving"),
        ("2025-12-31 18:00:01", "2026-01-02", "New Year's Eve, after the cutoff"),
        ("2024-12-24 20:00", "2024-12-26", "Christmas Eve, a Tuesday"),
        ("2024-05-24 18:30", "2024-05-28", "before Memorial Day"),
    ],
)
def test_a_moment_belongs_to_the_business_day_that_the_law_says(moment: str, expected: str, why: str) -> None:
    assert NEW_YORK.business_day(local(moment)) == date.fromisoformat(expected), why


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        # 18:00 in New York is 23:00 UTC in winter and 22:00 UTC in summer; clocks change on 8 March and 1 November.
        ("2026-03-06T22:30", "2026-03-06"),
        ("2026-03-06T23:01", "2026-03-09"),
        ("2026-03-09T22:00", "2026-03-09"),
        ("2026-03-09T22:30", "2026-03-10"),
        ("2026-10-30T22:30", "2026-11-02"),
        ("2026-11-02T22:30", "2026-11-02"),
        ("2026-11-02T23:01", "2026-11-03"),
        # A Tuesday in UTC may still be Monday's evening there.
        ("2026-03-03T02:00", "2026-03-03"),
        ("2026-03-02T22:59", "2026-03-02"),
    ],
)
def test_the_cutoff_is_local_in_winter_and_in_summer(moment: str, expected: str) -> None:
    assert NEW_YORK.business_day(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("year", "expected"), [(2024, 251), (2025, 250), (2026, 251), (2027, 252)]
)  # 366 or 365 days, less Saturdays and Sundays, less the holidays on other days
def test_a_year_has_as_many_business_days_as_it_has(year: int, expected: int) -> None:
    first, last = date(year, 1, 1), date(year, 12, 31)
    assert NEW_YORK.count_between(first, last) == len(NEW_YORK.between(first, last)) == expected


def test_business_days_are_counted_forward_and_back() -> None:
    assert NEW_YORK.between(date(2026, 7, 2), date(2026, 7, 7)) == [date(2026, 7, day) for day in (2, 3, 6, 7)]
    assert NEW_YORK.count_between(date(2026, 7, 4), date(2026, 7, 5)) == 0
    assert NEW_YORK.following(date(2026, 1, 16), 1) == date(2026, 1, 20)
    assert NEW_YORK.following(date(2026, 1, 18), 1) == date(2026, 1, 20)
    assert NEW_YORK.following(date(2026, 1, 20), -1) == date(2026, 1, 16)
    assert NEW_YORK.following(date(2026, 1, 18), -1) == date(2026, 1, 16)


def test_the_span_of_a_day_reaches_back_over_a_long_weekend() -> None:
    after, until = NEW_YORK.span(date(2026, 1, 20))
    assert (after, until) == (local("2026-01-16 18:00"), local("2026-01-20 18:00"))
    with pytest.raises(ContractError, match="2026-01-19"):
        NEW_YORK.span(date(2026, 1, 19))


@given(st.integers(0, 4 * 365 * 86_400 - 1))
def test_every_moment_lies_in_the_span_of_its_day(second: int) -> None:
    moment = datetime(2024, 1, 2, tzinfo=UTC) + timedelta(seconds=second)
    after, until = NEW_YORK.span(NEW_YORK.business_day(moment))
    assert after < moment <= until


def test_many_moments_at_once_are_as_one_by_one() -> None:
    random = np.random.default_rng(4)
    first = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    moments = (first + random.integers(0, 365 * 86_400, 500)) * 1_000_000
    found = NEW_YORK.business_days(moments).tolist()
    assert found == [NEW_YORK.business_day(datetime.fromtimestamp(m / 1e6, tz=UTC)) for m in moments.tolist()]
    days = NEW_YORK.local_days(moments).tolist()
    assert days == [datetime.fromtimestamp(m / 1e6, tz=EASTERN).date() for m in moments.tolist()]
    assert NEW_YORK.business_days(np.array([], dtype=np.int64)).tolist() == []


def test_holidays_of_another_place_do_not_count() -> None:
    holidays = pa.table(
        {
            "date": [date(2026, 5, 1), date(2026, 5, 25)],
            "name": ["Labour Day", "Memorial Day"],
            "jurisdiction": ["EU", "US"],
        }
    )
    calendar = BusinessCalendar.of(holidays, jurisdiction="US", timezone="America/New_York", cutoff=time(18))
    assert calendar.is_business_day(date(2026, 5, 1))
    assert not calendar.is_business_day(date(2026, 5, 25))
    assert calendar.years == {2026}


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ContractError, match="time zone"):
        NEW_YORK.business_day(datetime(2026, 3, 3, 12))  # noqa: DTZ001 (what is tested)
