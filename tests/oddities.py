"""Small data sets of odd kinds, each with a signal planted in it: what people bring that is no card payment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

LONGEST_NAME = "How long (in whole days) the account had existed at that time"
QUOTED = """the "merchant's" <b>town</b>"""
UNICODE = "Größe der Überweisung – €"
_BASE: dict[str, Any] = {
    "description": "Made for a test.",
    "owner": "tests",
    "scheduled": False,
    "labels": {"delay": "1d"},
    "training": {
        "window": "3650d",
        "minimum_positives": 10,
        "candidates": {
            "logistic_regression": {"estimator": "logistic_regression"},
            "lightgbm": {"estimator": "lightgbm", "parameters": {"n_estimators": 60}},
        },
    },
    "policy": {"alerts_per_day": 2, "block_precision": 0.8},
    "notices": {"compliance": ["c@example.com"], "data_owner": ["d@example.com"]},
}


@dataclass(frozen=True)
class Oddity:
    """A portfolio and its files.

    Attributes
    ----------
    history, live
        The rows of the first file, and of the one that comes when there is a champion.
    least
        An average precision that a model which found the signal reaches, and one that guesses does not.
    """

    content: dict[str, Any]
    history: pd.DataFrame
    live: pd.DataFrame
    least: float

    def write(self, folder: Path, rows: pd.DataFrame, name: str) -> None:
        """Write rows as the CSV file that the portfolio expects."""
        folder.mkdir(parents=True, exist_ok=True)
        rows.to_csv(folder / f"{name}.csv", index=False)


def _drawn(random: np.random.Generator, odds: np.ndarray) -> np.ndarray:
    return random.random(len(odds)) < 1 / (1 + np.exp(-odds))


def _cut(content: dict[str, Any], rows: pd.DataFrame, live: np.ndarray, least: float) -> Oddity:
    return Oddity({**_BASE, "transactions": {"path": "*.csv"}, **content}, rows[~live], rows[live], least)


def accounts() -> Oddity:
    """Applications for accounts: a month's number for a time; no amount, no id, no entity; truths as words."""
    random = np.random.default_rng(1)
    n = 6_000
    rows = pd.DataFrame(
        {
            "fraud_bool": False,
            "month": np.sort(random.integers(0, 8, n)),
            "income": random.random(n).round(2),
            "credit_risk_score": random.normal(130, 60, n).round(),
            "email_is_free": random.choice(["ja", "nein"], n),
            "housing_status": random.choice(["BA", "BB", "BC", ""], n),
            "keep_alive": random.choice(["on", "off"], n),
        }
    )
    odds = -5 + 0.02 * (rows["credit_risk_score"] - 130) + 2 * (rows["email_is_free"] == "ja")
    rows["fraud_bool"] = np.where(_drawn(random, odds.to_numpy()), "Yes", "No")
    columns = {
        "fraud_bool": {"role": "label", "positive": ["Yes"]},
        "month": {"role": "time", "unit": "month", "origin": "2026-01-01T00:00:00+00:00"},
        "income": {"role": "number"},
        "credit_risk_score": {"role": "number"},
        "email_is_free": {"role": "boolean", "positive": ["ja"], "negative": ["nein"]},
        "housing_status": {"role": "category"},
        "keep_alive": {"role": "boolean", "positive": ["on"], "negative": ["off"]},
    }
    return _cut(
        {"name": "accounts", "title": "Accounts", "columns": columns, "validation": {"learn_from": 0}},
        rows,
        (rows["month"] == 7).to_numpy(),
        0.1,
    )


