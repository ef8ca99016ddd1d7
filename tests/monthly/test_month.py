"""Months and the partitions that belong to them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fraudops.errors import ContractError
from fraudops.monthly.month import Month, folder_of, partitions_of
from fraudops.portfolio import Partitioning
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.keeping.conftest import portfolio_of

MONTHS = st.builds(lambda year, month: Month(f"{year}-{month:02d}"), st.integers(1999, 2060), st.integers(1, 12))


@settings(deadline=None, max_examples=15)
@given(MONTHS, st.sampled_from([6, 24, 168]))
def test_every_partition_belongs_to_one_month(month: Month, hours: int) -> None:
    cut = Partitioning(hours)
    keys = month.partitions(cut)
    assert {Month.of(cut.start(key)) for key in keys} == {month}
    following = Month.of(month.end)
    assert following.before == month
    assert cut.end(keys[-1]) == cut.start(following.partitions(cut)[0]) == month.as_of(cut)


def test_a_leap_year_and_the_end_of_a_year() -> None:
    assert len(Month("2028-02").partitions(Partitioning(24))) == 29
    assert Month("2026-12").end == datetime(2027, 1, 1, tzinfo=UTC)
    assert folder_of(Month("2026-12"), Month("2026-12").end) == "2026-12_as-of-2027-01-01T00"


def test_a_week_belongs_to_the_month_of_its_monday() -> None:
    weeks = Month("2026-03").partitions(Partitioning(168))
    assert weeks == ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30"]
    assert Month("2026-03").as_of(Partitioning(168)) == datetime(2026, 4, 6, tzinfo=UTC)


def test_nothing_is_expected_outside_of_the_portfolio() -> None:
    portfolio = portfolio_of(start="2026-03-03T00:00:00+00:00", end="2026-03-05T00:00:00+00:00")
    assert partitions_of(portfolio, Month("2026-03")) == ["2026-03-03", "2026-03-04"]


@pytest.mark.parametrize("text", ["2026-13", "2026-3", "March", "2026-03-01", "", "../x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="is not a month"):
        Month.parse(text)
