"""An account that had been quiet for long moves money again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY
from fraudops.rules.numbers import Numbers
from fraudops.rules.owners import opened_before
from fraudops.rules.rows import Ints, Mask, Rows

NEEDS = Needs(history="record_days", customers=True)


def suspects(inputs: Inputs, numbers: Numbers) -> Mask:
    """Accounts that had not moved in the week before the days that count; most had, and need no longer look."""
    account = inputs.transactions.account
    woken = inputs.start_us - numbers.whole("recent_days") * DAY
    if woken - inputs.history.begins < numbers.whole("least_record_days") * DAY:
        return np.zeros(len(account.names), dtype=bool)
    moved, _, _ = inputs.history.both_ways(account.digests, woken - 7 * DAY, woken, only=("count",))
    return moved == 0


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Quiet until some days ago at most, and since then enough has moved; it must be known to be no new account."""
    rows = inputs.transactions.where(inputs.transactions.current)
    quiet, recent = numbers.whole("quiet_days") * DAY, numbers.whole("recent_days") * DAY
    least = numbers.minor("least_total")
    woken = inputs.start_us - recent
    candidates = np.intersect1d(np.flatnonzero(suspects(inputs, numbers)), rows.account.codes)
    names = rows.account.digests[candidates]
    _, lately, first_moved = inputs.history.both_ways(names, woken, inputs.start_us)
    calm, _, _ = inputs.history.both_ways(names, woken - quiet, woken, only=("count",))
    earliest = inputs.start_us - numbers.whole("record_days") * DAY
    before, _, _ = inputs.history.both_ways(names, earliest, woken - quiet, only=("count",))
    begins = inputs.history.begins
    recorded = begins <= woken - quiet
    moved, own = _moved_today(rows)
    for place, code in enumerate(candidates.tolist()):
        total = int(moved[code] + lately[place])
        if calm[place] or total < least:
            continue
        first = int(first_moved[place]) if first_moved[place] >= 0 else inputs.start_us
        customer = rows.customer.name(int(own[code]))
        is_old = before[place] > 0 or opened_before(inputs, customer, np.datetime64((first - quiet) // DAY, "D"))
        if not is_old:
            continue
        day = np.datetime64(first // DAY, "D")
        mine = np.flatnonzero(rows.account.codes == code)
        shown = f"for {quiet // DAY} days or more" if recorded else f"since records begin on {_day(begins)}"
        yield Hit(
            kind="account",
            subject=rows.account.named(code),
            one=(str(day),),
            on=inputs.day,
            transactions=rows.names_of(mine),
            values={"total_minor": total, "woken_on": str(day), "known_before": bool(before[place])},
            because=(
                f"nothing had moved on the account {shown}; since {day} {inputs.money(total)} have, "
                f"and asked about is {inputs.money(least)} or more"
            ),
        )


def _moved_today(rows: Rows) -> tuple[Ints, Ints]:
    """Sum of the partition's amounts, and one of its rows, by account code."""
    moved, one = np.zeros((2, len(rows.account.names) + 1), dtype=np.int64)
    np.add.at(moved, rows.account.codes, rows.base)
    one[rows.account.codes] = np.arange(len(rows))
    return moved, one


def _day(moment: int) -> np.datetime64:
    return np.datetime64(moment // DAY, "D")
