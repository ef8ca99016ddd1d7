"""Money from or to a country that is listed, or with which the account never had to do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fraudops.rules.history import facet_of_country
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY
from fraudops.rules.numbers import Numbers
from fraudops.rules.rows import Digests, Ints, Mask, Rows, having

NEEDS = Needs(history="usual_days", customers=True)


def suspects(inputs: Inputs, numbers: Numbers) -> Mask:
    """Accounts with a payment from or to another country."""
    country = inputs.transactions.counterparty_country
    return having(inputs.transactions, (country.codes >= 0) & ~country.is_one_of(numbers.texts("home")))


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Accounts and countries of the partition: the country itself, or that it is new for an account with a past."""
    whole = inputs.transactions
    rows = whole.where(whole.current & (whole.account.codes >= 0) & (whole.counterparty_country.codes >= 0))
    least, least_listed = numbers.minor("least_total"), numbers.minor("least_listed")
    listed, home = set(numbers.texts("listed")), set(numbers.texts("home"))
    countries = rows.counterparty_country.names.to_pylist()
    pairs, where = np.unique(
        rows.account.codes * (len(countries) + 1) + rows.counterparty_country.codes, return_inverse=True
    )
    total = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(total, where, rows.base)
    country = pairs % (len(countries) + 1)
    foreign = np.array([name not in home for name in countries] or [False])[country]
    on_list = np.array([name in listed for name in countries] or [False])[country]
    asked = (on_list & (total >= least_listed)) | (foreign & (total >= least))
    chosen = np.flatnonzero(asked)
    pair_account = pairs[chosen] // (len(countries) + 1)
    past = _Past.read(inputs, numbers, rows, pair_account, [countries[code] for code in country[chosen]])
    for place, pair in enumerate(chosen.tolist()):
        name, is_listed = countries[country[pair]], bool(on_list[pair])
        if not is_listed and not past.is_new(place):
            continue
        own = np.flatnonzero(where == pair)
        if not is_listed and name == past.address(rows, own):
            continue
        first = past.first_seen(place)
        yield Hit(
            kind="account",
            subject=rows.account.named(pair_account[place]),
            one=(name, inputs.key[:7] if is_listed else str(first)),
            on=inputs.day,
            transactions=rows.names_of(own),
            values={
                "country": name,
                "listed": is_listed,
                "total_minor": int(total[pair]),
                "payments_before": int(past.count[place]),
                "payments_with_country_before": int(past.with_country[place]),
            },
            because=(
                f"{inputs.money(total[pair])} from or to {name}, "
                + (
                    "which is on the list of countries of high risk"
                    if is_listed
                    else f"with which the account had nothing to do in its {past.count[place]} payments before {first}"
                )
                + f"; asked about is {inputs.money(least_listed if is_listed else least)} or more"
            ),
        )


class _Past:
    """What the accounts that are asked about did before, and what they did with the country."""

    def __init__(self, inputs: Inputs, accounts: Digests, facets: Ints, since: int, recent: int, least: int) -> None:
        self.inputs, self._least = inputs, least
        self.count, _, _ = inputs.history.both_ways(accounts, since, recent, only=("count",))
        self.with_country = inputs.history.totals(accounts, facets, since, recent).count
        self._lately = inputs.history.totals(accounts, facets, recent, inputs.start_us).first

    @classmethod
    def read(cls, inputs: Inputs, numbers: Numbers, rows: Rows, codes: Ints, countries: list[str]) -> _Past:
        recent = inputs.start_us - numbers.whole("recent_days") * DAY
        since = inputs.start_us - numbers.whole("usual_days") * DAY
        facets = np.array([facet_of_country(name) for name in countries], dtype=np.int64)
        return cls(inputs, rows.account.digests[codes], facets, since, recent, numbers.whole("least_payments"))

    def is_new(self, place: int) -> bool:
        """Enough is known of the account, and the country is not in it."""
        return bool(self.count[place] >= self._least and self.with_country[place] == 0)

    def first_seen(self, place: int) -> np.datetime64:
        """Day of the first payment with the country, if that was lately; else the partition's."""
        first = int(self._lately[place])
        return np.datetime64((first if first >= 0 else self.inputs.start_us) // DAY, "D")

    def address(self, rows: Rows, own: Ints) -> str | None:
        """Where the customer lives: nothing is unusual about that."""
        found: str | None = self.inputs.customer(rows.customer.name(int(own[0])), "address_country")
        return found
