"""Customers whose risk rating was not reviewed for too long, or who have none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from fraudops.rules.customers import Customer, Flaw, newly_wrong
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.numbers import Numbers

NEEDS = Needs(transactions=False, customers=True)


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """The higher the risk, the sooner a rating is out of date."""
    return newly_wrong(inputs, numbers, _outdated, by=("risk_rating", "risk_rated_on"))


def _outdated(customer: Customer, day: date, numbers: Numbers) -> Iterator[Flaw]:
    if customer.rating is None or customer.rated_on is None:
        yield Flaw(customer.id, ("none",), "the customer has no dated risk rating", {"rating": customer.rating})
        return
    limit, age = numbers.whole(f"{customer.rating}_days"), (day - customer.rated_on).days
    if age > limit:
        yield Flaw(
            customer.id,
            (customer.rating, customer.rated_on.isoformat()),
            f"the {customer.rating} risk of the customer was last rated {age} days ago, on {customer.rated_on}; "
            f"it is out of date after {limit} days",
            {"rating": customer.rating, "rated_on": customer.rated_on.isoformat(), "age_days": age},
        )
