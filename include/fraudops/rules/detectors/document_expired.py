"""Documents of identification that have expired and were not renewed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from fraudops.rules.customers import Customer, Flaw, newly_wrong
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.numbers import Numbers

NEEDS = Needs(transactions=False, customers=True)


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """A document is valid through its last day; a newer one of the same kind takes its place."""
    return newly_wrong(inputs, numbers, _expired, by=("documents",))


def _expired(customer: Customer, day: date, numbers: Numbers) -> Iterator[Flaw]:
    grace = timedelta(days=numbers.whole("grace_days"))
    newest: dict[str, date | None] = {}
    for document in customer.documents:
        other = newest.get(document.kind, date.min)
        both = (other, document.expires)
        newest[document.kind] = None if None in both else max(both)  # type: ignore[type-var]
    valid = sum(expires is None or day <= expires for expires in newest.values())
    for kind, expires in sorted(newest.items()):
        if expires is not None and day > expires + grace:
            yield Flaw(
                customer.id,
                (kind, expires.isoformat()),
                f"the customer's {kind.replace('_', ' ')} expired on {expires}; other valid documents: {valid}",
                {"document": kind, "expired_on": expires.isoformat(), "valid_documents": valid},
            )
