"""Cash by the persons it counts for (who did it, and on whose behalf), by day and direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fraudops.rules.rows import Ints, Mask, Rows


@dataclass(frozen=True)
class PersonDays:
    """What counts for one person on one day in one direction is a group. Arrays have shape (groups,).

    Attributes
    ----------
    names
        The persons.
    person, day, incoming
        Place in ``names``, days since 1970, and the direction of each group; groups are sorted by these.
    total
        Sum in minor units of the currency in which amounts are compared.
    current
        Whether one of its transactions belongs to the partition that is looked at.
    rows
        Positions of the transactions, group after group, in the order of time. Shape (m,).
    bounds
        Where each group's begin, and the end. Shape (groups + 1,).
    """

    names: pa.Array
    person: Ints
    day: Ints
    incoming: Mask
    total: Ints
    current: Mask
    rows: Ints
    bounds: Ints

    def name(self, group: int) -> str:
        """The person."""
        return self.names[int(self.person[group])].as_py()

    def on(self, group: int) -> date:
        """The day."""
        return np.datetime64(int(self.day[group]), "D").astype(date)

    def by_day(self, of: Callable[[date], int]) -> Ints:
        """What a function says of each group's day."""
        days, where = np.unique(self.day, return_inverse=True)
        said = [of(np.datetime64(int(day), "D").astype(date)) for day in days]
        return np.array(said, dtype=np.int64)[where]

    def rows_of(self, group: int) -> Ints:
        """Positions of a group's transactions."""
        return self.rows[self.bounds[group] : self.bounds[group + 1]]


def by_person(rows: Rows, days: NDArray[np.datetime64]) -> PersonDays:
    """Group transactions; one that is done on another's behalf counts for both, once each."""
    names, (did, benefited) = _same_codes(rows.customer.names, rows.on_behalf_of.names)
    did = np.append(did, -1)[rows.customer.codes]
    benefited = np.append(benefited, -1)[rows.on_behalf_of.codes]
    second = np.flatnonzero((benefited >= 0) & (benefited != did))
    first = np.flatnonzero(did >= 0)
    where, person = np.concatenate([first, second]), np.concatenate([did[first], benefited[second]])
    day = days.astype("datetime64[D]").astype(np.int64)[where]
    order = np.lexsort((where, rows.incoming[where], day, person))
    where, person, day = where[order], person[order], day[order]
    incoming = rows.incoming[where]
    begins = np.ones(len(where), dtype=bool)
    begins[1:] = (np.diff(person) != 0) | (np.diff(day) != 0) | (incoming[1:] != incoming[:-1])
    starts = np.flatnonzero(begins)
    return PersonDays(
        names=names,
        person=person[starts],
        day=day[starts],
        incoming=incoming[starts],
        total=np.add.reduceat(rows.base[where], starts) if len(starts) else np.zeros(0, dtype=np.int64),
        current=np.logical_or.reduceat(rows.current[where], starts) if len(starts) else np.zeros(0, dtype=bool),
        rows=where,
        bounds=np.append(starts, len(where)),
    )


def _same_codes(*dictionaries: pa.Array) -> tuple[pa.Array, list[Ints]]:
    """The texts of several dictionaries, sorted, and the place of each one's texts among them."""
    texts = pc.unique(pa.concat_arrays([names.cast(pa.string()) for names in dictionaries]))
    texts = texts.take(pc.sort_indices(texts))
    return texts, [
        pc.index_in(names, value_set=texts).to_numpy(zero_copy_only=False).astype(np.int64) for names in dictionaries
    ]