def claims() -> Oddity:
    """Insurance claims: the time in parts, weeks for partitions, small ones; names of columns that break markup."""
    random = np.random.default_rng(2)
    n = 4_000
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(random.integers(0, 700, n)), unit="D")
    rows = pd.DataFrame(
        {
            "Year": days.year,
            "Month": days.strftime("%b"),
            "WeekOfMonth": (days.day - 1) // 7 + 1,
            "DayOfWeek": days.strftime("%A"),
            QUOTED: random.choice(["Acura & Sons", "<Ford>", '"Fiat"'], n),
            LONGEST_NAME: random.integers(0, 900, n),
            "Fault": random.choice(["Policy Holder", "Third Party"], n),
            "Agent": [f"agent {number}" for number in random.integers(0, 30, n)],
        }
    )
    odds = -4.5 + 2.5 * (rows["Fault"] == "Policy Holder") + 1.5 * (rows[QUOTED] == "<Ford>")
    odds -= rows[LONGEST_NAME] / 300
    rows["FraudFound_P"] = _drawn(random, odds.to_numpy() + 1).astype(int)
    columns = {
        "event": {
            "role": "time",
            "parts": {"year": "Year", "month": "Month", "week": "WeekOfMonth", "weekday": "DayOfWeek"},
        },
        QUOTED: {"role": "category"},
        LONGEST_NAME: {"role": "number", "minimum": 0},
        "Fault": {"role": "category"},
        "Agent": {"role": "entity", "entity": "agent"},
        "FraudFound_P": {"role": "label"},
    }
    features = {
        "calendar": ["weekday"],
        "behaviour": [
            {"entity": "agent", "windows": ["28d"], "aggregates": ["count", "fraud_rate"]},
            {"entity": "agent", "aggregates": ["seconds_since_last"]},
        ],
    }
    return _cut(
        {
            "name": "claims",
            "title": "Claims <b>of cars</b>",
            "partition_hours": 168,
            "labels": {"delay": "14d"},
            "columns": columns,
            "features": features,
        },
        rows,
        np.asarray(days >= pd.Timestamp("2025-11-17")),
        0.2,
    )


def wide() -> Oddity:
    """Payments with many columns, mostly missing, and of a hundred shops and of a thousand devices."""
    random = np.random.default_rng(3)
    n, numbers = 5_000, 120
    shop = random.integers(0, 120, n)
    bad = np.arange(120) % 12 == 0
    seconds = np.sort(random.integers(0, 20 * 86_400, n))
    values = random.normal(size=(n, numbers))
    # Blocks of columns are missing together, the last of them nearly always; one column never has a value.
    for block in range(0, numbers, 20):
        values[random.random(n) < block / numbers + 0.15, block : block + 20] = np.nan
    values[:, 7] = np.nan
    values[:, 9] = 3.0
    amount = np.exp(random.normal(3, 1, n)).round(2)
    odds = -4.8 + 3.5 * bad[shop] + np.nan_to_num(values[:, 2]) + 0.8 * (np.log(amount) - 3)
    rows = pd.DataFrame(
        {
            "TransactionID": [f"T{number}" for number in range(n)],
            "isFraud": _drawn(random, odds).astype(int),
            "TransactionDT": seconds,
            UNICODE: amount,
            "curr": random.choice(["EUR", "USD", ""], n),
            "shop": [f"s{number}" for number in shop],
            "device": [f"d{number}" for number in random.integers(0, 1_500, n)],
            "card1": random.integers(1, 400, n),
            "card2": random.integers(1, 4, n),
            "M1": random.choice(["T", "F", ""], n),
            **{f"V{number + 1}": values[:, number].round(4) for number in range(numbers)},
        }
    )
    columns = {
        "TransactionID": {"role": "id"},
        "isFraud": {"role": "label"},
        "TransactionDT": {"role": "time", "origin": "2026-02-01T00:00:00+00:00"},
        UNICODE: {"role": "amount"},
        "curr": {"role": "category"},
        "shop": {"role": "category"},
        "device": {"role": "category"},
        "card": {"role": "entity", "join": ["card1", "card2"]},
        "M1": {"role": "boolean", "positive": ["T"], "negative": ["F"]},
        f"V{{1..{numbers}}}": {"role": "number"},
    }
    features = {
        "calendar": ["hour"],
        "behaviour": [{"entity": "card", "windows": ["7d"], "aggregates": ["count", "amount_ratio"]}],
    }
    return _cut(
        {
            "name": "wide",
            "title": "Wide",
            "columns": columns,
            "features": features,
            "currency": "curr",
            "labels": {"delay": "2d"},
        },
        rows,
        seconds >= 19 * 86_400,
        0.25,
    )


def bare() -> Oddity:
    """One number and a label: no time, no amount, no id."""
    random = np.random.default_rng(4)
    n = 3_000
    measured = random.normal(size=n).round(4)
    state = np.where(_drawn(random, -4 + 2 * measured), "attack", "normal")
    rows = pd.DataFrame({"measured": measured, "state": state})
    columns = {
        "moment": {"role": "time", "rows_per_day": 100, "origin": "2026-01-01T00:00:00+00:00"},
        "measured": {"role": "number"},
        "state": {"role": "label", "positive": ["attack"], "negative": ["normal"]},
    }
    content = {"name": "bare", "title": "Bare", "columns": columns}
    return _cut(content, rows, np.zeros(n, dtype=bool), 0.2)


ODDITIES: dict[str, Callable[[], Oddity]] = {"accounts": accounts, "claims": claims, "wide": wide, "bare": bare}
