"""Last days, checked by hand against printed calendars: month ends, leap years, weekends, clocks going forward."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from fraudops.errors import ConfigurationError
from fraudops.filings.deadlines import (
    Detection,
    act_by,
    after_cash,
    after_detection,
    after_filing,
    joined,
    local_day,
    stage,
)
from fraudops.filings.definition import ClockDefinition, read_clocks
from fraudops.rules.calendar import BusinessCalendar
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import CHECKOUT

FOLDER = CHECKOUT / "include" / "clocks"
CLOCKS = read_clocks(FOLDER)
DAY = date.fromisoformat
NEW_YORK = ZoneInfo("America/New_York")


def clock(kind: str, jurisdiction: str = "US") -> ClockDefinition:
    found = CLOCKS.of(kind, jurisdiction)
    assert found is not None
    return found


# Counted with a pencil: what is left of the first month, then whole months, then the rest.
PRINTED = [
    # detected, +30, +60
    ("2026-01-31", "2026-03-02", "2026-04-01"),  # 28 in February, 2 in March; 31 more: 1 April
    ("2024-01-31", "2024-03-01", "2024-03-31"),  # a leap year: 29 in February, 1 in March
    ("2028-02-29", "2028-03-30", "2028-04-29"),
    ("2025-12-31", "2026-01-30", "2026-03-01"),
    ("2026-11-27", "2026-12-27", "2027-01-26"),  # 27 December 2026 is a Sunday, and stays
    ("2026-02-28", "2026-03-30", "2026-04-29"),
    ("2026-03-01", "2026-03-31", "2026-04-30"),  # over the night of 8 March, which has 23 hours in New York
    ("2100-02-28", "2100-03-30", "2100-04-29"),  # no leap year
]


@pytest.mark.parametrize(("detected", "known", "unknown"), PRINTED)
def test_thirty_and_sixty_calendar_days_after_the_detection(detected: str, known: str, unknown: str) -> None:
    sar = clock("sar")
    assert after_detection(sar, DAY(detected), suspect_known=True).due_on == DAY(known)
    assert after_detection(sar, DAY(detected), suspect_known=False).due_on == DAY(unknown)


@pytest.mark.parametrize(
    ("business_day", "due"),
    [
        ("2026-03-02", "2026-03-17"),
        ("2026-02-13", "2026-02-28"),  # a Saturday, not moved
        ("2024-02-14", "2024-02-29"),
        ("2025-12-31", "2026-01-15"),
        ("2026-07-02", "2026-07-17"),
    ],
)
def test_fifteen_calendar_days_after_the_business_day(business_day: str, due: str) -> None:
    assert after_cash(clock("ctr"), DAY(business_day)).due_on == DAY(due)


@pytest.mark.parametrize(
    ("filed", "review", "due"),
    [
        ("2026-01-01", "2026-04-01", "2026-05-01"),
        ("2024-01-01", "2024-03-31", "2024-04-30"),  # a leap year
        ("2026-11-27", "2027-02-25", "2027-03-27"),
        ("2025-10-31", "2026-01-29", "2026-02-28"),
    ],
)
def test_activity_that_goes_on_is_reviewed_on_day_90_and_due_on_day_120(filed: str, review: str, due: str) -> None:
    found = after_filing(clock("sar_continuing"), DAY(filed))
    assert (found.review_on, found.due_on) == (DAY(review), DAY(due))


def test_the_faq_s_own_timeline() -> None:
    # Detection is day 0: filed on day 30, reviewed until day 120, due on day 150.
    zero = DAY("2026-01-01")
    filed = after_detection(clock("sar"), zero, suspect_known=True).due_on
    found = after_filing(clock("sar_continuing"), filed)
    assert [(day - zero).days for day in (filed, found.review_on, found.due_on)] == [30, 120, 150]


def test_a_last_day_on_a_weekend_stays_and_the_business_day_before_it_is_named() -> None:
    holidays = frozenset({DAY("2026-12-25")})
    calendar = BusinessCalendar("America/New_York", time(18), holidays)
    assert act_by(DAY("2026-12-27"), calendar) == DAY("2026-12-24")  # Sunday, Saturday, Christmas
    assert act_by(DAY("2026-12-28"), calendar) == DAY("2026-12-28")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-08T04:59:00", "2026-03-07"),  # New York is 5 hours behind until the morning of 8 March 2026 …
        ("2026-03-09T03:59:00", "2026-03-08"),  # … and 4 hours after it
        ("2026-11-01T03:59:00", "2026-10-31"),
        ("2026-11-02T04:59:00", "2026-11-01"),
    ],
)
def test_a_moment_s_day_is_the_bank_s(moment: str, day: str) -> None:
    assert local_day(datetime.fromisoformat(moment).replace(tzinfo=UTC), NEW_YORK) == DAY(day)


def test_a_later_day_of_detection_changes_nothing_and_an_earlier_one_counts() -> None:
    sar = clock("sar")
    running = after_detection(sar, DAY("2026-03-10"), suspect_known=True)
    later = Detection(DAY("2026-03-20"), suspect_known=True, recorded_on=DAY("2026-03-21"))
    earlier = Detection(DAY("2026-03-01"), suspect_known=True, recorded_on=DAY("2026-03-21"))
    assert joined(sar, running, later) == running
    assert joined(sar, running, earlier).due_on == DAY("2026-03-31")
    # Saying that there was no suspect after all does not give thirty more days.
    assert joined(sar, running, Detection(DAY("2026-03-10"), False, DAY("2026-03-21"))) == running


def test_a_suspect_who_is_identified_ends_the_longer_time() -> None:
    sar = clock("sar")
    running = after_detection(sar, DAY("2026-03-01"), suspect_known=False)
    assert running.due_on == DAY("2026-04-30")
    for recorded, due in (("2026-03-10", "2026-03-31"), ("2026-04-15", "2026-04-15"), ("2026-05-09", "2026-04-30")):
        found = joined(sar, running, Detection(DAY("2026-03-01"), True, DAY(recorded)))
        assert (found.due_on, found.suspect_known) == (DAY(due), True), recorded


@given(
    st.dates(DAY("2015-01-01"), DAY("2035-01-01")),
    st.booleans(),
    st.lists(st.tuples(st.integers(-40, 40), st.booleans(), st.integers(0, 90)), max_size=5),
)
def test_nothing_that_is_recorded_makes_a_running_clock_longer(first: date, known: bool, more: list) -> None:
    sar = clock("sar")
    running = after_detection(sar, first, suspect_known=known)
    for shift, suspect, later in more:
        day = first + timedelta(days=shift)
        found = joined(sar, running, Detection(day, suspect, day + timedelta(days=later)))
        assert found.due_on <= running.due_on
        assert found.trigger_on <= running.trigger_on
        assert found.due_on <= found.trigger_on + timedelta(days=60)
        running = found


def test_days_off_are_made_up_for_once_and_overdue_is_told_each_day() -> None:
    due, warn = DAY("2026-03-31"), (0, 1, 5, 10)
    told = [stage(due, DAY("2026-03-20") + timedelta(days=n), warn) for n in range(14)]
    assert told == [
        *(None, "10", "10", "10", "10", "10", "5", "5", "5", "5", "1", "0"),
        *("overdue 2026-04-01", "overdue 2026-04-02"),
    ]


def test_every_clock_has_numbers_with_a_source_for_every_day_on() -> None:
    assert {(item.kind, item.jurisdiction) for item in CLOCKS.definitions} == {
        *(("sar", "US"), ("sar", "EU"), ("sar_continuing", "US"), ("ctr", "US"), ("review", "any")),
    }
    assert CLOCKS.of("review", "US") is CLOCKS.of("review", "EU")
    assert CLOCKS.of("ctr", "EU") is None
    # The law was the same before chapter X: a backfill of 2005 has it as well, and one of before that.
    assert after_detection(clock("sar"), DAY("1990-01-01"), suspect_known=True).due_on == DAY("1990-01-31")


def test_numbers_change_by_date(tmp_path: Path) -> None:
    content = yaml.safe_load((FOLDER / "cash_report.yaml").read_text())
    content["numbers"]["days"]["dated"].append({"from": DAY("2027-01-01"), "value": 20, "source": "a law to come"})
    (tmp_path / "cash_report.yaml").write_text(yaml.safe_dump(content))
    ctr = read_clocks(tmp_path).of("ctr", "US")
    assert ctr is not None
    assert after_cash(ctr, DAY("2026-12-31")).due_on == DAY("2027-01-15")
    assert after_cash(ctr, DAY("2027-01-04")).due_on == DAY("2027-01-24")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["numbers"].pop("days"), "exactly the numbers days, kept_for, warn_days_before"),
        (lambda c: c["numbers"]["days"]["dated"][0].update({"from": DAY("2020-01-01")}), "on every day from 2011"),
        (lambda c: c["numbers"]["warn_days_before"]["dated"][0].update(value="soon"), "whole days"),
        (lambda c: c.update(id="other"), "the name of its file"),
        (lambda c: c.pop("weekends"), "weekends"),
    ],
)
def test_a_wrong_clock_says_what_is_wrong(tmp_path: Path, change, says: str) -> None:
    content = yaml.safe_load((FOLDER / "cash_report.yaml").read_text())
    change(content)
    (tmp_path / "cash_report.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigurationError, match=says):
        read_clocks(tmp_path)


def test_two_clocks_of_one_kind_are_refused(tmp_path: Path) -> None:
    content = yaml.safe_load((FOLDER / "cash_report.yaml").read_text())
    for name in ("cash_report", "another"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**content, "id": name}))
    with pytest.raises(ConfigurationError, match="such a clock already"):
        read_clocks(tmp_path)
