"""Transactions as detectors see them: arrays of equal length, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Digests = NDArray[np.uint64]

TEXTS = ("account", "customer", "counterparty", "counterparty_country", "branch", "on_behalf_of", "channel", "currency")


def digests_of(names: Sequence[str]) -> Digests:
    """64 bits of a digest of each name.

    Two of ten million names share them with a probability of about 3 in a million; they would then see each other's
    past. What is compared with a legal threshold is never summed by them.
    """
    return np.frombuffer(b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names), dtype="<u8")


@dataclass(frozen=True)
class Coded:
    """A column of texts as small integers.

    Attributes
    ----------
    codes
        Place in ``names`` of each row's text, −1 where there is none. Shape (n,).
    names
        The different texts.
    """

    codes: Ints
    names: pa.Array

    @classmethod
    def of(cls, column: pa.Array | pa.ChunkedArray) -> Coded:
        """From texts; an empty text is none."""
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if isinstance(array, pa.ChunkedArray):
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.string())
        encoded = array if pa.types.is_dictionary(array.type) else array.cast(pa.string()).dictionary_encode()
        codes = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        names = encoded.dictionary
        empty = pc.index(names, pa.scalar("", names.type)).as_py()
        if empty >= 0:
            codes = np.where(codes == empty, -1, codes)
        return cls(codes, names)

    @cached_property
    def digests(self) -> Digests:
        """64 bits of a digest of each name, by code: what sums of the past are kept under."""
        return digests_of(self.names.to_pylist())

    def name(self, row: int) -> str | None:
        """A row's text."""
        code = int(self.codes[row])
        return self.names[code].as_py() if code >= 0 else None

    def named(self, code: int) -> str:
        """The text of a code."""
        return self.names[int(code)].as_py()

    def code_of(self, text: str) -> int:
        """The code of a text, −2 where no row has it."""
        found = pc.index(self.names, pa.scalar(text, self.names.type)).as_py()
        return found if found >= 0 else -2

    def is_one_of(self, texts: Iterable[str]) -> Mask:
        """Rows whose text is one of these."""
        wanted = pc.is_in(self.names, value_set=pa.array(sorted(texts), self.names.type))
        flags = np.append(wanted.to_numpy(zero_copy_only=False).astype(bool), False)
        return flags[self.codes]

    def take(self, rows: Any) -> Coded:
        """Some rows; the names stay."""
        return Coded(self.codes[rows], self.names)


@dataclass(frozen=True)
class Rows:
    """Transactions in the order of (time, id). Every array has shape (n,).

    Attributes
    ----------
    ids
        ``transaction_id``.
    times
        Microseconds since 1970, UTC.
    account, customer
        The account, and who did it (its holder, where nothing else is known).
    on_behalf_of
        For whom it was done, where that is somebody else.
    counterparty, counterparty_country, branch, channel, currency
        As delivered.
    incoming, cash
        Seen from the account; whether it is cash.
    amount, base
        Minor units of its own currency, and of the currency in which amounts are compared. Never negative.
    current
        Whether it belongs to the partition that is looked at; the others are its past.
    """

    ids: pa.Array
    times: Ints
    account: Coded
    customer: Coded
    counterparty: Coded
    counterparty_country: Coded
    branch: Coded
    on_behalf_of: Coded
    channel: Coded
    currency: Coded
    incoming: Mask
    cash: Mask
    amount: Ints
    base: Ints
    current: Mask

    @classmethod
    def of(cls, table: pa.Table) -> Rows:
        """From a table with the rules' columns, its rows in any order.

        ``transaction_id``, ``event_time``, ``account``, ``customer``, ``counterparty``, ``counterparty_country``,
        ``branch``, ``direction`` (in, out), ``cash``, ``on_behalf_of``, ``channel``, ``amount_minor``, ``currency``,
        ``base_minor``, ``current``.
        """
        times = table["event_time"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
        order = _order(times, table["transaction_id"])
        if (np.diff(order) != 1).any():
            table, times = table.take(pa.array(order)), times[order]
        direction = Coded.of(table["direction"])
        return cls(
            ids=_whole(table["transaction_id"]),
            times=times,
            **{name: Coded.of(table[name]) for name in TEXTS},
            incoming=direction.codes == direction.code_of("in"),
            cash=_flags(table["cash"]),
            amount=np.abs(table["amount_minor"].to_numpy()),
            base=np.abs(table["base_minor"].to_numpy()),
            current=_flags(table["current"]),
        )

    def __len__(self) -> int:
        return len(self.times)

    def where(self, mask: Mask | Ints) -> Rows:
        """Some of the rows, by a mask or by ascending positions."""
        taken: dict[str, Any] = {"ids": self.ids.take(pa.array(np.flatnonzero(mask) if mask.dtype == bool else mask))}
        for item in fields(self):
            if item.name != "ids":
                value = getattr(self, item.name)
                taken[item.name] = value.take(mask) if isinstance(value, Coded) else value[mask]
        return replace(self, **taken)

    def names_of(self, rows: Sequence[int] | Ints) -> list[str]:
        """Ids of some rows, in the order of time."""
        return self.ids.take(pa.array(np.sort(np.asarray(rows, dtype=np.int64)))).to_pylist()


def having(rows: Rows, mask: Mask) -> Mask:
    """Accounts (by code) that have one of the rows of a mask."""
    found = np.zeros(len(rows.account.names) + 1, dtype=bool)
    found[rows.account.codes[mask]] = True
    return found[:-1]


def distinct(values: Ints) -> Ints:
    """Different values, ascending; several times as fast on millions of them as ``np.unique``."""
    ordered = np.sort(values)
    return ordered[np.diff(ordered, prepend=ordered[0] - 1) != 0] if len(ordered) else ordered


def _order(times: Ints, ids: pa.ChunkedArray) -> Ints:
    """Positions in the order of (time, id). Partitions are in it already: few ids have to be looked at."""
    order = np.argsort(times, kind="stable")
    again = np.diff(times[order]) == 0
    if again.any():
        tied = np.flatnonzero(np.append(again, False) | np.insert(again, 0, False))
        names = ids.take(pa.array(order[tied])).to_pylist()
        # Runs of equal times follow each other, so that sorting all tied rows at once mixes none of them.
        sequence = sorted(range(len(tied)), key=lambda place: (times[order[tied[place]]], names[place]))
        order[tied] = order[tied][sequence]
    return order


def _whole(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _flags(column: pa.ChunkedArray) -> Mask:
    return pc.fill_null(column, False).to_numpy().astype(bool)
