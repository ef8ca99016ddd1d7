"""From stored transactions to what detectors see: the rules' columns, amounts in one currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.portfolio import Portfolio
from fraudops.portfolio.compliance import Compliance
from fraudops.rules.conversion import Missing, Rates
from fraudops.rules.rows import Rows

_TEXTS = (
    "account",
    "customer",
    "counterparty",
    "counterparty_country",
    "branch",
    "direction",
    "on_behalf_of",
    "channel",
)

PAST = ("account", "counterparty", "direction", "cash")
"""What is read of past transactions, beside id, time and amount."""


@dataclass(frozen=True)
class Shape:
    """Which stored columns the rules' columns are.

    Attributes
    ----------
    stored
        The rules' name → the stored column.
    currency
        The stored column that says the currency, or None: all amounts are in ``fixed``.
    """

    stored: dict[str, str]
    currency: str | None
    fixed: str
    digits: int

    @classmethod
    def of(cls, portfolio: Portfolio, compliance: Compliance) -> Shape:
        """Of a portfolio with a section ``compliance``."""
        stored = {name: portfolio.stored_name(column) for name, column in compliance.columns.given.items()}
        named = portfolio.currency in portfolio.columns
        currency = portfolio.stored_name(portfolio.currency) if named else None
        return cls(stored, currency, portfolio.currency, portfolio.minor_digits)

    def columns(self, names: Sequence[str] | None = None) -> list[str]:
        """Stored columns behind some of the rules' columns (None: all), with id, time and amount."""
        chosen = self.stored.values() if names is None else [self.stored[name] for name in names if name in self.stored]
        always = ["transaction_id", "event_time", "amount_minor", *([self.currency] if self.currency else [])]
        return list(dict.fromkeys([*always, *chosen]))

    def renamed(self, table: pa.Table) -> pa.Table:
        """The rules' columns but for ``base_minor`` and ``current``; what the portfolio does not have is empty."""
        rows = table.num_rows
        found = {name: table[name] for name in ("transaction_id", "event_time", "amount_minor")}
        for name in _TEXTS:
            has = self.stored.get(name) in table.column_names
            found[name] = table[self.stored[name]].cast(pa.string()) if has else pa.nulls(rows, pa.string())
        cash = self.stored.get("cash")
        found["cash"] = pc.fill_null(table[cash], False) if cash else pa.array(np.zeros(rows, dtype=bool))
        if "direction" not in self.stored:
            # Without a direction a payment is one that the customer made.
            found["direction"] = pa.array(["out"] * rows, pa.string())
        found["currency"] = table[self.currency] if self.currency else pa.array([self.fixed] * rows, pa.string())
        return pa.table(found)


def with_base(table: pa.Table, rates: Rates, digits: int) -> tuple[pa.Table, tuple[Missing, ...]]:
    """With ``base_minor``: by the rate of the day (UTC) of each row; 0 where none is known, which is told."""
    days = table["event_time"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    days = days.astype("datetime64[us]").astype("datetime64[D]")
    found = rates.convert(table["amount_minor"].to_numpy(), table["currency"], days, digits)
    return table.append_column("base_minor", pa.array(found.base_minor, pa.int64())), found.missing


def rows_of(tables: Sequence[pa.Table], current: Sequence[bool]) -> Rows:
    """Rows of several partitions, in the order of time; ``current`` says which of them is the one looked at."""
    marked = [
        table.append_column("current", pa.array(np.full(table.num_rows, now)))
        for table, now in zip(tables, current, strict=True)
    ]
    return Rows.of(pa.concat_tables(marked).combine_chunks())
