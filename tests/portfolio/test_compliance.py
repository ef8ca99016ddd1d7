"""The section ``compliance``: what it says, and what in it does not go together."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest
from fraudops.errors import ConfigurationError
from fraudops.portfolio import Portfolio, load_portfolio

ACCOUNTS = Path(__file__).resolve().parents[2] / "include" / "portfolios" / "accounts.yaml"


def test_account_numbers_are_stored_as_tokens_and_are_entities(portfolios: dict[str, Portfolio]) -> None:
    accounts = portfolios["accounts"]
    assert accounts.stored_name("account_id") == "account_id_token"
    assert accounts.entities["counterparty"] == "counterparty_account_token"
    assert [feed for feed, _ in accounts.watched] == [
        "transactions", "labels", "customers", "watchlist", "holidays", "rates",
    ]  # fmt: skip
    assert accounts.compliance is not None
    assert accounts.compliance.cutoff_time == time(18)
    assert portfolios["cards"].compliance is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("account: account_id\n", "account: customer_id\n", "'customer_id' has role 'entity'.*'account'"),
        ("branch: branch\n", "branch: shop\n", "there is no column 'shop'"),
        ("counterparty: counterparty_account", "counterparty: account_id", "'account_id' is the account already"),
        ("jurisdiction: US", "jurisdiction: UK", "compliance.jurisdiction"),
        ("timezone: America/New_York", "timezone: New York", "there is no such time zone"),
        ('cutoff: "18:00"', "cutoff: 18:00", "write it with quotation marks"),
        ('cutoff: "18:00"', 'cutoff: "24:00"', "compliance.cutoff"),
        ("  currency: USD ", "  currency: Dollar ", "compliance.currency"),
        ("holidays_{key}.csv*", "holidays.csv", "nothing says when a file of this name arrived"),
        ("rates_{key}.csv*", "holidays_{key}.csv*", "another feed has the same files"),
        ('rates: {path: "rates_{key}.csv*", simulator: true}', "rates: {table: fx, connection: bank}", "in files"),
        ('path: "rates_{key}.csv*"', 'path: "rates_{key}.csv*", columns: {fx: r}', "none of our columns is called"),
        ("    off: []", "    of: []", "compliance.rules.of"),
    ],
)
def test_what_does_not_go_together_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = ACCOUNTS.read_text()
    assert old in text
    file = tmp_path / "accounts.yaml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=message):
        load_portfolio(file)


def test_what_is_still_in_force_is_not_removed(portfolios: dict[str, Portfolio]) -> None:
    content = portfolios["accounts"].model_dump(mode="json", exclude_defaults=True)
    with pytest.raises(ValueError, match=r"retention.reference: .*still in force"):
        Portfolio.model_validate({**content, "retention": {"reference": "400d"}})
    content["compliance"]["reference_lookback"] = "35d"
    whole_each_month = Portfolio.model_validate({**content, "retention": {"reference": "400d"}})
    assert whole_each_month.retention.reference == timedelta(days=400)


def test_the_word_off_may_stand_without_quotation_marks(portfolios: dict[str, Portfolio]) -> None:
    content = portfolios["accounts"].model_dump(mode="json", exclude_defaults=True)
    content["compliance"]["rules"] = {False: ["velocity"]}  # as YAML reads it
    compliance = Portfolio.model_validate(content).compliance
    assert compliance is not None
    assert compliance.rules.off == ("velocity",)
