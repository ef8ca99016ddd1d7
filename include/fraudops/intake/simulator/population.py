"""Who lives in the simulated world: customers with their habits, their cards, and the terminals they use.

Everything here is fixed for a world; nothing depends on the day. A customer lives in a region and pays mostly
at the shops near home, draws cash at one or two machines, and buys from a handful of web merchants.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.simulator.card_numbers import TEST_PREFIXES, fake_card_numbers
from fraudops.intake.simulator.names import FAMILY, GIVEN
from fraudops.intake.simulator.randomness import Purpose, stream


class Channel(IntEnum):
    """How a payment is made; also the kind of terminal that takes it."""

    CARD_PRESENT = 0
    ONLINE = 1
    CASH_WITHDRAWAL = 2
    CASH_DEPOSIT = 3

    @property
    def text(self) -> str:
        """As the feed writes it."""
        return self.name.lower()


_COUNTRIES = (
    "DE", "FR", "NL", "IT", "GB", "ES", "DE", "AT", "CH", "IE", "FR", "DE", "BE", "PT", "SE", "ES", "IT", "PL",
    "FI", "DE", "US", "FR", "NL", "DE",
)  # fmt: skip
"""Country of each region in turn: three quarters of them pay in euros."""

TESTING_COUNTRIES = ("XA", "XB")
"""Countries of the merchants at which stolen cards are tested: codes that ISO 3166 leaves to the user, so that
no real country is blamed. They appear with the late pattern and never before."""

_CURRENCIES = {"GB": "GBP", "CH": "CHF", "SE": "SEK", "PL": "PLN", "US": "USD"}
_PER_EURO = {"EUR": 1.0, "GBP": 0.86, "CHF": 0.95, "SEK": 11.2, "PLN": 4.3, "USD": 1.1}

_LETTERS = {
    Channel.CARD_PRESENT: "S",
    Channel.ONLINE: "W",
    Channel.CASH_WITHDRAWAL: "A",
    Channel.CASH_DEPOSIT: "D",
}
PER_REGION = {Channel.CARD_PRESENT: 24, Channel.CASH_WITHDRAWAL: 4, Channel.CASH_DEPOSIT: 2}
"""Terminals of each kind in every region; web merchants belong to none."""
_USUAL = {Channel.CARD_PRESENT: 6, Channel.ONLINE: 4, Channel.CASH_WITHDRAWAL: 2, Channel.CASH_DEPOSIT: 1}

_CHANNEL_MIX = np.array([0.58, 0.28, 0.11, 0.03])
_WEEKDAYS = np.array(
    [
        [0.85, 0.85, 0.90, 0.95, 1.20, 1.40, 0.85],  # at work during the week, shopping on Saturday
        [1.15, 1.10, 1.10, 1.10, 1.15, 0.85, 0.55],  # at home during the week
        [0.70, 0.70, 0.80, 0.95, 1.30, 1.40, 1.15],  # out at the weekend
    ]
)
"""Habit × weekday (Monday first): payments compared with the customer's mean. Each row has mean 1."""


@dataclass(frozen=True, eq=False)
class Customers:
    """Columns of equal length, one entry per customer."""

    ids: pa.Array
    names: pa.Array
    currencies: pa.Array
    rate: np.ndarray
    """Payments a day, on average."""
    weekdays: np.ndarray
    """(customers, 7): factor of the rate on each weekday, Monday first."""
    peak_hour: np.ndarray
    """Hour of the day (UTC) around which the customer pays in shops."""
    level: np.ndarray
    """Spending level: factor of every amount."""
    per_euro: np.ndarray
    """Units of the customer's currency for a euro."""
    business: np.ndarray
    """Pays in its takings: larger and more frequent cash deposits."""
    channels: np.ndarray
    """(customers, 4): cumulative shares of the channels."""
    region: np.ndarray
    usual: dict[Channel, np.ndarray]
    """Channel → (customers, k) terminals, the favourite first."""
    first_card: np.ndarray
    cards: np.ndarray
    """How many cards: one or two, numbered from ``first_card``."""


@dataclass(frozen=True, eq=False)
class Terminals:
    """Columns of equal length, one entry per terminal; those of one kind lie together, region by region."""

    ids: pa.Array
    countries: pa.Array
    kind: np.ndarray
    """:class:`Channel` that the terminal takes."""
    price: np.ndarray
    """Price level: factor of every amount paid there."""
    first: dict[Channel, int]
    """Index of the first terminal of each kind."""
    regions: int
    merchants: int
    """Web merchants that people buy from; the merchants used for card testing come after them."""
    testing: np.ndarray
    """Indices of the merchants used for card testing."""

    def anywhere(self, channel: np.ndarray, region: np.ndarray, draw: np.ndarray) -> np.ndarray:
        """Index of a terminal of each channel: any one of the region, or any web merchant.

        Parameters
        ----------
        channel, region
            One entry per payment.
        draw
            Uniform random numbers in [0, 1), one per payment.
        """
        # A few merchants sell to nearly everybody: the power makes the low indices popular.
        chosen = (self.first[Channel.ONLINE] + self.merchants * draw**2.5).astype(np.int64)
        for kind, count in PER_REGION.items():
            here = channel == kind
            chosen[here] = self.first[kind] + region[here] * count + (draw[here] * count).astype(np.int64)
        return chosen


@dataclass(frozen=True, eq=False)
class Population:
    """All that is fixed in a world."""

    customers: Customers
    terminals: Terminals
    card_owner: np.ndarray
    """Customer of each card."""
    card_numbers: pa.Array


