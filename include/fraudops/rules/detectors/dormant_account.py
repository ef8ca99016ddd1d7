"""An account that had been quiet for long moves money again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fraudops.rules.history import IN, OUT, SUMS
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY
from fraudops.rules.numbers import Numbers
from fraudops.rules.owners import opened_before
from fraudops.rules.rows import Digests, Ints, Mask, Rows

NEEDS = Needs(history="record_days", customers=True)


def suspects(inputs: Inputs, numbers: Numbers) -> Mask:
    """Accounts that had not moved in the week before the days that count; most had, and need no longer look."""
    account = inputs.transactions.account
    woken = inputs.start_us - numbers.whole("recent_days") * DAY
    if woken - inputs.history.begins < numbers.whole("least_record_days") * DAY:
        return np.zeros(len(account.names), dtype=bool)
    return _both(inputs, account.digests, woken - 7 * DAY, woken, only=("count",))["count"] == 0


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Quiet until some days ago at most, and since then enough has moved; it must be known to be no new account."""
    rows = inputs.transactions.where(inputs.transactions.current)
    quiet, recent = numbers.whole("quiet_days") * DAY, numbers.whole("recent_days") * DAY
    least = numbers.minor("least_total")
    woken = inputs.start_us - recent
    candidates = np.intersect1d(np.flatnonzero(suspects(inputs, numbers)), rows.account.codes)
    names = rows.account.digests[candidates]
    since = _both(inputs, names, woken, inputs.start_us)
    calm = _both(inputs, names, woken - quiet, woken)
    before = _both(inputs, names, inputs.start_us - numbers.whole("record_days") * DAY, woken - quiet)
    begins = inputs.history.begins
    recorded = begins <= woken - quiet
    moved, own = _moved_today(rows)
    for place, code in enumerate(candidates.tolist()):
        total = int(moved[code] + since["minor"][place])
        if calm["count"][place] or total < least:
            continue
        first = int(since["first"][place]) if since["first"][place] >= 0 else inputs.start_us
        customer = rows.customer.name(int(own[code]))
        is_old = before["count"][place] > 0 or opened_before(
            inputs, customer, np.datetime64((first - quiet) // DAY, "D")
        )
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
            values={"total_minor": total, "woken_on": str(day), "known_before": bool(before["count"][place])},
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


def _both(inputs: Inputs, accounts: Digests, since: int, until: int, only: Sequence[str] = SUMS) -> dict[str, Ints]:
    """Both directions together."""
    count = len(accounts)
    found = inputs.history.totals(np.tile(accounts, 2), np.repeat([IN, OUT], count), since, until, only=only)
    first = found.first.reshape(2, count)
    return {
        "count": found.count.reshape(2, count).sum(axis=0),
        "minor": found.minor.reshape(2, count).sum(axis=0),
        "first": np.where((first < 0).any(axis=0), first.max(axis=0), first.min(axis=0)),
    }


def _day(moment: int) -> np.datetime64:
    return np.datetime64(moment // DAY, "D")
