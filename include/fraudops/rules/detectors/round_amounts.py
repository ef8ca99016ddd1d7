"""Payments of round amounts again and again, and hardly any other ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fraudops.rules.episodes import episodes
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY, Lines
from fraudops.rules.numbers import Numbers
from fraudops.rules.rows import Mask, having

NEEDS = Needs(rows=("window_days", 3))


def suspects(inputs: Inputs, numbers: Numbers) -> Mask:
    """Accounts with such a payment in the partition."""
    return having(inputs.transactions, _round(inputs, numbers))


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """Of the transfers and cash in the window that ends at a round one: how many of them are round."""
    rows = inputs.transactions
    days, share = numbers.whole("window_days"), numbers.exact("least_share")
    rounded = _round(inputs, numbers)
    # Small payments of every day say nothing either way.
    large = rounded | (rows.base >= numbers.minor("counted_from"))
    lines = Lines(rows.account.codes, rows.times, large)
    if not len(lines):
        return
    since = lines.since(days * DAY)
    counts, sums = lines.sums(rounded.astype(np.int64)), lines.sums(np.where(rounded, rows.base, 0))
    many, total = counts[1:] - counts[since], sums[1:] - sums[since]
    among = np.arange(len(lines)) - since + 1
    met = (
        rounded[lines.rows]
        & (many >= numbers.whole("least_count"))
        & (total >= numbers.minor("least_total"))
        & (many * share.denominator >= among * share.numerator)
    )
    current = rows.current[lines.rows]
    for item in episodes(inputs, lines, met, current, window=days * DAY, seen=3 * days * DAY):
        own = lines.rows[int(since[item.place]) : item.place + 1]
        own = own[rounded[own]]
        yield Hit(
            kind="account",
            subject=rows.account.named(lines.codes[item.place]),
            one=item.one,
            on=inputs.day,
            transactions=rows.names_of(own),
            values={
                "round": int(many[item.place]),
                "among": int(among[item.place]),
                "total_minor": int(total[item.place]),
            },
            because=(
                f"{many[item.place]} of {among[item.place]} larger payments within {days} days are whole multiples of "
                f"{inputs.money(numbers.minor('multiple'))}, {inputs.money(total[item.place])} together; asked about "
                f"are {numbers.whole('least_count')} or more that make up {float(share):.0%}"
            ),
        )


def _round(inputs: Inputs, numbers: Numbers) -> Mask:
    """Whole multiples, in whatever currency they were paid; the number is a number of its major units."""
    rows = inputs.transactions
    multiple = numbers.minor("multiple")
    return (rows.amount > 0) & (rows.amount % multiple == 0) & (rows.base >= numbers.minor("counted_from"))