@lru_cache(maxsize=4)
def population(seed: int, payments_per_day: int) -> Population:
    """Make the population that pays so many times a day."""
    rng = stream(seed, Purpose.POPULATION)
    terminals = _terminals(rng, payments_per_day)
    customers = _customers(rng, payments_per_day, terminals)
    owner = np.repeat(np.arange(len(customers.cards)), customers.cards)
    scheme = rng.integers(len(TEST_PREFIXES), size=len(owner))
    return Population(
        customers=customers,
        terminals=terminals,
        card_owner=owner,
        card_numbers=fake_card_numbers(scheme, offset=int(rng.integers(1_000_000))),
    )


def _terminals(rng: np.random.Generator, payments_per_day: int) -> Terminals:
    regions = max(6, round(0.0155 * payments_per_day))
    merchants = max(12, round(0.06 * payments_per_day))
    testing = max(3, payments_per_day // 700)
    counts = {kind: regions * count for kind, count in PER_REGION.items()}
    counts[Channel.ONLINE] = merchants + testing
    region_country = np.array([_COUNTRIES[region % len(_COUNTRIES)] for region in range(regions)])
    countries, kinds, ids, first, total = [], [], [], {}, 0
    for kind, count in counts.items():
        first[kind] = total
        total += count
        kinds.append(np.full(count, kind))
        ids += [f"{_LETTERS[kind]}{number:06d}" for number in range(1, count + 1)]
        if kind is Channel.ONLINE:
            countries += list(rng.choice(_COUNTRIES, size=merchants))
            countries += [TESTING_COUNTRIES[number % len(TESTING_COUNTRIES)] for number in range(testing)]
        else:
            countries += list(np.repeat(region_country, PER_REGION[kind]))
    kind_of = np.concatenate(kinds)
    cash = kind_of >= Channel.CASH_WITHDRAWAL
    return Terminals(
        ids=pa.array(ids, pa.string()),
        countries=pa.array([str(country) for country in countries], pa.string()),
        kind=kind_of,
        price=np.where(cash, 1.0, rng.lognormal(0.0, 0.4, size=total)),
        first=first,
        regions=regions,
        merchants=merchants,
        testing=np.arange(total - testing, total),
    )


def _customers(rng: np.random.Generator, payments_per_day: int, terminals: Terminals) -> Customers:
    count = round(1.25 * payments_per_day)
    region = rng.integers(terminals.regions, size=count)
    business = rng.random(count) < 0.03
    rate = rng.gamma(1.6, size=count)
    night_owl = rng.random(count) < 0.04
    peak = np.where(night_owl, rng.normal(0.5, 1.5, count), rng.normal(13.5, 2.4, count)) % 24
    cards = 1 + (rng.random(count) < 0.15)
    currency = [_CURRENCIES.get(_COUNTRIES[index % len(_COUNTRIES)], "EUR") for index in range(terminals.regions)]
    return Customers(
        ids=pa.array([f"CU{number:07d}" for number in range(1, count + 1)], pa.string()),
        names=_names(rng, count),
        currencies=pa.array(currency, pa.string()).take(pa.array(region)),
        rate=rate * payments_per_day / rate.sum(),
        weekdays=_WEEKDAYS[rng.choice(len(_WEEKDAYS), p=[0.5, 0.25, 0.25], size=count)],
        peak_hour=peak,
        level=rng.lognormal(0.0, 0.45, count),
        per_euro=np.array([_PER_EURO[name] for name in currency])[region],
        business=business,
        channels=_channel_shares(rng, business),
        region=region,
        usual=_usual_terminals(rng, region, terminals),
        first_card=np.cumsum(cards) - cards,
        cards=cards,
    )


def _names(rng: np.random.Generator, count: int) -> pa.Array:
    given = pa.array(GIVEN).take(pa.array(rng.integers(len(GIVEN), size=count)))
    family = pa.array(FAMILY).take(pa.array(rng.integers(len(FAMILY), size=count)))
    return pc.binary_join_element_wise(given, family, " ")


def _channel_shares(rng: np.random.Generator, business: np.ndarray) -> np.ndarray:
    """Everybody mixes the channels a little differently; a business pays in cash often."""
    shares = rng.standard_gamma(12 * _CHANNEL_MIX, size=(len(business), 4))
    shares[business, Channel.CASH_DEPOSIT] += 0.3 * shares[business].sum(axis=1)
    return np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)


def _usual_terminals(rng: np.random.Generator, region: np.ndarray, terminals: Terminals) -> dict[Channel, np.ndarray]:
    """The nearest terminals of the home region, with some whim in it; any web merchants."""
    home = rng.random((len(region), 2))
    usual = {}
    for kind, count in PER_REGION.items():
        sites = rng.random((terminals.regions, count, 2))
        distance = np.zeros((len(region), count))
        for axis in (0, 1):
            distance += (home[:, axis, None] - sites[region, :, axis]) ** 2
        whim = rng.exponential(0.03, size=distance.shape)
        nearest = np.argsort(distance + whim, axis=1, kind="stable")[:, : _USUAL[kind]]
        usual[kind] = terminals.first[kind] + region[:, None] * count + nearest
    draws = rng.random((len(region), _USUAL[Channel.ONLINE]))
    online = np.full(draws.shape, int(Channel.ONLINE))
    usual[Channel.ONLINE] = terminals.anywhere(online, online, draws)
    return usual
