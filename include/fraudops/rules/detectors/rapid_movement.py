"""What came in goes out again within hours: the account is only passed through."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fraudops.rules.episodes import episodes
from fraudops.rules.history import IN
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.lines import DAY, HOUR, Lines
from fraudops.rules.numbers import Numbers
from fraudops.rules.rows import Digests, Ints, Mask, having

NEEDS = Needs(rows=("window_hours", 3), history="usual_days")


def suspects(inputs: Inputs, numbers: Numbers) -> Mask:
    """Accounts with something going out, and enough coming in within the window or a little more."""
    rows = inputs.transactions
    came = _came(inputs, numbers, np.arange(len(rows.account.names)))
    return having(rows, ~rows.incoming & (rows.base > 0)) & (came >= numbers.minor("least_in"))


def unusual(inputs: Inputs, numbers: Numbers, suspects: Mask) -> Mask:
    """Suspects that receive more than usual: most that receive much always do."""
    places, found = np.flatnonzero(suspects), suspects.copy()
    usual = _usual(inputs, numbers, inputs.transactions.account.digests[places])
    factor = numbers.exact("factor")
    found[places] = _came(inputs, numbers, places) * factor.denominator >= usual * factor.numerator
    return found


def detect(inputs: Inputs, numbers: Numbers) -> Iterator[Hit]:
    """At each payment out: what came in within the window before it, and how much of that has gone since."""
    rows = inputs.transactions
    hours, share = numbers.whole("window_hours"), numbers.exact("least_share")
    window = hours * HOUR
    lines = Lines(rows.account.codes, rows.times, np.ones(len(rows), dtype=bool))
    if not len(lines):
        return
    incoming = rows.incoming[lines.rows]
    ins, outs = lines.sums(np.where(rows.incoming, rows.base, 0)), lines.sums(np.where(rows.incoming, 0, rows.base))
    since = _first_in(lines.since(window), incoming)
    received, sent = ins[1:] - ins[since], outs[1:] - outs[since]
    met = (
        ~incoming
        & (received >= numbers.minor("least_in"))
        & (sent * share.denominator >= received * share.numerator)
        & (sent * share.numerator <= received * share.denominator)
    )
    found = list(
        episodes(inputs, lines, met, rows.current[lines.rows], window=window, seen=-(-3 * window // DAY) * DAY)
    )
    usual = _usual(inputs, numbers, rows.account.digests[[lines.codes[item.place] for item in found]])
    for item, normal in zip(found, usual.tolist(), strict=True):
        place = item.place
        came, went = int(received[place]), int(sent[place])
        if came < numbers.exact("factor") * normal:
            continue
        own = lines.rows[int(since[place]) : place + 1]
        yield Hit(
            kind="account",
            subject=rows.account.named(lines.codes[place]),
            one=item.one,
            on=inputs.day,
            transactions=rows.names_of(own),
            values={
                "in_minor": came,
                "out_minor": went,
                "transactions": len(own),
                "hours": int((lines.times[place] - lines.times[int(since[place])]) // HOUR),
                "usual_in_minor": normal,
            },
            because=(
                f"{inputs.money(came)} came in and {inputs.money(went)} went out within {hours} hours; asked about is "
                f"{inputs.money(numbers.minor('least_in'))} or more of which {float(share):.0%} goes on, and "
                f"{float(numbers.exact('factor')):g} times the {inputs.money(normal)} that are usual in as long a time"
            ),
        )


def _came(inputs: Inputs, numbers: Numbers, codes: Ints) -> Ints:
    """What came in on some accounts within the window, or a little more."""
    rows = inputs.transactions
    since = inputs.start_us - numbers.whole("window_hours") * HOUR - DAY
    before = inputs.history.totals(rows.account.digests[codes], IN, since, inputs.start_us, only=("minor",))
    received = np.zeros(len(rows.account.names), dtype=np.int64)
    there = np.flatnonzero((rows.account.codes >= 0) & rows.incoming)
    np.add.at(received, rows.account.codes[there], rows.base[there])
    return before.minor + received[codes]


def _first_in(since: Ints, incoming: Mask) -> Ints:
    """Windows begin with the first payment in: what went out before it was other money."""
    n = len(incoming)
    following = np.full(n + 1, n, dtype=np.int64)
    following[:n] = np.where(incoming, np.arange(n), n)
    following = np.minimum.accumulate(following[::-1])[::-1]
    return np.minimum(following[since], np.arange(n))


def _usual(inputs: Inputs, numbers: Numbers, accounts: Digests) -> Ints:
    """What comes in during as long a time, on average before; 0 where there is no record."""
    hours = numbers.whole("window_hours")
    record = inputs.record_before(hours * HOUR, numbers.whole("usual_days") * DAY)
    if not record.known:
        return np.zeros(len(accounts), dtype=np.int64)
    totals = inputs.history.totals(accounts, IN, record.since, record.until, only=("minor",))
    return totals.minor * hours // (record.known // HOUR)
