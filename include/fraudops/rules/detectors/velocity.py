"""Many payments out of one account within an hour, by far more than is usual there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fraudops.rules.history import OUT
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY, Lines
from fraudops.rules.numbers import Numbers
from fraudops.rules.owners import least_by_account
from fraudops.rules.rows import Digests, Ints, Mask

NEEDS = Needs(rows=1, history="usual_days", customers=True)
_MINUTE = 60_000_000


def suspects(inputs: Inputs, numbers: Numbers) -> Mask:
    """Accounts with enough payments, yesterday's counted in."""
    rows = inputs.transactions
    account = rows.account
    before = inputs.history.totals(account.digests, OUT, inputs.start_us - DAY, inputs.start_us, only=("count",))
    today = np.bincount(account.codes[_counted(inputs) & (account.codes >= 0)], minlength=len(account.names))
    least = least_by_account(inputs, numbers, rows, "least_person", "least_business")[:-1]
    return (today > 0) & (before.count + today >= least)


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """A burst begins with the payment that makes it enough, and ends where it is not enough any more."""
    rows = inputs.transactions
    minutes = numbers.whole("window_minutes")
    lines = Lines(rows.account.codes, rows.times, _counted(inputs))
    if not len(lines):
        return
    since = lines.since(minutes * _MINUTE)
    count = np.arange(len(lines)) - since + 1
    least = least_by_account(inputs, numbers, rows, "least_person", "least_business")[lines.codes]
    met = count >= least
    current = rows.current[lines.rows]
    begins = met.copy()
    begins[1:] &= ~(met[:-1] & (lines.codes[1:] == lines.codes[:-1]))
    burst = np.cumsum(begins)
    last = np.flatnonzero(met & current & np.append(~met[1:] | begins[1:], True))
    usual = _usual(inputs, numbers, rows.account.digests[lines.codes[last]])
    for place, normal in zip(last.tolist(), usual.tolist(), strict=True):
        first = int(np.searchsorted(burst, burst[place]))
        peak = int(count[first : place + 1].max())
        if peak < numbers.exact("factor") * normal:
            continue
        own = lines.rows[int(since[first]) : place + 1]
        yield Hit(
            kind="account",
            subject=rows.account.named(lines.codes[place]),
            # Which payment made it enough does not change while the burst goes on.
            one=rows.names_of(lines.rows[first : first + 1]),
            on=inputs.day,
            transactions=rows.names_of(own),
            values={
                "transactions": len(own),
                "most_in_window": peak,
                "total_minor": int(rows.base[own].sum()),
                "usual_in_a_day": normal,
            },
            because=(
                f"{peak} payments out within {minutes} minutes; asked about are {int(least[place])} or more, and "
                f"{float(numbers.exact('factor')):g} times the {normal} that are usual in a whole day"
            ),
        )


def _counted(inputs: Inputs) -> Mask:
    return ~inputs.transactions.incoming


def _usual(inputs: Inputs, numbers: Numbers, accounts: Digests) -> Ints:
    """Payments out on a day on which there are any, on average, rounded up."""
    since = inputs.start_us - numbers.whole("usual_days") * DAY
    totals = inputs.history.totals(accounts, OUT, since, inputs.start_us - DAY)
    return -(-totals.count // np.maximum(totals.days, 1))
