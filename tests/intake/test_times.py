"""Moments: every way in which a file may say when something happened."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from fraudops.intake.times import counted_rows, moments, moments_of_parts
from fraudops.portfolio import Column, Role
from fraudops.portfolio.columns import TimeParts
from pydantic import ValidationError


def column(**settings: Any) -> Column:
    return Column.model_validate({"role": "time", **settings})


def read(values: list[Any], **settings: Any) -> list[str | None]:
    found, _ = moments(pa.array(values), column(**settings))
    return [None if value is None else f"{value:%Y-%m-%d %H:%M:%S}" for value in found.to_pylist()]


def read_parts(parts: dict[str, list[Any]], **settings: Any) -> tuple[list[str | None], list[str]]:
    described = column(parts={name: name for name in parts}, **settings)
    found, wrong = moments_of_parts({name: pa.array(values) for name, values in parts.items()}, described)
    return (
        [None if value is None else f"{value:%Y-%m-%d %H:%M}" for value in found.to_pylist()],
        [item.reason for item in wrong],
    )


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("us", "1500000", "2026-03-05 00:00:01"),
        ("ms", "1500", "2026-03-05 00:00:01"),
        ("s", "61", "2026-03-05 00:01:01"),
        ("h", "25", "2026-03-06 01:00:00"),
        ("d", "1.5", "2026-03-06 12:00:00"),
        ("w", "2", "2026-03-19 00:00:00"),
        ("month", "0", "2026-03-05 00:00:00"),
        ("month", "10", "2027-01-05 00:00:00"),
        ("month", "-3", "2025-12-05 00:00:00"),
    ],
)
def test_an_offset_counts_from_the_origin(unit: str, value: str, expected: str) -> None:
    assert read([value], origin="2026-03-05T00:00:00Z", unit=unit) == [expected]
    assert read([float(value)], origin="2026-03-05T00:00:00Z", unit=unit) == [expected]


def test_months_end_where_the_calendar_says() -> None:
    assert read(["1", "13"], origin="2023-01-31T00:00:00Z", unit="month") == [
        "2023-02-28 00:00:00",
        "2024-02-29 00:00:00",
    ]


@pytest.mark.parametrize("value", ["1.5", "nan", "99999", "soon"])
def test_what_is_no_month_is_wrong(value: str) -> None:
    found, wrong = moments(pa.array([value, "2"]), column(origin="2026-03-05T00:00:00Z", unit="month"))
    assert found.null_count == 1
    assert [item.rows.tolist() for item in wrong] == [[True, False]]


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("%d/%m/%Y %H:%M", "05/03/2026 10:07", "2026-03-05 10:07:00"),
        ("%d/%m/%Y %H:%M", "5/3/2026 9:07", "2026-03-05 09:07:00"),
        ("%m/%d/%Y", "03/05/2026", "2026-03-05 00:00:00"),
        ("%d.%m.%y", "05.03.26", "2026-03-05 00:00:00"),
        ("%Y%m%d", 20260305, "2026-03-05 00:00:00"),
        ("%d-%b-%Y %I:%M %p", "05-Mar-2026 01:05 PM", "2026-03-05 13:05:00"),
        ("%Y-%m-%d %H:%M:%S.%f", "2026-03-05 10:00:01.250", "2026-03-05 10:00:01"),
        ("%d/%m/%Y %H:%M %z", "05/03/2026 10:00 +0200", "2026-03-05 08:00:00"),
        ("%d/%m/%Y", "30/02/2026", None),
        ("%d/%m/%Y", "05/03/2026 and more", None),
        ("%d/%m/%Y", "2026-03-05", None),
    ],
)
def test_a_timestamp_in_another_form(form: str, value: Any, expected: str | None) -> None:
    found, wrong = moments(pa.array([value]), column(format=form))
    assert read([value], format=form) == [expected]
    assert (found.null_count == 1) == bool(wrong)


def test_a_form_without_a_zone_is_in_the_columns_zone() -> None:
    settings = {"format": "%d/%m/%Y %H:%M", "timezone": "Europe/Berlin"}
    assert read(["05/07/2026 10:00", "05/01/2026 10:00"], **settings) == ["2026-07-05 08:00:00", "2026-01-05 09:00:00"]
    # Clocks went from 2:00 to 3:00 that night.
    assert read(["29/03/2026 02:30"], **settings) == [None]


def test_year_month_day_and_time_of_day() -> None:
    parts = {"year": [2002, 2002, None], "month": [9, 2, 9], "day": [1, 30, 1], "time": ["06:21", "06:21", "06:21"]}
    found, wrong = read_parts(parts)
    assert found == ["2002-09-01 06:21", None, None]
    # The thirtieth of February is wrong; a missing part is an empty time, which is said elsewhere.
    assert wrong == ["not a date"]


def test_week_of_the_month_and_weekday() -> None:
    parts = {
        "year": ["1994", "1994", "1994", "1995"],
        "month": ["Jan", "January", "1", "Feb"],
        "week": ["1", "2", "5", "5"],
        "weekday": ["Monday", "mon", "Monday", "Wednesday"],
    }
    # 1994-01-03 was a Monday; the last Wednesday of February 1995 was the 22nd.
    assert read_parts(parts) == (
        ["1994-01-03 00:00", "1994-01-10 00:00", "1994-01-31 00:00", "1995-02-22 00:00"],
        [],
    )


def test_other_ways_to_name_a_day() -> None:
    assert read_parts({"year": [2026], "week": [10], "weekday": ["Thu"]})[0] == ["2026-03-05 00:00"]
    assert read_parts({"year": [2026.0], "month": [3.0]})[0] == ["2026-03-01 00:00"]
    assert read_parts({"date": ["2026-03-05"], "hour": [7], "minute": [5]})[0] == ["2026-03-05 07:05"]
    assert read_parts({"date": ["05.03.2026"], "time": ["7:05"]}, format="%d.%m.%Y")[0] == ["2026-03-05 07:05"]


def test_parts_are_in_the_columns_zone() -> None:
    parts = {"date": ["2026-07-05"], "time": ["00:30"]}
    assert read_parts(parts, timezone="Europe/Berlin")[0] == ["2026-07-04 22:30"]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"year": ["2026"], "month": ["13"]}, "not a date"),
        ({"year": ["2026"], "month": ["Smarch"]}, "not a date"),
        ({"year": ["2026"], "week": ["54"]}, "not a date"),
        ({"date": ["2026-03-05"], "time": ["25:00"]}, "not a time of the day"),
        ({"date": ["2026-03-05"], "hour": ["noon"]}, "not a time of the day"),
    ],
)
def test_parts_that_name_nothing_are_wrong(parts: dict[str, list[str]], reason: str) -> None:
    assert read_parts(parts) == ([None], [reason])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"month": "m", "day": "d"}, "does not name a day"),
        ({"year": "y", "day": "d"}, "does not name a day"),
        ({"date": "d", "time": "t", "hour": "h"}, "not both"),
        ({"date": "d", "minute": "m"}, "minute needs hour"),
    ],
)
def test_parts_must_make_a_moment(parts: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TimeParts.model_validate(parts)


def test_rows_stand_for_time_where_there_is_none() -> None:
    origin = datetime(2026, 3, 5, tzinfo=UTC)
    together = counted_rows(0, 10, origin, 4).to_pylist()
    apart = counted_rows(0, 3, origin, 4).to_pylist() + counted_rows(3, 7, origin, 4).to_pylist()
    assert together == apart
    assert [f"{moment:%d %H}" for moment in together[:5]] == ["05 00", "05 06", "05 12", "05 18", "06 00"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows_per_day": 10}, "needs an origin"),
        ({"origin": "2026-03-05T00:00:00Z", "parts": {"date": "d"}}, "not both"),
        ({"origin": "2026-03-05T00:00:00"}, "with its zone"),
        ({"timezone": "Berlin"}, "no such time zone"),
        ({"join": ["a", "b"]}, "join is for roles"),
    ],
)
def test_a_column_that_contradicts_itself(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        column(**settings)
    assert column().role is Role.TIME
