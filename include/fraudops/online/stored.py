"""Rows of the store as the online state keeps them: a payment of each entity that a transaction names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.online.kinds import Kind, digest_of
from fraudops.portfolio import Portfolio

StoredReport = tuple[bytes, int, str, int, int, bool | None]
"""Entity, moment of the payment, transaction, amount, when it became known, whether it is fraud."""


def columns_of(portfolio: Portfolio, kinds: Sequence[Kind]) -> list[str]:
    """Columns of a partition of transactions that the state needs."""
    amount = ["amount_minor"] if portfolio.has_amount else []
    entities = [column for kind in kinds for column in (*kind.columns, *kind.others.values())]
    return list(dict.fromkeys(["transaction_id", "event_time", *amount, *entities]))


class StoredRows:
    """Some transactions of the store.

    Parameters
    ----------
    table
        With :func:`columns_of`.
    """

    def __init__(self, portfolio: Portfolio, kinds: Sequence[Kind], table: pa.Table) -> None:
        self._portfolio, self._kinds = portfolio.name, kinds
        self.ids: list[str] = table["transaction_id"].to_pylist()
        self.times: list[int] = table["event_time"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        self.amounts: list[int] = table["amount_minor"].to_pylist() if portfolio.has_amount else [0] * len(self.ids)
        self._values = {name: table[name].to_pylist() for name in columns_of(portfolio, kinds)[2:]}

    def copied(self) -> Iterator[str]:
        """Lines for ``copy online_payment (entity, event_time, transaction_id, portfolio, amount_minor, others)``."""
        ids = [escaped(name) for name in self.ids]
        for kind in self._kinds:
            others = self._others(kind)
            for row, entity in enumerate(self.entities(kind)):
                if entity is not None:
                    other = escaped(json.dumps(others(row))) if kind.others else "\\N"
                    yield (
                        f"\\\\x{entity.hex()}\t{self.times[row]}\t{ids[row]}\t{self._portfolio}\t"
                        f"{self.amounts[row]}\t{other}\n"
                    )

    def entities(self, kind: Kind) -> Iterator[bytes | None]:
        """What names each row's entity of a kind; none where a part is missing."""
        known: dict[Any, bytes | None] = {}
        columns = [self._values[column] for column in kind.columns]
        for values in zip(*columns, strict=True) if columns else [()] * len(self.ids):
            entity = known.get(values)
            if entity is None and None not in values:
                entity = known[values] = digest_of(self._portfolio, kind.name, values)
            yield entity

    def _others(self, kind: Kind) -> Any:
        columns = {name: self._values[column] for name, column in kind.others.items()}
        return lambda row: {name: values[row] for name, values in columns.items()}

    def reports(self, known: pd.DataFrame) -> Iterator[StoredReport]:
        """What was said of these transactions, as each of their entities remembers it; in the order of ``known``."""
        row_of: Mapping[str, int] = {name: row for row, name in reversed([*enumerate(self.ids)])}
        entities = [[*self.entities(kind)] for kind in self._kinds if kind.labels]
        moments = known["known_at"].dt.as_unit("us").astype("int64").tolist()
        labels = known["label"].astype(object).tolist()
        for name, moment, label in zip(known["transaction_id"].tolist(), moments, labels, strict=True):
            row = row_of.get(name)
            if row is None:
                continue
            fraud = None if pd.isna(label) else bool(label)
            for own in entities:
                if (entity := own[row]) is not None:
                    yield entity, self.times[row], name, self.amounts[row], moment, fraud


def of_ids(table: pa.Table, ids: pa.Array) -> pa.Table:
    """The rows of some transactions."""
    return table.filter(pc.is_in(table["transaction_id"], value_set=ids))


def escaped(text: str) -> str:
    """A text as ``copy`` reads it."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text
