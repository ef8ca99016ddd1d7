"""Customers and accounts of the simulated bank: all that is fixed for a world.

Most customers are persons with a job, a rent and habits; some are businesses, a part of them with takings in cash.
A part of the customers is set aside as the cast of the planted stories, so that a story is not mistaken for a habit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import pyarrow as pa

from fraudops.intake.accounts_simulator.purposes import Purpose
from fraudops.intake.simulator.names import FAMILY, GIVEN
from fraudops.intake.simulator.randomness import stream

CAST = {
    "structuring": 33, "smurfing": 11, "smurfing_below": 10, "cash": 33, "euro": 9, "edge": 22, "mule": 26,
    "fan_in": 15, "fan_out": 15, "dormant": 16, "velocity": 22, "round": 15, "country": 22, "profile": 15,
    "screening": 14, "expired": 12, "missing": 10, "outdated": 12, "lookalike": 10, "shop_below": 3,
    "shop_above": 3, "payroll": 2, "landlord": 2, "helpers": 20,
}  # fmt: skip
"""Parts of the cast, for each kind of story and of decoy, and how many belong to it in a bank that is large enough:
so many that nobody is in a second story of a kind within four months."""
_MOST_CAST = 0.5
"""Share of the customers that the cast may be."""
_LEAST = 6
HELPERS = "helpers"
"""Those who pay in for others."""
IS_BUSINESS = frozenset({"shop_below", "shop_above", "payroll", "landlord"})
WITHOUT_CASH = frozenset({"structuring", "smurfing", "smurfing_below", "cash", "edge", "euro", "dormant", HELPERS})
"""Those of whom nothing else may be added to the cash of the story."""
QUIET = frozenset({"dormant"})

COUNTRIES = ("US", "MX", "CA", "GB", "DE", "PH", "IN", "CN", "PL", "DO", "PA", "KY", "AE", "TR", "KP", "IR", "MM")
"""Of accounts at other banks; the last ones are seen in stories only."""
USUAL_ABROAD = ("MX", "CA", "GB", "DE", "PH", "IN", "CN", "PL", "DO")
_PER_COUNTRY = 60
_LEGAL = ("LLC", "Inc", "Ltd", "Corp", "Co")
_TRADES = (
    "Bakery", "Diner", "Laundry", "Hardware", "Florist", "Garage", "Grocery", "Books", "Dental", "Roofing", "Plumbing",
    "Logistics", "Consulting", "Catering", "Cleaning", "Tailors", "Pharmacy", "Cafe", "Salon", "Fitness",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class People:
    """Columns of equal length, one entry per customer; then the accounts."""

    ids: np.ndarray
    names: np.ndarray
    business: np.ndarray
    opened: np.ndarray
    """Ordinal of the day on which the customer came."""
    born: np.ndarray
    """Ordinal of the date of birth; 0 for a business."""
    level: np.ndarray
    """Factor of amounts; mean 1."""
    cast: dict[str, np.ndarray]
    """Part of the cast → its customers."""
    is_cast: np.ndarray
    no_cash: np.ndarray
    quiet: np.ndarray
    branch: np.ndarray
    takings: np.ndarray
    """Of a business that is paid in cash: minor units a day; else 0."""
    employer: np.ndarray
    """Business that pays the salary; -1: an employer with another bank, -2: none."""
    rent: np.ndarray
    """Minor units a month; 0: none."""
    landlord: np.ndarray
    """Business that is paid the rent; -1: with another bank."""
    abroad: np.ndarray
    """Country (index) to which money is sent every month; -1: none."""
    friend: np.ndarray
    account: np.ndarray
    """First account of each customer; further ones follow it."""
    savings: np.ndarray
    """How many further accounts."""
    accounts: int
    owner: np.ndarray
    """Customer of each account."""
    currency: np.ndarray
    """Of each account."""
    externals: int
    """Accounts at other banks; they are numbered after our own, country by country."""
    branches: int

    def external(self, country: str, number: np.ndarray | int) -> np.ndarray | int:
        """Index of some account at another bank of a country."""
        domestic = self.externals - _PER_COUNTRY * (len(COUNTRIES) - 1)
        place = COUNTRIES.index(country)
        if place == 0:
            return self.accounts + number % domestic
        return self.accounts + domestic + (place - 1) * _PER_COUNTRY + number % _PER_COUNTRY

    def numbers(self) -> pa.Array:
        """Account numbers: our own, then those of other banks (IBAN-like, with check digits that no IBAN has)."""
        own = [f"8100{serial * 7919 % 10_000_019:08d}" for serial in range(1, self.accounts + 1)]
        domestic = self.externals - _PER_COUNTRY * (len(COUNTRIES) - 1)
        other = [f"US00MADEUP{serial:08d}" for serial in range(domestic)]
        for country in COUNTRIES[1:]:
            other += [f"{country}00MADEUP{serial:08d}" for serial in range(_PER_COUNTRY)]
        return pa.array(own + other, pa.string())

    def countries(self) -> np.ndarray:
        """Country of each account, our own and others."""
        domestic = self.accounts + self.externals - _PER_COUNTRY * (len(COUNTRIES) - 1)
        return np.concatenate([np.repeat("US", domestic), np.repeat(np.array(COUNTRIES[1:]), _PER_COUNTRY)])


@lru_cache(maxsize=4)
def people(seed: int, payments_per_day: int, start: date) -> People:
    """Make the customers between whom about so many payments a day happen."""
    rng = stream(seed, Purpose.PEOPLE)
    count = max(300, round(1.15 * payments_per_day))
    order = rng.permutation(count)
    cast = _cast(order)
    is_cast = np.isin(np.arange(count), np.concatenate(list(cast.values())))
    business = (rng.random(count) < 0.1) & ~is_cast
    for part in IS_BUSINESS:
        business[cast[part]] = True
    opened = start.toordinal() - rng.integers(30, 4000, count)
    newcomers = (rng.random(count) < 0.04) & ~is_cast
    opened[newcomers] = start.toordinal() + rng.integers(1, 365, newcomers.sum())
    opened[cast["dormant"]] = start.toordinal() - rng.integers(1500, 4000, len(cast["dormant"]))
    level = rng.lognormal(-0.08, 0.4, count)
    takings = np.where(business & ~is_cast & (rng.random(count) < 0.4), 60_000 + rng.gamma(2.0, 60_000, count), 0)
    shops = np.flatnonzero(business & ~is_cast)
    person = ~business
    employed = person & (rng.random(count) < 0.75)
    employer = np.where(employed, np.where(rng.random(count) < 0.25, rng.choice(shops, count), -1), -2)
    payrolls = cast["payroll"]
    staff = np.flatnonzero(person & ~is_cast)
    employer[staff[: 30 * 2]] = np.repeat(payrolls[:2], 30)[: len(staff[:60])]
    rents = np.where(person & (rng.random(count) < 0.5), 70_000 + 100 * rng.integers(0, 900, count), 0)
    landlord = np.where(rng.random(count) < 0.1, rng.choice(cast["landlord"][:2], count), -1)
    abroad = np.where(person & ~is_cast & (rng.random(count) < 0.05), rng.integers(1, 1 + len(USUAL_ABROAD), count), -1)
    no_cash, quiet = np.zeros(count, bool), np.zeros(count, bool)
    for part in WITHOUT_CASH:
        no_cash[cast[part]] = True
    for part in QUIET:
        quiet[cast[part]] = True
    extra = np.where(person & (rng.random(count) < 0.12), 1, 0)
    extra[cast["smurfing"]] = 2
    extra[cast["smurfing_below"]] = 1
    sizes = 1 + extra
    first = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(count), sizes)
    foreign = rng.choice(["USD", "EUR", "GBP", "CAD"], p=[0.94, 0.03, 0.01, 0.02], size=count)
    foreign[is_cast] = "USD"
    foreign[cast["euro"]] = "EUR"
    born = np.where(business, 0, date(1950, 1, 1).toordinal() + rng.integers(0, 19_000, count))
    return People(
        ids=np.array([f"CU{number:07d}" for number in range(1, count + 1)]),
        names=_names(rng, count, business),
        business=business,
        opened=opened,
        born=born,
        level=level,
        cast=cast,
        is_cast=is_cast,
        no_cash=no_cash,
        quiet=quiet,
        branch=rng.integers(0, max(4, count // 150), count),
        takings=np.minimum(takings, 450_000).astype(np.int64),
        employer=employer,
        rent=rents.astype(np.int64),
        landlord=landlord,
        abroad=abroad,
        friend=rng.permutation(count),
        account=first,
        savings=extra,
        accounts=int(sizes.sum()),
        owner=owner,
        currency=foreign[owner],
        externals=6 * count + _PER_COUNTRY * (len(COUNTRIES) - 1),
        branches=max(4, count // 150),
    )


def _cast(order: np.ndarray) -> dict[str, np.ndarray]:
    """Customers of each part, in the order in which chance puts them."""
    share = min(1.0, _MOST_CAST * len(order) / sum(CAST.values()))
    ends = np.cumsum([max(min(_LEAST, wanted), round(share * wanted)) for wanted in CAST.values()])
    return {part: np.sort(found) for part, found in zip(CAST, np.split(order, ends)[:-1], strict=True)}


def _names(rng: np.random.Generator, count: int, business: np.ndarray) -> np.ndarray:
    given, family = rng.choice(GIVEN, count), rng.choice(FAMILY, count)
    trade, legal = rng.choice(_TRADES, count), rng.choice(_LEGAL, count)
    persons = [f"{first} {last}" for first, last in zip(given, family, strict=True)]
    firms = [f"{last} {what} {form}" for last, what, form in zip(family, trade, legal, strict=True)]
    return np.where(business, np.array(firms), np.array(persons))
