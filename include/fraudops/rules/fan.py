"""Many different accounts on the other side within days: what fan-in and fan-out have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fraudops.rules.episodes import episodes
from fraudops.rules.history import IN, OUT
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs
from fraudops.rules.lines import DAY, Lines
from fraudops.rules.numbers import Numbers
from fraudops.rules.owners import least_by_account
from fraudops.rules.rows import Digests, Ints, Mask, Rows


@dataclass(frozen=True)
class FanWords:
    """One direction, and how it is told."""

    facet: int
    others: str
    moved: str

    def rows(self, rows: Rows) -> Mask:
        """Payments in this direction with an account on the other side; cash has none."""
        return (rows.incoming == (self.facet == IN)) & (rows.counterparty.codes >= 0) & ~rows.cash


IN_WORDS = FanWords(IN, "payers", "came in from")
OUT_WORDS = FanWords(OUT, "payees", "went out to")


def suspects_of(inputs: Inputs, numbers: Numbers, words: FanWords) -> Mask:
    """Accounts (by code) that met enough others in the window if none of them was met on two days."""
    rows = inputs.transactions
    every = np.arange(len(rows.account.names))
    many, total, today = _lately(inputs, numbers, words, every)
    least = least_by_account(inputs, numbers, rows, "least_person", "least_business")[:-1]
    return (today > 0) & (many >= least) & (total >= numbers.minor("least_total"))


def unusual_of(inputs: Inputs, numbers: Numbers, words: FanWords, suspects: Mask) -> Mask:
    """Those of them that met more than usual: most that meet many always do."""
    places, found = np.flatnonzero(suspects), suspects.copy()
    many = _lately(inputs, numbers, words, places)[0]
    factor, usual = numbers.exact("factor"), _usual(inputs, numbers, words, inputs.transactions.account.digests[places])
    found[places] = many * factor.denominator >= usual * factor.numerator
    return found


def _lately(inputs: Inputs, numbers: Numbers, words: FanWords, codes: Ints) -> tuple[Ints, Ints, Ints]:
    """Others that some accounts met in the window, counted anew on each day; the sum; payments of the partition."""
    rows, account = inputs.transactions, inputs.transactions.account
    window = numbers.whole("window_days") * DAY
    # A window that ends in the partition may begin in the middle of a day.
    since = inputs.start_us - window - DAY
    before = inputs.history.totals(
        account.digests[codes], words.facet, since, inputs.start_us, only=("partners", "minor")
    )
    counted = np.flatnonzero(words.rows(rows) & (account.codes >= 0))
    today = np.bincount(account.codes[counted], minlength=len(account.names))[codes]
    total = np.zeros(len(account.names), dtype=np.int64)
    np.add.at(total, account.codes[counted], rows.base[counted])
    return before.partners + today, before.minor + total[codes], today


def find_fans(inputs: Inputs, numbers: Numbers, words: FanWords) -> Iterator[Hit]:
    """Windows with enough different others, enough money, and more of them than usual."""
    rows = inputs.transactions
    days = numbers.whole("window_days")
    lines = Lines(rows.account.codes, rows.times, words.rows(rows))
    if not len(lines):
        return
    others = lines.distinct(days * DAY, rows.counterparty.codes)
    sums, since = lines.sums(rows.base), lines.since(days * DAY)
    total = sums[1:] - sums[since]
    least = least_by_account(inputs, numbers, rows, "least_person", "least_business")[lines.codes]
    met = (others >= least) & (total >= numbers.minor("least_total"))
    current = rows.current[lines.rows]
    found = list(episodes(inputs, lines, met, current, window=days * DAY, seen=3 * days * DAY))
    usual = _usual(inputs, numbers, words, rows.account.digests[[lines.codes[item.place] for item in found]])
    for item, normal in zip(found, usual.tolist(), strict=True):
        place = item.place
        seen = int(others[place])
        own = lines.rows[int(since[place]) : place + 1]
        # Counted as the usual is: anew on each day.
        anew = len(np.unique(np.stack([rows.times[own] // DAY, rows.counterparty.codes[own]]), axis=1).T)
        if anew < numbers.exact("factor") * normal:
            continue
        yield Hit(
            kind="account",
            subject=rows.account.named(lines.codes[place]),
            one=item.one,
            on=inputs.day,
            transactions=rows.names_of(own),
            values={
                words.others: seen,
                "total_minor": int(total[place]),
                "transactions": len(own),
                f"{words.others}_by_day": anew,
                f"usual_{words.others}_by_day": normal,
            },
            because=(
                f"{inputs.money(total[place])} {words.moved} {seen} different accounts within {days} days; asked about "
                f"are {int(least[place])} or more, and {_plain(numbers)} times the {normal} "
                f"that are usual (counted anew on each day, {anew} now)"
            ),
        )


def _usual(inputs: Inputs, numbers: Numbers, words: FanWords, accounts: Digests) -> Ints:
    """Others that an account met in as long a time before, counted anew on each day: on average, or on its busiest day.

    0 where there is no record.
    """
    window = numbers.whole("window_days")
    record = inputs.record_before(window * DAY, numbers.whole("usual_days") * DAY)
    if not record.known:
        return np.zeros(len(accounts), dtype=np.int64)
    totals = inputs.history.totals(accounts, words.facet, record.since, record.until, only=("partners",))
    return np.maximum(-(-totals.partners * window // (record.known // DAY)), totals.most)


def _plain(numbers: Numbers) -> str:
    return f"{float(numbers.exact('factor')):g}"
