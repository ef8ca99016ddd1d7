"""A bank with a given number of transactions a day: six months of it in a store, without its everyday stories."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.reference import stored_schema
from fraudops.rules import CASH, PROFILES
from fraudops.rules.profiles import Profiler
from fraudops.rules.running import section
from fraudops.store import Manifest, Store
from fraudops.workspace import Workspace

from benchmarks.processes import CHECKOUT

LAST = date(2026, 6, 30)
REAL_DAYS = 43
"""Days of which transactions are read: the longest look-back of a rule, and the day itself."""
DIFFERENT = 3
"""Days of the past that are really different."""
ALL_DAYS = 181
"""Days of which sums are read; the older ones share their files."""
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Bank:
    """Its size."""

    rows: int
    seed: int = 42

    @property
    def accounts(self) -> int:
        """One for every two transactions of a day."""
        return max(100, self.rows // 2)

    def transactions(self, day: date) -> pa.Table:
        """A day as the store has it: salaries, purchases, transfers, an eighth of it cash, some of it abroad."""
        n, rng = self.rows, np.random.default_rng((self.seed, day.toordinal()))
        start = (day - date(1970, 1, 1)).days * _DAY_US
        times = np.sort(start + rng.integers(0, _DAY_US, n))
        account = rng.integers(0, self.accounts, n)
        cash = rng.random(n) < 0.125
        incoming = rng.random(n) < 0.3
        amount = np.exp(rng.normal(8.0, 1.2, n)).astype(np.int64) + 100
        salaries = incoming & (rng.random(n) < 0.1)
        amount[salaries] = rng.integers(150_000, 600_000, int(salaries.sum()))
        names, holders = _numbered("{:032x}", self.accounts), _numbered("C{:08d}", self.accounts)
        branches = pa.array([f"B{number:03d}" for number in range(300)])
        countries = pa.array(["US", "CA", "MX", "GB", "DE"])
        abroad = np.where(rng.random(n) < 0.01, rng.integers(1, 5, n), 0)
        behalf = rng.random(n) < 0.01
        moments = pa.array(times, pa.int64()).cast(pa.timestamp("us", "UTC"))
        return pa.table(
            {
                "transaction_id": _numbered("T{:010d}", n),
                "event_time": moments,
                "amount": pa.array(amount / 100),
                "amount_minor": pa.array(amount),
                "currency": pa.array(["USD", "EUR"]).take(pa.array((rng.random(n) < 0.02).astype(np.int64))),
                "account_id_token": names.take(pa.array(account)),
                "customer_id": holders.take(pa.array(account // 2 * 2)),
                "counterparty_account_token": _unless(
                    cash, names.take(pa.array(rng.integers(0, self.accounts // 4, n)))
                ),
                "counterparty_country": _unless(cash, countries.take(pa.array(abroad))),
                "branch": _unless(~cash, branches.take(pa.array(rng.integers(0, 300, n)))),
                "direction": pa.array(["out", "in"]).take(pa.array(incoming.astype(np.int64))),
                "cash": pa.array(cash),
                "on_behalf_of": _unless(~(cash & behalf), holders.take(pa.array(rng.integers(0, self.accounts, n)))),
                "channel": pa.array(["transfer", "branch"]).take(pa.array(cash.astype(np.int64))),
            }
        )


def workspace(folder: Path) -> Workspace:
    """Where the bank is kept; nothing needs a database."""
    return Workspace(Store(folder / "store"), folder / "landing", "", b"t" * 32, b"l" * 32)


def portfolio() -> Portfolio:
    """The portfolio ``accounts`` as it ships."""
    return load_portfolio(CHECKOUT / "include" / "portfolios" / "accounts.yaml")


def prepare(folder: Path, bank: Bank) -> str:
    """Write everything but what the last day's rules find; returns the last day's key.

    Days of the past are a few different ones, over and over, each at its own time.
    """
    ws, accounts = workspace(folder), portfolio()
    days = [LAST - timedelta(days=number) for number in range(ALL_DAYS)]
    _reference(ws, accounts, bank, days[-1] - timedelta(days=1))
    profiler = Profiler(ws, accounts, section(accounts))
    ws.store.write("transactions", accounts.name, str(LAST), bank.transactions(LAST), config="c")
    past = days[1:]
    for like in range(DIFFERENT):
        table = bank.transactions(past[like])
        for number in range(like, REAL_DAYS - 1, DIFFERENT):
            moved = _moved(table, past[like] - past[number])
            ws.store.write("transactions", accounts.name, str(past[number]), moved, config="c")
            _cash(profiler, str(past[number]), moved)
        profiler.ensure([str(past[like])])
        for day in past[like + DIFFERENT :: DIFFERENT]:
            _same(profiler, str(past[like]), str(day))
    return str(LAST)


def _moved(table: pa.Table, earlier: timedelta) -> pa.Table:
    """The same transactions some days earlier."""
    place = table.column_names.index("event_time")
    times = pc.subtract(table["event_time"], pa.scalar(earlier, pa.duration("us")))
    return table.set_column(place, "event_time", times)


def _cash(profiler: Profiler, key: str, table: pa.Table) -> None:
    """As :class:`Profiler` writes it, without its sums."""
    transactions = profiler.transactions(key)
    inputs = sorted([transactions.as_input(), *profiler.rates(key)[1]], key=lambda i: (i.dataset, i.key))
    rows = profiler.shape.renamed(table)
    name = profiler.portfolio.name
    rows = rows.filter(rows["cash"])
    profiler.ws.store.write(CASH, name, key, rows, config=profiler.config, inputs=inputs, facts={"unconverted": {}})


def _same(profiler: Profiler, like: str, key: str) -> None:
    """The sums of another day, which share its file; and the rest of a day that is too old to be read."""
    store, name = profiler.ws.store, profiler.portfolio.name
    transactions = store.manifest("transactions", name, key)
    is_old = transactions is None
    if transactions is None:
        transactions = _linked(store, store.require("transactions", name, like), key)
    sums = store.require(PROFILES, name, like)
    others = [item for item in sums.inputs if item.dataset != "transactions"]
    inputs = tuple(sorted([*others, transactions.as_input()], key=lambda i: (i.dataset, i.key)))
    for dataset in (PROFILES, CASH) if is_old else (PROFILES,):
        _linked(store, store.require(dataset, name, like).model_copy(update={"inputs": inputs}), key)


def _linked(store: Store, manifest: Manifest, key: str) -> Manifest:
    """The same files under another day."""
    here = store.path(manifest.dataset, manifest.portfolio, f"date={manifest.key}")
    there = store.path(manifest.dataset, manifest.portfolio, f"date={key}")
    there.mkdir(parents=True, exist_ok=True)
    for file in manifest.files:
        os.link(here / file.name, there / file.name)
    found = manifest.model_copy(update={"key": key})
    store.publish(found)
    return found


def _reference(ws: Workspace, accounts: Portfolio, bank: Bank, day: date) -> None:
    """Customers, a rate, holidays, as they arrived once."""
    known = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    n = bank.accounts
    numbers = np.arange(n)
    customers = {
        "customer_id": [f"C{number:08d}" for number in range(n)],
        "kind": np.where(numbers % 20 == 0, "business", "person"),
        "risk_rating": np.array(["low", "medium", "high"])[numbers % 3],
        "risk_rated_on": [LAST - timedelta(days=int(number % 300)) for number in range(n)],
        "address_country": ["US"] * n,
        "documents": [
            f"passport:{LAST + timedelta(days=1 + 7919 * number % 3650)}|address_proof:" for number in range(n)
        ],
        "opened_on": [date(2015, 1, 1)] * n,
    }
    _arrived(ws, accounts, "customers", day, known, customers, n)
    rate = {"date": [day], "currency": ["EUR"], "rate": [Decimal("1.10000000")]}
    _arrived(ws, accounts, "rates", day, known, rate, 1)
    holiday = {"date": [date(2026, 7, 3)], "name": ["Independence Day"], "jurisdiction": ["US"]}
    _arrived(ws, accounts, "holidays", day, known, holiday, 1)


def _arrived(
    ws: Workspace, accounts: Portfolio, dataset: str, day: date, known: datetime, content: dict, n: int
) -> None:
    schema = stored_schema(dataset)
    columns = {**content, "known_at": [known] * n, "file": ["f"] * n, "line": np.arange(n)}
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    ws.store.write(dataset, accounts.name, str(day), pa.Table.from_arrays(arrays, schema=schema), config="c")


@cache
def _numbered(text: str, count: int) -> pa.Array:
    return pa.array([text.format(number) for number in range(count)])


def _unless(mask: np.ndarray, array: pa.Array) -> pa.Array:
    """Nothing where the mask holds."""
    return pc.if_else(pa.array(mask), pa.scalar(None, array.type), array)
