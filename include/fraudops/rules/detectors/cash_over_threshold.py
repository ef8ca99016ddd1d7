"""More cash in, or more cash out, than the threshold, for one person on one business day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.numbers import Numbers

# A business day reaches from the evening before a long weekend to the evening after it.
NEEDS = Needs(transactions=False, cash=7)


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """All branches and accounts together; what is done for somebody else counts for both of them."""
    rows = inputs.cash
    found = inputs.cash_by_person
    thresholds = found.by_day(lambda day: numbers.on(day).minor("threshold"))
    for group in np.flatnonzero(found.current & (found.total > thresholds)).tolist():
        on, own = found.on(group), found.rows_of(group)
        total, threshold = int(found.total[group]), int(thresholds[group])
        incoming = bool(found.incoming[group])
        branches = len(np.unique(rows.branch.codes[own]))
        yield Hit(
            kind="customer",
            subject=found.name(group),
            one=(str(on), "in" if incoming else "out"),
            on=on,
            transactions=rows.names_of(own),
            values={
                "business_day": str(on),
                "direction": "in" if incoming else "out",
                "total_minor": total,
                "transactions": len(own),
                "branches": branches,
                "accounts": len(np.unique(rows.account.codes[own])),
                "on_behalf_of": int((rows.on_behalf_of.codes[own] >= 0).sum()),
            },
            because=(
                f"{inputs.money(total)} in cash {'paid in' if incoming else 'paid out'} by or for the customer on the "
                f"business day {on}: {len(own)} transactions, {branches} branches; "
                f"to be reported is more than {inputs.money(threshold)}"
            ),
        )
