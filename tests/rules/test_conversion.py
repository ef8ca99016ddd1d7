"""Amounts in another currency: exact to the minor unit, against Decimal."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pyarrow as pa
import pytest
from fraudops.errors import ContractError
from fraudops.portfolio.iso import minor_digits
from fraudops.rules.conversion import Missing, Rates
from hypothesis import given, settings
from hypothesis import strategies as st


def rates(*rows: tuple[str, str, str], to: str = "USD") -> Rates:
    days, codes, values = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table(
        {
            "date": pa.array([date.fromisoformat(day) for day in days], pa.date32()),
            "currency": pa.array(codes, pa.string()),
            "rate": pa.array([Decimal(value) for value in values], pa.decimal128(18, 8)),
        }
    )
    return Rates.of(table, to)


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


@pytest.mark.parametrize(
    ("minor", "currency", "rate", "expected", "why"),
    [
        (1_000_000, "USD", None, 1_000_000, "its own currency"),
        (925_926, "EUR", "1.08", 1_000_000, "9,259.26 EUR are 10,000.0008 USD: not more than 10,000.00"),
        (925_927, "EUR", "1.08", 1_000_001, "9,259.27 EUR are 10,000.0116 USD"),
        (1_500_000, "JPY", "0.00666667", 1_000_001, "1,500,000 JPY (no minor unit) are 10,000.005 USD: half goes up"),
        (1_499_999, "JPY", "0.00666667", 1_000_000, "9,999.998"),
        (3_070_000, "KWD", "3.26", 1_000_820, "3,070.000 KWD (three digits) are 10,008.20 USD"),
        (-925_927, "EUR", "1.08", -1_000_001, "a sign changes nothing"),
        (1, "EUR", "1.5", 2, "1.5 cents: half goes away from zero"),
        (-1, "EUR", "1.5", -2, "in both directions"),
        (0, "EUR", "1.08", 0, "nothing"),
    ],
)
def test_it_is_what_a_person_computes(minor: int, currency: str, rate: str | None, expected: int, why: str) -> None:
    known = rates(("2026-03-02", currency, rate)) if rate else rates()
    found = known.convert(np.array([minor]), pa.array([currency]), days("2026-03-05"))
    assert found.require("2026-03-05").tolist() == [expected], why


def test_the_latest_rate_at_or_before_the_day_counts() -> None:
    known = rates(("2026-03-04", "EUR", "1.20"), ("2026-03-02", "EUR", "1.10"), ("2026-03-02", "GBP", "1.30"))
    found = known.convert(
        np.full(5, 100), pa.array(["EUR", "EUR", "EUR", "GBP", None]),
        days("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-09", "2026-03-01"),
    )  # fmt: skip
    assert found.base_minor.tolist() == [110, 110, 120, 130, 100]
    assert known.on("EUR", date(2026, 3, 3)) == Decimal("1.1")
    assert known.on("EUR", date(2026, 3, 1)) is None
    assert known.on("USD", date(2026, 3, 1)) == 1


def test_a_row_without_a_rate_is_marked_and_stops_nothing() -> None:
    known = rates(("2026-03-04", "EUR", "1.20"))
    found = known.convert(
        np.array([100, 100, 100, 100]), pa.array(["EUR", "EUR", "CHF", "USD"]),
        days("2026-03-03", "2026-03-04", "2026-03-05", "2026-03-01"),
    )  # fmt: skip
    assert found.known.tolist() == [False, True, False, True]
    assert found.base_minor.tolist() == [0, 120, 0, 100]
    assert found.missing == (Missing("CHF", 1, date(2026, 3, 5)), Missing("EUR", 1, date(2026, 3, 3)))
    with pytest.raises(ContractError, match=r"2026-03-05.*CHF.*feeds\.md"):
        found.require("2026-03-05")


def test_one_amount_is_as_many() -> None:
    known = rates(("2026-03-04", "EUR", "1.08"))
    assert known.minor(Decimal("9259.27"), "EUR", date(2026, 3, 4)) == 1_000_001
    assert known.minor(Decimal("10000"), "USD", date(2026, 3, 4)) == 1_000_000
    with pytest.raises(ContractError, match="CHF"):
        known.minor(Decimal(1), "CHF", date(2026, 3, 4))


def test_a_portfolio_that_stores_every_currency_with_two_digits_says_so() -> None:
    known = rates(("2026-03-04", "JPY", "0.01"))
    amount, currency, day = np.array([150_000]), pa.array(["JPY"]), days("2026-03-04")
    assert known.convert(amount, currency, day).base_minor.tolist() == [150_000]
    assert known.convert(amount, currency, day, digits=2).base_minor.tolist() == [1_500]


def test_nonsense_is_refused() -> None:
    with pytest.raises(ContractError, match="EUR"):
        rates(("2026-03-04", "EUR", "0"))
    with pytest.raises(ContractError, match="USD"):
        rates(("2026-03-04", "USD", "1.01"))
    with pytest.raises(ContractError, match="64 bits"):
        rates(("2026-03-04", "EUR", "99")).convert(np.array([2**62]), pa.array(["EUR"]), days("2026-03-04"))


@settings(max_examples=200, deadline=None)
@given(
    st.integers(-(10**17), 10**17),
    st.integers(1, 10**14),
    st.sampled_from(["EUR", "JPY", "KWD", "CLF"]),
    st.sampled_from(["USD", "JPY", "BHD"]),
)
def test_it_agrees_with_decimal(amount: int, scaled: int, currency: str, to: str) -> None:
    if currency == to:
        return
    rate = Decimal(scaled).scaleb(-8)
    units = Decimal(amount).scaleb(-minor_digits(currency)) * rate
    expected = int(units.scaleb(minor_digits(to)).to_integral_value(ROUND_HALF_UP))
    if abs(expected) >= 2**63:
        return
    known = Rates(to, {currency: days("2026-03-04")}, {currency: [scaled]})
    # The small one beside it decides whether whole columns are computed in 64 bits.
    for amounts in ([amount], [amount, 1]):
        found = known.convert(
            np.array(amounts), pa.array([currency] * len(amounts)), days("2026-03-04").repeat(len(amounts))
        )
        assert found.base_minor[0] == expected


def test_digits_of_minor_units() -> None:
    assert [minor_digits(code) for code in ("EUR", "JPY", "BHD", "UYW", "ISK", "OMR")] == [2, 0, 3, 4, 0, 3]
