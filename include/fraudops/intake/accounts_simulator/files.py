"""The bank's days as landing files: movements with some dirty rows, reports, and what the rules need beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import IntEnum
from functools import partial

import numpy as np

from fraudops.intake.accounts_simulator import kyc, rates, watchlist
from fraudops.intake.accounts_simulator.fed_holidays import fed_holidays, is_open
from fraudops.intake.accounts_simulator.purposes import Purpose
from fraudops.intake.accounts_simulator.world import (
    LONGEST_REPORT,
    REPORT_COLUMNS,
    TRANSACTION_COLUMNS,
    AccountsWorld,
    Day,
    reports,
    reports_of,
    simulate,
)
from fraudops.intake.simulator.days import Contents, arriving
from fraudops.intake.simulator.lines import header, reports_text, with_dirty_rows
from fraudops.intake.simulator.randomness import stream


class Dirt(IntEnum):
    """What is wrong with a dirty row."""

    NEGATIVE_AMOUNT = 0
    TEXT_AMOUNT = 1
    MISSING_ACCOUNT = 2
    MISSING_TIME = 3


def daily(world: AccountsWorld, day: date) -> Contents:
    """Feed → content of its file of a day; a feed that may have nothing to say on a day has None then."""
    return {
        "transactions": lambda: header(TRANSACTION_COLUMNS) + transactions_text(world, simulate(world, day)),
        "reports": lambda: reports_text(world.reports(day, day), REPORT_COLUMNS),
        **beside(world, day),
    }


def beside(world: AccountsWorld, day: date) -> Contents:
    """Those of a day's files that no file of many days can hold: their names say since when they are known."""
    return {feed: partial(make, world, day) for feed, make in _REFERENCE.items()}


def _customers(world: AccountsWorld, day: date) -> bytes | None:
    file = world.customers
    here = np.flatnonzero(file.people.opened <= day.toordinal()) if day == world.start else file.changed(day)
    return _text(kyc.COLUMNS, file.lines(day, here)) if len(here) else None


def _watchlist(world: AccountsWorld, day: date) -> bytes | None:
    if not watchlist.appears(world.start, day):
        return None
    return _text(watchlist.COLUMNS, watchlist.lines(world.seed, world.start, day))


def _holidays(world: AccountsWorld, day: date) -> bytes | None:
    """At the beginning three years, then each October the next one."""
    if day != world.start and (day.month, day.day) != (10, 1):
        return None
    years = range(day.year - 1, day.year + 2) if day == world.start else [day.year + 1]
    rows = ((found.isoformat(), name, "US") for year in years for found, name in fed_holidays(year).items())
    return _text(("date", "name", "jurisdiction"), rows)


def _rates(world: AccountsWorld, day: date) -> bytes | None:
    """On business days; on the world's first day at least those of the one before."""
    quoted = day
    while day == world.start and not is_open(quoted):
        quoted -= timedelta(days=1)
    rows = rates.lines(world.seed, quoted)
    return _text(("date", "currency", "rate"), rows) if rows else None


_REFERENCE = {"customers": _customers, "watchlist": _watchlist, "holidays": _holidays, "rates": _rates}


def bulk(world: AccountsWorld, first: date, last: date) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Feed and content, in pieces, of the files that hold many days."""
    found = [reports_of(world, day) for day in world.days(max(world.start, first - LONGEST_REPORT), first)][:-1]

    def transactions() -> Iterator[bytes]:
        yield header(TRANSACTION_COLUMNS)
        for day in world.days(first, last):
            simulated = simulate(world, day)
            found.append(reports(world, simulated))
            yield transactions_text(world, simulated)

    yield "transactions", transactions()
    yield "reports", [reports_text(arriving(found, first, last), REPORT_COLUMNS)]


def transactions_text(world: AccountsWorld, simulated: Day) -> bytes:
    """Lines of one day's movements, dirty rows included, without the header."""

    def spoil(dirty: dict[str, list[str]], row: int, number: int) -> None:
        dirty["transaction_id"][row] = simulated.ids(np.array([len(simulated.moves) + row]))[0].as_py()
        _spoil(dirty, row, Dirt(number % len(Dirt)))

    rng = stream(world.seed, Purpose.DIRTY_ROWS, simulated.day)
    return with_dirty_rows(simulated.texts(), world.dirty_share * world.payments_per_day, simulated.day, rng, spoil)


def _spoil(rows: dict[str, list[str]], row: int, kind: Dirt) -> None:
    if kind is Dirt.NEGATIVE_AMOUNT:
        rows["amount"][row] = "-" + rows["amount"][row]
    elif kind is Dirt.TEXT_AMOUNT:
        rows["amount"][row] = "n/a"
    elif kind is Dirt.MISSING_ACCOUNT:
        rows["account_id"][row] = ""
    else:
        rows["event_time"][row] = ""


def _text(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    """A file. No value holds a comma, except names with one, which stand in quotation marks."""
    lines = [",".join(f'"{value}"' if "," in value else value for value in row) for row in rows]
    return header(columns) + "".join(f"{line}\n" for line in lines).encode()
