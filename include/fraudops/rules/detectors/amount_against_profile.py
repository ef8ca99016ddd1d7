"""A payment far larger than anything the account did before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fraudops.rules.history import IN, OUT
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY
from fraudops.rules.numbers import Numbers
from fraudops.rules.rows import Mask, having

NEEDS = Needs(history="usual_days")


def suspects(inputs: Inputs, numbers: Numbers) -> Mask:
    """Accounts with a payment that is large enough."""
    return having(inputs.transactions, inputs.transactions.base >= numbers.minor("least_amount"))


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Each direction by itself; an account without enough of a past has no profile to be compared with."""
    rows = inputs.transactions
    least, factor = numbers.minor("least_amount"), numbers.exact("factor")
    large = np.flatnonzero(rows.current & (rows.account.codes >= 0) & (rows.base >= least))
    accounts = [rows.account.named(rows.account.codes[row]) for row in large]
    since = inputs.start_us - numbers.whole("usual_days") * DAY
    digests = rows.account.digests[rows.account.codes[large]]
    past = inputs.history.totals(digests, np.where(rows.incoming[large], IN, OUT), since, inputs.start_us)
    unusual = (past.count >= numbers.whole("least_payments")) & (
        rows.base[large] * factor.denominator >= past.largest * factor.numerator
    )
    found: dict[tuple[str, bool], list[int]] = {}
    for place in np.flatnonzero(unusual).tolist():
        found.setdefault((accounts[place], bool(rows.incoming[large[place]])), []).append(place)
    for (account, incoming), places in sorted(found.items()):
        own = large[places]
        amount, before = int(rows.base[own].max()), int(past.largest[places[0]])
        yield Hit(
            kind="account",
            subject=account,
            one=("in" if incoming else "out", inputs.key),
            on=inputs.day,
            transactions=rows.names_of(own),
            values={
                "direction": "in" if incoming else "out",
                "amount_minor": amount,
                "largest_before_minor": before,
                "mean_before_minor": int(past.minor[places[0]] // past.count[places[0]]),
                "payments_before": int(past.count[places[0]]),
            },
            because=(
                f"{inputs.money(amount)} {'came in' if incoming else 'went out'}, where the largest of "
                f"{past.count[places[0]]} payments in {numbers.whole('usual_days')} days was {inputs.money(before)}; "
                f"asked about is {float(factor):g} times that, from {inputs.money(least)} on"
            ),
        )
