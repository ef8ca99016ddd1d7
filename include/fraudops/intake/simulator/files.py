"""The cards' days as landing files: payments with some dirty rows, chargebacks and dispositions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from fraudops.intake.simulator.days import Contents, arriving
from fraudops.intake.simulator.feed import payments_header, payments_text
from fraudops.intake.simulator.investigators import LONGEST_DISPOSITION, dispositions, findings
from fraudops.intake.simulator.lines import reports_text
from fraudops.intake.simulator.world import (
    CHARGEBACK_COLUMNS,
    DISPOSITION_COLUMNS,
    LONGEST_REPORT,
    World,
    reports,
    reports_of,
    simulate,
)


def daily(world: World, day: date) -> Contents:
    """Feed → content of its file of a day."""
    return {
        "transactions": lambda: payments_header() + payments_text(world, simulate(world, day)),
        "chargebacks": lambda: reports_text(world.chargebacks(day, day), CHARGEBACK_COLUMNS),
        "dispositions": lambda: reports_text(dispositions(world, day, day), DISPOSITION_COLUMNS),
    }


def beside(world: World, day: date) -> Contents:
    """Files of a day that no file of many days can hold: none."""
    return {}


def bulk(world: World, first: date, last: date) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Feed and content, in pieces, of the files that hold many days.

    Days are simulated one after the other, so memory does not grow with their number.
    """
    before = list(_days_that_still_report(world, first))
    found = [reports_of(world, day) for day in before]
    found_out = [findings(world, simulate(world, day)) for day in before if day >= first - LONGEST_DISPOSITION]

    def payments() -> Iterator[bytes]:
        yield payments_header()
        for day in world.days(first, last):
            simulated = simulate(world, day)
            yield payments_text(world, simulated)
            found.append(reports(world, simulated))
            found_out.append(findings(world, simulated))

    yield "transactions", payments()
    yield "chargebacks", [reports_text(arriving(found, first, last), CHARGEBACK_COLUMNS)]
    yield "dispositions", [reports_text(arriving(found_out, first, last), DISPOSITION_COLUMNS)]


def _days_that_still_report(world: World, first: date) -> Iterator[date]:
    """Days before ``first`` whose frauds may be reported on it or later."""
    earliest = max(world.start, first - LONGEST_REPORT)
    return (earliest + timedelta(days=offset) for offset in range((first - earliest).days))
