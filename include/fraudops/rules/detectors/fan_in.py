"""Money from many different accounts on one account within days, by far more than is usual there."""

from __future__ import annotations

from collections.abc import Iterator

from fraudops.rules.fan import IN_WORDS, find_fans, suspects_of, unusual_of
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.numbers import Numbers
from fraudops.rules.rows import Mask

NEEDS = Needs(rows=("window_days", 3), history="usual_days", customers=True)


def suspects(inputs: Inputs, numbers: Numbers) -> Mask:
    """Accounts that could have as many payers, by the counts of single days."""
    return suspects_of(inputs, numbers, IN_WORDS)


def unusual(inputs: Inputs, numbers: Numbers, suspects: Mask) -> Mask:
    """Suspects that have more payers than is usual for them."""
    return unusual_of(inputs, numbers, IN_WORDS, suspects)


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Different payers in a window that ends at each payment in."""
    yield from find_fans(inputs, numbers, IN_WORDS)
