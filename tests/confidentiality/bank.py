"""A small bank whose customers nobody else is called like, and whose numbers nobody else has.

On the day after :data:`LAST` a third of the rows cannot be used, and validation refuses them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import yaml
from fraudops.portfolio import Portfolio, load_portfolio

DAYS = 30
LAST = date(2026, 3, 6)
FIRST = LAST - timedelta(days=DAYS - 1)
NAMES = ("Quintavia Zarnovelli", "Ottokar Brzeszczot", "Ümmügül Çağlayan-Wexx", "Phrygia Holdings Umbrafax")
ALIASES = ("Quinzi Zarno-Velli", "O. Brzeszczotek")
ACCOUNTS = ("XQ77990011223301", "XQ77990011223302", "XQ77990011223303", "XQ77990011223304")
PARTNERS = ("ZW55880022334401", "ZW55880022334402")
CARDS = ("4999990011223341", "4999990011223358", "4999990011223366", "4999990011223374")
BIRTHDAYS = ("1961-07-17", "1973-11-29")
CANARIES = (*NAMES, *ALIASES, *ACCOUNTS, *PARTNERS, *CARDS)
"""Birthdays are no canaries of their own: a date may be any date."""


@dataclass(frozen=True)
class Money:
    """One movement."""

    at: str
    amount: str
    who: int
    partner: int | None
    direction: str
    cash: bool


def portfolio(yaml_file: Path, folder: Path) -> Portfolio:
    """The portfolio `accounts`, with a card and a name in each row, and one quick candidate."""
    content = yaml.safe_load(yaml_file.read_text())
    content["columns"] |= {
        "card_number": {"role": "card", "entity": "card"},
        "customer_name": {"role": "personal"},
    }
    content["features"] = {"calendar": ["hour", "night"], "behaviour": content["features"]["behaviour"][:1]}
    content["validation"] = {"minimum_rows": 5, "learn_after": 90, "learn_from": 90}
    content["labels"]["delay"] = "3d"
    training = content["training"]
    training["candidates"] = {"logistic_regression": training["candidates"]["logistic_regression"]}
    training["minimum_positives"] = 4
    # A model on a hundred rows would not pass; what is looked for here is where its promotion is told.
    none = {"factor": None, "slope": None}
    content["promotion"]["gates"] = {"savings_margin": None, "recall_loss": None, "calibration": none}
    content["policy"]["alerts_per_day"] = 5
    content["notices"]["immediate_limit"] = 3
    # Its days are of the past, and their clocks are to start all the same.
    content["filings"]["since"] = None
    path = folder / "accounts.yaml"
    path.write_text(yaml.safe_dump(content))
    return load_portfolio(path)


def write(landing: Path) -> None:
    """All files of the bank: movements and reports by the day, customers, a list with one of them, odd rows."""
    landing.mkdir(parents=True)
    number = 0
    for offset in range(DAYS + 1):
        day = FIRST + timedelta(days=offset)
        rows, reports = [], []
        for money in _movements(day):
            number += 1
            rows.append(_row(number, money))
            if money.amount.startswith("9"):
                reports.append([f"T{number:06d}", f"{day + timedelta(days=1)}T08:00:00Z", "1"])
        if day > LAST:
            # What cannot be used must not be told either: it goes to quarantine, to the data owner, into messages.
            rows.append([*_row(number + 1, _movements(day)[0])[:2], "much", *_row(number + 1, _movements(day)[0])[3:]])
            rows.append(_row(number, _movements(day)[0])[:6])
            rows.append(["", *_row(number, _movements(day)[1])[1:]])
        _csv(landing / f"transactions_{day}.csv", _HEADER, rows)
        _csv(landing / f"reports_{day + timedelta(days=1)}.csv", ["transaction_id", "reported_at", "label"], reports)
    first = FIRST.isoformat()
    _csv(landing / f"customers_{first}.csv", _CUSTOMER, [_customer(n) for n in range(4)] + [["C9", "wolf", NAMES[1]]])
    # The list may say whom it likes: it is spelled otherwise, and a rule has to find the customer all the same.
    entry = ["2026-1", "WL1", "Kuintavia Zarnoveli", "", BIRTHDAYS[0], "VE", "INVENTED"]
    listed = ["list_version", "entry_id", "name", "aliases", "date_of_birth", "country", "program"]
    _csv(landing / f"watchlist_{first}.csv", listed, [entry])
    _csv(landing / f"holidays_{first}.csv", ["date", "name", "jurisdiction"], [["2026-01-01", "New Year", "US"]])


_HEADER = [
    "transaction_id", "event_time", "amount", "currency", "account_id", "customer_id", "counterparty_account",
    "counterparty_country", "branch", "direction", "cash", "on_behalf_of", "channel", "card_number", "customer_name",
]  # fmt: skip
_CUSTOMER = [
    "customer_id", "kind", "name", "aliases", "date_of_birth", "address_country", "risk_rating", "risk_rated_on",
    "documents", "opened_on",
]  # fmt: skip


def _movements(day: date) -> list[Money]:
    """Ten everyday movements, two large ones at night; cash that rules look at on the last day."""
    usual = [
        Money(f"{day}T{8 + n:02d}:1{n % 6}:00Z", f"{20 + 7 * n}.50", n % 4, n % 2, "out", cash=False) for n in range(10)
    ]
    odd = [Money(f"{day}T02:0{n}:00Z", f"9{n}00.00", n, 1, "out", cash=False) for n in range(2)]
    cash = [Money(f"{day}T15:3{n}:00Z", "6500.00", 3, None, "in", cash=True) for n in range(2)] if day == LAST else []
    return [*usual, *odd, *cash]


def _row(number: int, money: Money) -> list[str]:
    partner = "" if money.partner is None else PARTNERS[money.partner]
    return [
        f"T{number:06d}", money.at, money.amount, "USD", ACCOUNTS[money.who], f"C{money.who}", partner,
        "IR" if partner else "", "B1" if money.cash else "", money.direction, str(money.cash).lower(), "",
        "branch" if money.cash else "transfer", CARDS[money.who], NAMES[money.who],
    ]  # fmt: skip


def _customer(number: int) -> list[str]:
    aliases = "|".join(ALIASES[number : number + 1])
    birthday = BIRTHDAYS[number] if number < 2 else ""
    kind = "business" if number == 3 else "person"
    return [f"C{number}", kind, NAMES[number], aliases, birthday, "US", "low", "2025-01-01", "", "2019-01-01"]


def _csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
