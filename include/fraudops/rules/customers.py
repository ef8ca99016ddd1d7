"""What is wrong with a customer's file, and since when: the part that rules about it have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.rules.hit import Hit, Plain
from fraudops.rules.inputs import Inputs
from fraudops.rules.numbers import Numbers


@dataclass(frozen=True)
class Document:
    """A document on file; ``expires`` is its last valid day, None where it does not expire."""

    kind: str
    expires: date | None


@dataclass(frozen=True)
class Customer:
    """What is on file about a customer at the end of a day. Nothing here is personal."""

    id: str
    kind: str
    rating: str | None
    rated_on: date | None
    opened_on: date | None
    documents: tuple[Document, ...]


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong with a file.

    Attributes
    ----------
    customer
        Id of the customer.
    what
        What makes it this flaw and no other.
    because, values
        As in :class:`fraudops.rules.hit.Hit`.
    """

    customer: str
    what: tuple[str, ...]
    because: str
    values: dict[str, Plain] = field(default_factory=dict)


Look = Callable[[Customer, date, Numbers], Iterator[Flaw]]
"""A customer's file, a day, and the numbers of that day → what is wrong."""


def newly_wrong(inputs: Inputs, numbers: Numbers, look: Look, by: Sequence[str]) -> Iterator[Hit]:
    """A hit for each flaw that is one at the end of this partition, and was none at the end of the one before.

    So it is found once: on the day on which a date passes, a file changes, or the numbers do. In the first partition
    everything is found.

    Parameters
    ----------
    by
        Columns of ``inputs.customers`` that customers have in common. Where a look at them alone, with nothing else on
        file, finds no flaw, a look at everything finds none.
    """
    found = _flaws(_files(_asked(inputs.customers, inputs.day, numbers, look, by)), inputs.day, numbers, look)
    before = inputs.before
    known: dict[tuple[str, ...], Flaw] = {}
    if before is not None and before.customers is not None and found:
        # Of the others it does not matter what they were.
        wrong = pa.array(sorted({flaw.customer for flaw in found.values()}), pa.string())
        same = before.customers.filter(pc.is_in(before.customers["customer_id"], value_set=wrong))
        known = _flaws(_files(same), before.day, numbers.on(before.day), look)
    for key in sorted(found.keys() - known.keys()):
        flaw = found[key]
        yield Hit("customer", flaw.customer, flaw.what, flaw.because, inputs.day, flaw.values)


def _flaws(files: Iterable[Customer], day: date, numbers: Numbers, look: Look) -> dict[tuple[str, ...], Flaw]:
    flaws = (flaw for customer in files for flaw in look(customer, day, numbers))
    return {(flaw.customer, *flaw.what): flaw for flaw in flaws}


def _asked(customers: pa.Table | None, day: date, numbers: Numbers, look: Look, by: Sequence[str]) -> pa.Table | None:
    """Customers of whom a look at some columns finds something: each combination is looked at once."""
    if customers is None or not customers.num_rows:
        return None
    codes = np.zeros(customers.num_rows, dtype=np.int64)
    for name in by:
        encoded = pa.concat_arrays(customers[name].chunks).dictionary_encode(null_encoding="encode")
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
    _, first, where = np.unique(codes, return_index=True, return_inverse=True)
    examples = _files(customers.select(list(by)).take(pa.array(first)))
    wrong = np.array([any(True for _ in look(example, day, numbers)) for example in examples])
    return customers.filter(pa.array(wrong[where]))


def _files(customers: pa.Table | None) -> Iterator[Customer]:
    """Of each row what is on file; a column that is not there is empty."""
    if customers is None:
        return
    names = ("customer_id", "kind", "risk_rating", "risk_rated_on", "opened_on", "documents")
    none = [None] * customers.num_rows
    columns = (customers[name].to_pylist() if name in customers.column_names else none for name in names)
    for one, kind, rating, rated_on, opened_on, documents in zip(*columns, strict=True):
        yield Customer(one or "", kind or "", rating, rated_on, opened_on, _documents(documents))


@lru_cache(maxsize=1 << 18)
def _documents(text: str | None) -> tuple[Document, ...]:
    found = (part.partition(":") for part in (text or "").split("|") if part)
    return tuple(Document(kind, date.fromisoformat(expires) if expires else None) for kind, _, expires in found)
