"""What accounts did in the partitions before: sums of single partitions, written once, looked up by account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fraudops.rules.rows import Coded, Ints, Mask, Rows

IN, OUT = 0, 1
"""Facets: what came in, what went out. A country is one as well (:func:`facet_of_country`)."""
_COUNTRIES = 100
_MIX = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class Totals:
    """Sums over some partitions of the past. Every array has shape (n,), one entry per account that was asked for.

    Attributes
    ----------
    days
        Partitions in which there was any.
    count, minor, largest
        Transactions, their sum, the largest one.
    partners
        Counterparties, counted anew in each partition.
    last
        Start of the last such partition (µs since 1970), −1 where there was none.
    """

    days: Ints
    count: Ints
    minor: Ints
    largest: Ints
    partners: Ints
    last: Ints


@dataclass(frozen=True)
class Day:
    """The profile of one partition, not yet read.

    Attributes
    ----------
    start
        Its first moment, µs since 1970.
    read
        Reads some columns of its table.
    """

    start: int
    read: Callable[[Sequence[str]], pa.Table]


class History:
    """The profiles of partitions before the one that is looked at.

    Parameters
    ----------
    days
        In the order of time.
    begins
        Start of the first partition that the store ever had, µs; None where there is none. What lies before is not
        known to have been nothing.
    """

    def __init__(self, days: Sequence[Day], begins: int | None) -> None:
        self.days, self.begins = tuple(days), begins

    def totals(self, accounts: Sequence[str], facets: Sequence[int] | Ints, since: int, until: int) -> Totals:
        """Sums over the partitions that start at or after ``since`` and before ``until`` (µs).

        Parameters
        ----------
        accounts, facets
            What is asked for, side by side.
        """
        keys = keys_of(accounts, np.asarray(facets, dtype=np.int64))
        order = np.argsort(keys, kind="stable")
        wanted = keys[order]
        found = {
            name: np.zeros(len(keys), dtype=np.int64) for name in ("days", "count", "minor", "largest", "partners")
        }
        last = np.full(len(keys), -1, dtype=np.int64)
        for day in self.days:
            if not since <= day.start < until or not len(keys):
                continue
            known = day.read(("key",))["key"].to_numpy()
            places = np.searchsorted(known, wanted)
            there = (
                (places < len(known)) & (known[np.minimum(places, len(known) - 1)] == wanted) if len(known) else None
            )
            if there is None or not there.any():
                continue
            rows, asked = places[there], order[there]
            table = day.read(("count", "minor", "largest", "partners"))
            for name in ("count", "minor", "partners"):
                found[name][asked] += table[name].to_numpy()[rows]
            found["largest"][asked] = np.maximum(found["largest"][asked], table["largest"].to_numpy()[rows])
            found["days"][asked] += 1
            last[asked] = day.start
        return Totals(**found, last=last)


def facet_of_country(code: str) -> int:
    """Facet of what was exchanged with a country (two letters); anything else is one of its own."""
    if len(code) == 2 and code.isascii() and code.isalpha():
        first, second = code.upper().encode()
        return _COUNTRIES + (first - 65) * 26 + second - 65
    return _COUNTRIES + 26 * 26


def profile(rows: Rows) -> pa.Table:
    """Sums of a partition's transactions, by account and facet.

    Returns
    -------
    Table
        ``key`` (ascending; made from account and facet, see :func:`keys_of`), ``count``, ``minor``, ``largest``,
        ``partners``.
    """
    countries = np.array([facet_of_country(name) for name in rows.counterparty_country.names.to_pylist()] + [-1])
    usable = rows.account.codes >= 0
    pieces = [_sums(rows, usable & (rows.incoming == (facet == IN)), np.full(len(rows), facet)) for facet in (IN, OUT)]
    pieces.append(
        _sums(rows, usable & (rows.counterparty_country.codes >= 0), countries[rows.counterparty_country.codes])
    )
    joined = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    order = np.argsort(joined["key"], kind="stable")
    types = {"key": pa.int64(), "count": pa.int32(), "minor": pa.int64(), "largest": pa.int64(), "partners": pa.int32()}
    return pa.table({name: pa.array(joined[name][order], type_) for name, type_ in types.items()})


def keys_of(accounts: Sequence[str] | pa.Array, facets: Ints) -> Ints:
    """One number for each account and facet: 64 bits of a digest.

    Two of ten million accounts share one with a probability of about 3 in a million; they would then see each other's
    past. What is a legal amount is never summed by them.
    """
    names = accounts.to_pylist() if isinstance(accounts, pa.Array) else accounts
    digests = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names)
    found = np.frombuffer(digests, dtype="<u8").astype(np.uint64)
    return _mixed(found, facets)


def _mixed(digests: NDArray[np.uint64], facets: Ints) -> Ints:
    with np.errstate(over="ignore"):
        return (digests ^ ((facets + 1).astype(np.uint64) * np.uint64(_MIX))).view(np.int64)


def _sums(rows: Rows, mask: Mask, facets: Ints) -> dict[str, Ints]:
    """Sums by (account, facet) of the rows of a mask."""
    chosen = np.flatnonzero(mask)
    groups, where = np.unique(rows.account.codes[chosen] * 1024 + facets[chosen], return_inverse=True)
    base = rows.base[chosen]
    minor, largest = np.zeros(len(groups), dtype=np.int64), np.zeros(len(groups), dtype=np.int64)
    np.add.at(minor, where, base)
    np.maximum.at(largest, where, base)
    others = rows.counterparty.codes[chosen]
    pairs = np.unique(where[others >= 0] * (len(rows.counterparty.names) + 1) + others[others >= 0])
    partners = np.bincount(pairs // (len(rows.counterparty.names) + 1), minlength=len(groups))
    used = np.unique(groups // 1024)
    names = Coded(used, rows.account.names).names.take(pa.array(used))
    digests = np.zeros(len(rows.account.names) or 1, dtype=np.uint64)
    digests[used] = keys_of(names, np.full(len(used), -1)).view(np.uint64)
    return {
        "key": _mixed(digests[groups // 1024], groups % 1024),
        "count": np.bincount(where, minlength=len(groups)).astype(np.int64),
        "minor": minor,
        "largest": largest,
        "partners": partners.astype(np.int64),
    }
