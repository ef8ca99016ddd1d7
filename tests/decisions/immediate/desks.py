"""A desk for the tests: a state that counts, a champion that follows the amount, arrivals in one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from fraudops.decisions.immediate import Arrival, Champion
from fraudops.explanation import Explanation, explain
from fraudops.features import feature_names
from fraudops.online import Transaction
from fraudops.portfolio import Portfolio
from sqlalchemy import Connection

from tests.decisions.amounts import AmountModel

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ROW = {
    "amount": 10.0, "currency": "EUR", "customer_id": "c1", "terminal_id": "t1", "card_token": "k1", "country": "DE",
    "channel": "online", "amount_minor": 1000,
}  # fmt: skip


class CountingState:
    """Counts what it was given; one feature says how many transactions it has seen before."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio, self.width = portfolio.name, len(feature_names(portfolio))
        self.seen: list[str] = []
        self.uncommitted: list[str] = []
        self.number = 0

    def begin(self, connection: Connection | None, transactions: Sequence[Transaction]) -> None:
        if connection is None:
            return
        new = "insert into online_portfolio values (%s, 0, 0) on conflict do nothing"
        connection.exec_driver_sql(new, (self.portfolio,))
        lock = "select number from online_portfolio where portfolio = %s for update"
        self.number = connection.exec_driver_sql(lock, (self.portfolio,)).scalar_one()

    def add(self, transaction: Transaction) -> list[float]:
        self.uncommitted.append(transaction.id)
        return [float(len(self.seen) + len(self.uncommitted) - 1), *[float("nan")] * (self.width - 1)]

    def finish(self, connection: Connection, numbers: Sequence[int]) -> None:
        assert len(numbers) == len(self.uncommitted)
        move = "update online_portfolio set number = %s where portfolio = %s"
        connection.exec_driver_sql(move, (max(numbers), self.portfolio))

    def committed(self) -> None:
        self.seen += self.uncommitted
        self.uncommitted = []

    def rolled_back(self) -> None:
        self.uncommitted = []


@dataclass
class SlowlyCompiled:
    """A model asked by way of a frame."""

    model: AmountModel
    portfolio: Portfolio

    def frame(self, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        frame = pd.DataFrame(list(rows))
        if "event_time" in frame:
            frame["event_time"] = pd.to_datetime(frame["event_time"])
        return frame

    def score(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        return self.model.score(self.frame(rows))

    def explain(self, rows: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        return explain(self.model, self.frame(rows), self.portfolio)

    def codes(self, explanation: Explanation) -> list[str]:
        return [reason.group for reason in explanation.reasons]


def champion(
    portfolio: Portfolio, model_id: int, *, factor: float = 1.0, version: str = "v1", **model: Any
) -> Champion:
    """A champion that says amount over a thousand."""
    amounts = AmountModel(factor, **model)
    slowly = SlowlyCompiled(amounts, portfolio)
    return Champion(version, model_id, f"{version}-{factor}", amounts, slowly, slowly)  # type: ignore[arg-type]


def arrival(name: str, amount: float, *, time: str = "2026-03-02T11:00", **row: Any) -> Arrival:
    """One transaction."""
    moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
    minor = round(amount * 100)
    values = {**ROW, "amount": amount, "amount_minor": minor, **row}
    raw = json.dumps({"transaction_id": name, "time": time, **values}, sort_keys=True).encode()
    transaction = Transaction(name, int(moment.timestamp()) * 1_000_000, minor, values)
    return Arrival(transaction, raw, hashlib.sha256(raw).hexdigest(), NOW)
