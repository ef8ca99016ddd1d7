"""Fraud rates by value of remote payments, as of what was known (Regulation (EU) 2018/389, article 19).

The rate of a type of payment (remote card payments, remote credit transfers) is the value of those that were known to
be fraud, whether or not the money was recovered, over the value of all of them, in the 90 days up to a partition. It is
compared with the reference rate of each exemption threshold value; the rate within each band of amounts is given beside
it. Only payments out of an account count, where the portfolio tells in from out.

Nothing is stored: a table is computed anew from the transactions and the reports, and is the same whenever it is
computed for the same partition, unless late rows or reports of that time arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops import reference
from fraudops.errors import ContractError
from fraudops.labels import known_frauds
from fraudops.portfolio import Portfolio
from fraudops.rules.conversion import Rates
from fraudops.rules.definition import RuleDefinition, read_definition
from fraudops.rules.loading import Shape, with_base
from fraudops.rules.numbers import Numbers
from fraudops.rules.running import section

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

TYPES = {"card": "remote card payments", "transfer": "remote credit transfers"}
_BANDS = ("100", "250", "500")


@dataclass(frozen=True)
class FraudRate:
    """One line of the table; amounts in minor units of the portfolio's compliance currency.

    Attributes
    ----------
    kind
        Key of :data:`TYPES`.
    up_to
        Exemption threshold value in euros, as text; None for all payments of the kind.
    payments, frauds
        How many.
    value, fraud_value
        Their value.
    reference
        Reference rate; None for all payments.
    overall_within, within
        Whether the rate of all payments of the kind, and that of those in this band (more than the band before, at
        most ``up_to``), is not above the reference; None where there is nothing to compare.
    """

    kind: str
    up_to: str | None
    payments: int
    frauds: int
    value: int
    fraud_value: int
    reference: Fraction | None
    overall_within: bool | None
    within: bool | None

    @property
    def rate(self) -> Fraction | None:
        """Exact; None where nothing was paid."""
        return Fraction(self.fraud_value, self.value) if self.value else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; rates as decimals."""
        numbers = {
            name: None if of is None else float(of) for name, of in (("rate", self.rate), ("ref", self.reference))
        }
        return asdict(self) | {"rate": numbers["rate"], "reference": numbers["ref"]}


@dataclass(frozen=True)
class FraudRates:
    """The table of a partition.

    Attributes
    ----------
    first, last
        First and last partition that was looked at.
    unconverted
        Payments without a known rate of exchange, which are in no line.
    """

    first: str
    last: str
    lines: tuple[FraudRate, ...]
    unconverted: int


def read_reference(rules: Path) -> RuleDefinition:
    """Reference rates by date, from the folder of the rules."""
    return read_definition(rules / "rates" / "psd2_fraud_rates.yaml")


def fraud_rates(ws: Workspace, portfolio: Portfolio, definition: RuleDefinition, key: str) -> FraudRates:
    """The fraud rates as they were known at the end of a partition.

    Raises
    ------
    ContractError
        The portfolio has no section ``compliance`` or no column for the channel, there are no transactions, or the
        reference rates are not in force on that day.
    """
    compliance, partitioning = section(portfolio), portfolio.partitioning
    shape = Shape.of(portfolio, compliance)
    if "channel" not in shape.stored:
        raise ContractError("no column says the channel", where=portfolio.name, remedy="name it in compliance.columns")
    as_of, day = partitioning.end(key), partitioning.start(key).date()
    rates = Rates.of(reference.rates(ws, portfolio, as_of), compliance.currency)
    numbers = Numbers(definition, day, to_minor=rates.minor)
    earliest = as_of.timestamp() - numbers.whole("window_days") * 86_400
    keys = [
        k
        for k in ws.store.keys("transactions", portfolio.name)
        if k <= key and partitioning.start(k).timestamp() >= earliest
    ]
    if not keys:
        raise ContractError(
            "no transactions in these days", where=f"{portfolio.name} {key}", remedy="ingest them first"
        )
    frauds = pa.array(known_frauds(ws, portfolio, as_of=as_of), pa.string())
    counted = _Count.empty(len(_BANDS) + 1)
    for k in keys:
        table = shape.renamed(ws.store.read_partition("transactions", portfolio.name, k).select(shape.columns()))
        counted.add(with_base(table, rates, shape.digits)[0], frauds, numbers)
    return FraudRates(keys[0], keys[-1], tuple(_lines(counted, numbers)), counted.unconverted)


@dataclass
class _Count:
    """Payments and value, of all and of frauds, by kind and band; the last band is what is above them all."""

    sums: dict[str, np.ndarray]
    unconverted: int = 0

    @classmethod
    def empty(cls, bands: int) -> _Count:
        return cls({kind: np.zeros((bands, 4), dtype=np.int64) for kind in TYPES})

    def add(self, table: pa.Table, frauds: pa.Array, numbers: Numbers) -> None:
        table = table.filter(pc.equal(table["direction"], "out"))
        for kind in TYPES:
            channels = pa.array(numbers.texts(f"{kind}_channels"), pa.string())
            chosen = table.filter(pc.is_in(table["channel"], value_set=channels))
            base = np.abs(chosen["base_minor"].to_numpy())
            self.unconverted += int(((base == 0) & (chosen["amount_minor"].to_numpy() != 0)).sum())
            edges = [numbers.minor(f"band_{band}") for band in _BANDS]
            band = np.searchsorted(edges, base, side="left")
            known = pc.is_in(chosen["transaction_id"], value_set=frauds).to_numpy()
            for place, values in enumerate((np.ones_like(base), known.astype(np.int64), base, base * known)):
                np.add.at(self.sums[kind][:, place], band, values)


def _lines(counted: _Count, numbers: Numbers) -> Iterator[FraudRate]:
    for kind, sums in counted.sums.items():
        whole = sums.sum(axis=0)
        yield _line(kind, None, whole, None, None, None)
        for place, band in enumerate(_BANDS):
            limit = numbers.exact(f"{kind}_rate_{band}")
            yield _line(kind, band, sums[place], limit, _within(whole, limit), _within(sums[place], limit))


def _line(
    kind: str, up_to: str | None, sums: np.ndarray, limit: Fraction | None, overall: bool | None, within: bool | None
) -> FraudRate:
    payments, frauds, value, fraud_value = (int(number) for number in sums)
    return FraudRate(kind, up_to, payments, frauds, value, fraud_value, limit, overall, within)


def _within(sums: np.ndarray, limit: Fraction) -> bool | None:
    value, fraud = int(sums[2]), int(sums[3])
    return Fraction(fraud, value) <= limit if value else None
