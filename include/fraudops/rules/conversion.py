"""Amounts of any currency in the one in which rules compare them, exactly.

A rate is how many units of that currency one unit of another is worth, to eight digits after the point; the latest at
or before a day counts. Everything is computed in whole numbers, and rounded once, to the nearest minor unit; half a
unit goes away from zero.

An amount whose currency has no rate by its day is not guessed and stops nothing: its row is marked, and
:attr:`Converted.missing` says which currencies, how many rows, since when. Who cannot go on without calls
:meth:`Converted.require`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.errors import ContractError
from fraudops.portfolio.iso import minor_digits

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
SCALE = 8
"""Digits after the point of a rate."""
_UNIT = 10**SCALE
_SAFE = 2.0**61
"""Products below this are exact in 64 bits, with the half that rounding adds."""


@dataclass(frozen=True)
class Missing:
    """Rows of one currency for which no rate was known."""

    currency: str
    rows: int
    first: date


@dataclass(frozen=True)
class Converted:
    """Amounts in minor units of the common currency.

    Attributes
    ----------
    base_minor
        Shape (n,); 0 where there is no rate.
    known
        Whether there was one. Shape (n,).
    missing
        What there was none for, by currency.
    """

    base_minor: Ints
    known: npt.NDArray[np.bool_]
    missing: tuple[Missing, ...]

    def require(self, where: str) -> Ints:
        """The amounts.

        Raises
        ------
        ContractError
            A rate is missing.
        """
        if self.missing:
            first = self.missing[0]
            raise ContractError(
                f"no rate of {first.currency} is known on {first.first}",
                where=where,
                remedy="deliver the rates of that day or an earlier one (docs/feeds.md)",
            )
        return self.base_minor


@dataclass(frozen=True)
class Rates:
    """Rates by currency and day.

    Attributes
    ----------
    currency
        What all others are converted to.
    days, scaled
        Of each other currency: its days, ascending, and its rates times 10 to the power of :data:`SCALE`.
    """

    currency: str
    days: Mapping[str, Days]
    scaled: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, table: pa.Table, currency: str) -> Rates:
        """From rows of ``date``, ``currency``, ``rate`` (decimal), in any order, one for each date and currency.

        Raises
        ------
        ContractError
            A rate is not above zero, or the common currency's own is not one.
        """
        days: dict[str, list[date]] = {}
        scaled: dict[str, list[int]] = {}
        ordered = table.sort_by([("date", "ascending"), ("currency", "ascending")])
        for day, code, rate in zip(*(ordered[name].to_pylist() for name in ("date", "currency", "rate")), strict=True):
            value = int(Decimal(rate).scaleb(SCALE))
            if value <= 0 or (code == currency and value != _UNIT):
                raise ContractError(
                    f"a rate of {rate} for {code} in {currency}", where=str(day), remedy="correct the rates feed"
                )
            days.setdefault(code, []).append(day)
            scaled.setdefault(code, []).append(value)
        return cls(currency, {code: np.array(found, dtype="datetime64[D]") for code, found in days.items()}, scaled)

    def on(self, currency: str, day: date) -> Decimal | None:
        """The rate that counts on a day; None where there is none yet."""
        if currency == self.currency:
            return Decimal(1)
        found = self._places(currency, np.array([day], dtype="datetime64[D]"))[0]
        return None if found < 0 else Decimal(self.scaled[currency][found]).scaleb(-SCALE)

    def minor(self, amount: Decimal, currency: str, day: date) -> int:
        """An amount of a currency, in minor units of the common one.

        Raises
        ------
        ContractError
            There is no rate.
        """
        rate = self.on(currency, day)
        if rate is None:
            raise ContractError(
                f"no rate of {currency} is known", where=str(day), remedy="deliver the rates feed (docs/feeds.md)"
            )
        units = (amount * rate).scaleb(minor_digits(self.currency))
        return int(units.to_integral_value(ROUND_HALF_UP))

    def convert(
        self, amount_minor: Ints, currencies: pa.Array | pa.ChunkedArray, days: Days, digits: int | None = None
    ) -> Converted:
        """Convert many amounts.

        Parameters
        ----------
        amount_minor
            In minor units of each row's own currency. Shape (n,).
        currencies
            Their codes. Shape (n,). Null is the common currency.
        days
            The days whose rates count, ``datetime64[D]``. Shape (n,).
        digits
            How many digits all minor units have, where the portfolio stores every currency alike; absent: as many as
            each currency has by ISO 4217.

        Raises
        ------
        ContractError
            An amount does not fit into 64 bits.
        """
        if isinstance(currencies, pa.ChunkedArray):
            currencies = currencies.combine_chunks()
        codes = pc.fill_null(currencies.cast(pa.string()), self.currency).dictionary_encode()
        places = codes.indices.to_numpy(zero_copy_only=False)
        amount_minor = np.asarray(amount_minor, dtype=np.int64)
        base, known, missing = np.zeros(len(amount_minor), dtype=np.int64), np.ones(len(amount_minor), dtype=bool), []
        for place, code in enumerate(codes.dictionary.to_pylist()):
            rows = np.flatnonzero(places == place)
            found = self._places(code, days[rows]) if code != self.currency else np.zeros(len(rows), dtype=np.int64)
            has = found >= 0
            shift = minor_digits(self.currency) - (minor_digits(code) if digits is None else digits)
            rates = (_UNIT,) if code == self.currency else self.scaled.get(code, ())
            for which in np.unique(found[has]).tolist():
                chosen = rows[found == which]
                base[chosen] = _times(amount_minor[chosen], rates[which], shift)
            if not has.all():
                known[rows[~has]] = False
                missing.append(Missing(code, int((~has).sum()), days[rows[~has]].min().item()))
        return Converted(base, known, tuple(sorted(missing, key=lambda item: item.currency)))

    def _places(self, currency: str, days: Days) -> Ints:
        """Which rate counts on each day, −1 for none."""
        if currency not in self.days:
            return np.full(len(days), -1, dtype=np.int64)
        return np.searchsorted(self.days[currency], days, side="right").astype(np.int64) - 1


def _times(amounts: Ints, scaled: int, shift: int) -> Ints:
    """Amounts times a rate, in other minor units, rounded half away from zero."""
    above, below = scaled * 10 ** max(shift, 0), _UNIT * 10 ** max(-shift, 0)
    if above == below:
        return amounts
    largest = float(np.abs(amounts.astype(np.float64)).max(initial=0.0))
    if largest * above < _SAFE and below < _SAFE:
        return np.sign(amounts) * ((np.abs(amounts) * above + below // 2) // below)
    exact = [(abs(amount) * above + below // 2) // below * (1 if amount >= 0 else -1) for amount in amounts.tolist()]
    if max(map(abs, exact), default=0) >= 2**63:
        raise ContractError("an amount does not fit into 64 bits once it is converted", remedy="check rate and amount")
    return np.array(exact, dtype=np.int64)
