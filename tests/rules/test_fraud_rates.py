"""Fraud rates by value, against sums made by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.reference import stored_schema
from fraudops.rules.fraud_rates import FraudRate, fraud_rates, read_reference
from fraudops.workspace import Workspace

from tests.rules.payments import paid, table

DEFINITION = read_reference(Path(__file__).parents[2] / "include" / "rules")
US = pa.timestamp("us", "UTC")


@pytest.fixture
def plain(store, tmp_path: Path) -> Workspace:
    """A workspace without a database, in which a euro is worth 1.25 dollars."""
    ws = Workspace(store=store, landing=tmp_path, database_url="", token_key=b"t" * 32, ledger_key=b"l" * 32)
    known = datetime(2026, 1, 1, tzinfo=UTC)
    row = {
        "date": date(2025, 12, 31),
        "currency": "EUR",
        "rate": Decimal("1.25"),
        "known_at": known,
        "file": "f",
        "line": 1,
    }
    ws.store.write(
        "rates", "accounts", "2025-12-31", pa.Table.from_pylist([row], schema=stored_schema("rates")), config="c"
    )
    return ws


@pytest.fixture
def accounts(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["accounts"]


def publish(ws: Workspace, key: str, *rows: tuple[str, float], channel: str = "online", direction: str = "out") -> None:
    """Payments of one day, in dollars, by id."""
    paid_then = [
        {"transaction_id": name, **paid(f"{key}T12:00", amount, channel=channel, direction=direction)}
        for name, amount in rows
    ]
    names = {"account": "account_id_token", "customer": "customer_id", "counterparty": "counterparty_account_token"}
    stored = table(paid_then, date(1970, 1, 1)).rename_columns(names).drop_columns(["base_minor", "current"])
    ws.store.write("transactions", "accounts", key, stored, config="c")


def reported(ws: Workspace, key: str, **labels: bool) -> None:
    known = datetime.fromisoformat(key).replace(tzinfo=UTC) + timedelta(days=1)
    content = {
        "transaction_id": pa.array(list(labels), pa.string()),
        "label": pa.array(list(labels.values()), pa.bool_()),
        "reported_at": pa.array([known] * len(labels), US),
        "known_at": pa.array([known] * len(labels), US),
    }
    ws.store.write("labels", "accounts", key, pa.table(content), config="c")


def line(ws: Workspace, accounts: Portfolio, key: str, kind: str, up_to: str | None) -> FraudRate:
    (found,) = [
        one for one in fraud_rates(ws, accounts, DEFINITION, key).lines if (one.kind, one.up_to) == (kind, up_to)
    ]
    return found


def test_value_of_known_fraud_over_value_of_all(plain: Workspace, accounts: Portfolio) -> None:
    # 100 EUR are 125.00 USD: that much is in the first band, a cent more in the second.
    publish(plain, "2026-03-02", ("a", 125.00), ("b", 125.01), ("c", 700.00), ("d", 99.99), ("e", 9_950.00))
    reported(plain, "2026-03-03", a=True, d=False)
    whole = line(plain, accounts, "2026-03-03", "card", None)
    assert (whole.payments, whole.frauds, whole.value, whole.fraud_value) == (5, 1, 1_100_000, 12_500)
    assert whole.rate == Fraction(125, 11_000)
    first = line(plain, accounts, "2026-03-03", "card", "100")
    assert (first.payments, first.value, first.fraud_value) == (2, 22_499, 12_500)
    assert (first.reference, first.overall_within, first.within) == (Fraction(13, 10_000), False, False)
    second = line(plain, accounts, "2026-03-03", "card", "250")
    assert (second.payments, second.value, second.within, second.overall_within) == (1, 12_501, True, False)
    assert line(plain, accounts, "2026-03-03", "card", "500").payments == 0  # 700 USD are 560 EUR
    assert line(plain, accounts, "2026-03-03", "transfer", None).rate is None


def test_exactly_the_reference_is_within(plain: Workspace, accounts: Portfolio) -> None:
    publish(plain, "2026-03-02", ("a", 13.00), ("b", 9_987.00))
    reported(plain, "2026-03-02", a=True)
    assert line(plain, accounts, "2026-03-02", "card", None).rate == Fraction(13, 10_000)
    assert line(plain, accounts, "2026-03-02", "card", "100").overall_within
    assert not line(plain, accounts, "2026-03-02", "card", "250").overall_within


def test_only_what_was_known_counts(plain: Workspace, accounts: Portfolio) -> None:
    publish(plain, "2026-03-02", ("a", 50.00), ("b", 50.00))
    reported(plain, "2026-03-04", a=True)
    reported(plain, "2026-03-06", a=False, b=True)
    reported(plain, "2026-03-07", b=False)
    frauds = [line(plain, accounts, f"2026-03-{day:02d}", "card", None).frauds for day in (2, 3, 4, 5, 6, 7)]
    assert frauds == [0, 0, 1, 1, 1, 0]


def test_ninety_days_are_looked_at(plain: Workspace, accounts: Portfolio) -> None:
    publish(plain, "2026-01-02", ("old", 1_000.00))
    publish(plain, "2026-01-03", ("edge", 10.00))
    publish(plain, "2026-04-02", ("new", 1.00))
    found = fraud_rates(plain, accounts, DEFINITION, "2026-04-02")
    assert (found.first, found.last, found.lines[0].value) == ("2026-01-03", "2026-04-02", 1_100)


def test_money_that_comes_in_and_other_channels_do_not_count(plain: Workspace, accounts: Portfolio) -> None:
    publish(plain, "2026-03-01", ("a", 10.00), direction="in")
    publish(plain, "2026-03-02", ("b", 10.00), channel="branch")
    publish(plain, "2026-03-03", ("c", 10.00), channel="wire")
    assert line(plain, accounts, "2026-03-03", "card", None).payments == 0
    assert line(plain, accounts, "2026-03-03", "transfer", None).payments == 1


def test_before_the_law_or_without_payments_there_is_no_rate(plain: Workspace, accounts: Portfolio) -> None:
    with pytest.raises(ContractError, match="no transactions"):
        fraud_rates(plain, accounts, DEFINITION, "2026-03-02")
