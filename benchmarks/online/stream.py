"""Simulated card payments as they arrive: mostly in order, some late, some again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from fraudops.intake.simulator.world import World, simulate
from fraudops.online import Transaction
from fraudops.online.reports import Report

START = date(2026, 1, 1)
_LATE, _AGAIN = 0.03, 0.01
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Stream:
    """What arrives.

    Attributes
    ----------
    history
        All payments, sorted by (event_time, transaction_id), as the batch reads them.
    known
        What is said of them, as :func:`fraudops.labels.reports` returns it.
    transactions
        The payments, in the order of the history.
    arrivals
        Positions in the history, in the order of arrival; one that comes again is there twice.
    """

    history: pa.Table
    known: pd.DataFrame
    transactions: list[Transaction]
    arrivals: list[int]

    @property
    def reports(self) -> list[Report]:
        """What is said, as the online state takes it."""
        by_id = {t.id: t for t in self.transactions}
        moments = self.known["known_at"].dt.as_unit("us").astype("int64")
        pairs = zip(self.known["transaction_id"], moments, strict=True)
        named = [(by_id[name], moment) for name, moment in pairs if name in by_id]
        return [Report(t.id, t.event_time, t.amount_minor or 0, moment, True) for t, moment in named]


def stream(events: int, *, days: int = 50, seed: int = 42) -> Stream:
    """Simulate payments.

    Parameters
    ----------
    events
        How many arrivals, roughly.
    days
        Over which they are spread.
    """
    world = World(start=START, seed=seed, payments_per_day=round(events / days))
    last = START + timedelta(days=days - 1)
    table = pa.concat_tables([simulate(world, day).table() for day in world.days(START, last)])
    history = pa.table(
        {
            "transaction_id": table["tx_id"],
            "event_time": table["tx_time"],
            "amount_minor": pc.multiply(table["amount"], 100).cast(pa.decimal128(20, 0), safe=False).cast(pa.int64()),
            "customer_id": table["customer_id"],
            "terminal_id": table["terminal_id"],
            "card_token": table["card_number"],
        }
    ).sort_by([("event_time", "ascending"), ("transaction_id", "ascending")])
    times = history["event_time"].cast(pa.int64()).to_numpy()
    return Stream(history, _known(world, last), _transactions(history, times), _arrivals(times, seed))


def _known(world: World, last: date) -> pd.DataFrame:
    said = world.chargebacks(START, last)
    return pd.DataFrame(
        {
            "transaction_id": said["transaction_id"],
            "label": pd.array([True] * len(said), dtype="boolean"),
            # The end of the day on which the report arrived.
            "known_at": (said["reported_at"].dt.floor("D") + timedelta(days=1)).dt.as_unit("us"),
        }
    ).sort_values(["known_at", "transaction_id"], kind="stable", ignore_index=True)


def _transactions(history: pa.Table, times: np.ndarray) -> list[Transaction]:
    entities = ["customer_id", "terminal_id", "card_token"]
    rows = [
        dict(zip(entities, row, strict=True)) for row in zip(*(history[n].to_pylist() for n in entities), strict=True)
    ]
    columns = zip(
        history["transaction_id"].to_pylist(), times.tolist(), history["amount_minor"].to_pylist(), rows, strict=True
    )
    return [Transaction(*row) for row in columns]


def _arrivals(times: np.ndarray, seed: int) -> list[int]:
    """Most come at once; some up to three days late, most of these within hours; some come again within a day."""
    random = np.random.default_rng(seed)
    late = np.where(random.random(len(times)) < _LATE, 3 * _DAY * random.random(len(times)) ** 4, 0)
    moments = times + late.astype(np.int64)
    again = np.flatnonzero(random.random(len(times)) < _AGAIN)
    positions = np.concatenate([np.arange(len(times)), again])
    moments = np.concatenate([moments, moments[again] + random.integers(1, _DAY, len(again))])
    found: list[int] = positions[np.argsort(moments, kind="stable")].tolist()
    return found
