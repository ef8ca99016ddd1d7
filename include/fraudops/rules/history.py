"""What accounts did in the partitions before: sums of single partitions, written once, looked up by account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fraudops.rules.persons import by_person
from fraudops.rules.rows import Digests, Ints, Mask, Rows, digests_of, distinct

IN, OUT, CASH_IN, CASH_OUT = 0, 1, 2, 3
"""Facets: what came in and went out of an account; cash that was paid in and out by or for a person. What an account
exchanged with a country is one as well (:func:`facet_of_country`)."""
_COUNTRIES = 100
SUMS = ("count", "minor", "largest", "partners")
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
    most
        Counterparties of the partition with the most of them.
    first, last
        Start of the first and last such partition (µs since 1970), −1 where there was none.
    """

    days: Ints
    count: Ints
    minor: Ints
    largest: Ints
    partners: Ints
    most: Ints
    first: Ints
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
        Start of the first partition that there is, µs. What lies before is not known to have been nothing.
    """

    def __init__(self, days: Sequence[Day], begins: int) -> None:
        self.days, self.begins = tuple(days), begins

    def totals(
        self, subjects: Digests, facets: Ints | int, since: int, until: int, *, only: Sequence[str] = SUMS
    ) -> Totals:
        """Sums over the partitions that start at or after ``since`` and before ``until`` (µs).

        Parameters
        ----------
        subjects, facets
            What is asked for, side by side: accounts or persons (:attr:`Coded.digests`), and which sums of theirs.
        only
            Sums that are wanted; the others stay 0. What is asked of many accounts over many days is read the faster.
        """
        keys = keys_of(subjects, np.broadcast_to(np.asarray(facets, dtype=np.int64), len(subjects)))
        order = np.argsort(keys, kind="stable")
        wanted = keys[order]
        found = {name: np.zeros(len(keys), dtype=np.int64) for name in ("days", "most", *SUMS)}
        first, last = np.full((2, len(keys)), -1, dtype=np.int64)
        for day in self.days:
            if not len(keys) or not since <= day.start < until:
                continue
            table = day.read(("key", *only))
            places, there = _places(table["key"].to_numpy(), wanted)
            rows, asked = places[there], order[there]
            for name in only:
                values = table[name].to_numpy()[rows]
                if name == "largest":
                    found[name][asked] = np.maximum(found[name][asked], values)
                else:
                    found[name][asked] += values
                if name == "partners":
                    found["most"][asked] = np.maximum(found["most"][asked], values)
            found["days"][asked] += 1
            first[asked] = np.where(first[asked] < 0, day.start, first[asked])
            last[asked] = day.start
        return Totals(**found, first=first, last=last)

    def both_ways(
        self, accounts: Digests, since: int, until: int, *, only: Sequence[str] = SUMS
    ) -> tuple[Ints, Ints, Ints]:
        """What came in and went out together: count, sum, and start of the first partition with any (−1: none)."""
        count = len(accounts)
        found = self.totals(np.tile(accounts, 2), np.repeat([IN, OUT], count), since, until, only=only)
        first = found.first.reshape(2, count)
        return (
            found.count.reshape(2, count).sum(axis=0),
            found.minor.reshape(2, count).sum(axis=0),
            np.where((first < 0).any(axis=0), first.max(axis=0), first.min(axis=0)),
        )

    def narrowed(self, keys: Ints) -> History:
        """What it says of some keys, held in memory.

        Parameters
        ----------
        keys
            Ascending.
        """
        return History([Day(day.start, _held(day, keys)) for day in self.days], self.begins)


def _held(day: Day, keys: Ints) -> Callable[[Sequence[str]], pa.Table]:
    table = day.read(("key", *SUMS))
    places, there = _places(table["key"].to_numpy(), keys)
    return table.take(pa.array(places[there])).select


def _places(known: Ints, wanted: Ints) -> tuple[Ints, Mask]:
    """Where each of some keys stands among ascending ones, and whether it does at all."""
    if not len(known):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return places, known[places] == wanted


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
    there = usable & (rows.counterparty_country.codes >= 0)
    pieces.append(_sums(rows, there, countries[rows.counterparty_country.codes]))
    pieces.append(_cash(rows.where(rows.cash)))
    joined = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    order = np.argsort(joined["key"], kind="stable")
    types = {"key": pa.int64(), "count": pa.int32(), "minor": pa.int64(), "largest": pa.int64(), "partners": pa.int32()}
    return pa.table({name: pa.array(joined[name][order], type_) for name, type_ in types.items()})


def keys_of(subjects: Digests, facets: Ints) -> Ints:
    """One number for each subject and facet. Shape (n,)."""
    with np.errstate(over="ignore"):
        return (subjects ^ ((facets + 1).astype(np.uint64) * np.uint64(_MIX))).view(np.int64)


def _cash(rows: Rows) -> dict[str, Ints]:
    """Sums of cash by (person, direction)."""
    found = by_person(rows, np.zeros(len(rows), dtype="datetime64[D]"))
    facets = np.where(found.incoming, CASH_IN, CASH_OUT)
    largest = np.maximum.reduceat(rows.base[found.rows], found.bounds[:-1]) if len(facets) else found.total
    return {
        "key": keys_of(digests_of(found.names.to_pylist())[found.person], facets),
        "count": np.diff(found.bounds),
        "minor": found.total,
        "largest": largest,
        "partners": np.zeros(len(facets), dtype=np.int64),
    }


def _sums(rows: Rows, mask: Mask, facets: Ints) -> dict[str, Ints]:
    """Sums by (account, facet) of the rows of a mask."""
    chosen = np.flatnonzero(mask)
    groups, where = np.unique(rows.account.codes[chosen] * 1024 + facets[chosen], return_inverse=True)
    base = rows.base[chosen]
    minor, largest = np.zeros(len(groups), dtype=np.int64), np.zeros(len(groups), dtype=np.int64)
    np.add.at(minor, where, base)
    np.maximum.at(largest, where, base)
    others = rows.counterparty.codes[chosen]
    pairs = distinct(where[others >= 0] * (len(rows.counterparty.names) + 1) + others[others >= 0])
    partners = np.bincount(pairs // (len(rows.counterparty.names) + 1), minlength=len(groups))
    return {
        "key": keys_of(rows.account.digests[groups // 1024], groups % 1024),
        "count": np.bincount(where, minlength=len(groups)).astype(np.int64),
        "minor": minor,
        "largest": largest,
        "partners": partners.astype(np.int64),
    }
