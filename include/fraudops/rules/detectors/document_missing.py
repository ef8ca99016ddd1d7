"""Customers without a document of identification on file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from fraudops.rules.customers import Customer, Flaw, newly_wrong
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.numbers import Numbers

NEEDS = Needs(transactions=False, customers=True)


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Any document will do, unless the numbers name the kinds of which one is needed."""
    return newly_wrong(inputs, numbers, _missing, by=("kind", "documents"))


def _missing(customer: Customer, day: date, numbers: Numbers) -> Iterator[Flaw]:
    opened = customer.opened_on
    if opened is not None and day < opened + timedelta(days=numbers.whole("grace_days")):
        return
    accepted = numbers.texts("business_kinds" if customer.kind == "business" else "person_kinds")
    on_file = sorted({document.kind for document in customer.documents})
    if any(not accepted or kind in accepted for kind in on_file):
        return
    wanted = f", one of {', '.join(accepted)} is needed" if accepted else ""
    yield Flaw(
        customer.id,
        ("none",),
        f"of {len(on_file)} documents on file none identifies the customer{wanted}",
        {"documents": len(on_file), "customer_since": opened.isoformat() if opened else None},
    )
