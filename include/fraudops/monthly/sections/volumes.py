"""How much was paid, and how much of it is known to be fraud."""

from __future__ import annotations

from collections.abc import Iterable

from fraudops.evaluation.metrics import wilson
from fraudops.monthly.days import BLOCK, FRAUD, GENUINE, OPEN, REVIEW, Day, Days, Sum
from fraudops.monthly.pack import Cell, Chart, Grid, Money, Section, Share
from fraudops.monthly.sections.basis import labels_of, moment, scored_by, span
from fraudops.portfolio import Portfolio, format_duration


def volumes(portfolio: Portfolio, days: Days) -> Section:
    """Transactions and their value, by currency and by day."""
    whole = days.added_up()
    rows: list[tuple[Cell, ...]] = [
        (currency or "all", part.number, *_money(portfolio, currency, part), *_decided(days, whole, currency))
        for currency, part in _by_size(whole.rows)
    ]
    if len(rows) > 1:
        total = whole.total()
        rows.append(("all", total.number, *([None] if portfolio.has_amount else []), *_decided(days, whole, None)))
    columns = ("Currency", "Transactions", *(["Value"] if portfolio.has_amount else []), "Reviewed", "Blocked")
    models = f"; decisions of {scored_by(days)}" if days.versions else ""
    source = f"Transactions of {span(days.keys)}{models}."
    per_day = tuple(float(day.total().number) for day in days.days)
    return Section(
        "volumes",
        "Volumes",
        grids=(Grid("volumes", "Transactions", columns, tuple(rows), source, "No transactions."),),
        charts=(
            Chart(
                "transactions_by_partition",
                "Transactions by partition",
                "bars",
                days.keys,
                {"transactions": per_day},
                "transactions",
                source,
            ),
        )
        if days.days
        else (),
    )


def fraud(portfolio: Portfolio, days: Days, before: Days | None) -> Section:
    """Fraud by number and by value, of what has matured; what has not; the month before, as it is known now.

    Parameters
    ----------
    before
        The month before as of the same moment; None: nothing is told of it.
    """
    whole = days.added_up()
    delay = format_duration(portfolio.labels.delay)
    not_due = whole.total(outcome=OPEN).number
    early = sum(part.number for part in whole.early.values())
    sentences = [
        f"A transaction has matured when its label delay ({delay}) has passed: only then does no report mean genuine. "
        f"{_share_text(not_due, whole.total().number)} of the month had not matured at {moment(days.as_of)}; "
        f"{early:,} of those were reported as fraud by then. They are in no rate."
    ]
    if portfolio.labels.selective:
        sentences.append(
            "Decisions tell here which labels become known, so these rates are of what could be observed; "
            "docs/decisions.md says what follows from it."
        )
    grids = _rates(portfolio, days, "fraud", f"{days.month.name}")
    if before is not None and before.days:
        grids += _rates(portfolio, before, "fraud_before", f"{before.month.name} as it is known now")
    return Section("fraud", "Fraud", tuple(sentences), tuple(grids))


def headline_rate(days: Days) -> Share:
    """Share of the matured transactions that are fraud, by number."""
    whole = days.added_up()
    frauds, genuine = (whole.total(outcome=name).number for name in (FRAUD, GENUINE))
    return Share(frauds, frauds + genuine, *wilson(frauds, frauds + genuine), digits=2)


# -- inside -------------------------------------------------------------------------------------------


def _rates(portfolio: Portfolio, days: Days, name: str, title: str) -> list[Grid]:
    """By number, and by value where transactions have one."""
    whole = days.added_up()
    currencies: list[str | None] = [currency for currency, _ in _by_size(whole.rows)]
    rows = [_by_number(whole, currency) for currency in (*currencies, *([None] if len(currencies) > 1 else []))]
    columns = ("Currency", "Matured", "Of them fraud", "Share", "Not matured", "Of them reported")
    widths = (2, 2, 2, 4, 2, 3)
    source = labels_of(days)
    grids = [Grid(name, f"Fraud by number, {title}", columns, tuple(rows), source, "No transactions.", widths)]
    if portfolio.has_amount:
        values = tuple(_by_value(portfolio, whole, currency or "") for currency in currencies)
        headings = ("Currency", "Matured value", "Of it fraud", "Share")
        grids.append(Grid(f"{name}_value", f"Fraud by value, {title}", headings, values, source, "No transactions."))
    return grids


def _by_number(whole: Day, currency: str | None) -> tuple[Cell, ...]:
    frauds, genuine, young = (_chosen(whole, name, currency).number for name in (FRAUD, GENUINE, OPEN))
    share = Share(frauds, frauds + genuine, *wilson(frauds, frauds + genuine), digits=2)
    early = sum(part.number for name, part in whole.early.items() if currency in (None, name))
    return (currency or "all", frauds + genuine, frauds, share, young, early)


def _by_value(portfolio: Portfolio, whole: Day, currency: str) -> tuple[Cell, ...]:
    fraud, genuine = (_chosen(whole, name, currency).minor for name in (FRAUD, GENUINE))
    value, of_it = (Money(minor, portfolio.minor_digits, currency) for minor in (fraud + genuine, fraud))
    return (currency or "all", value, of_it, Share(fraud, fraud + genuine, digits=2))


def _chosen(whole: Day, outcome: str, currency: str | None, decision: str | None = None) -> Sum:
    found = Sum()
    for (name, known_as, decided), part in whole.outcomes.items():
        if known_as == outcome and currency in (None, name) and decision in (None, decided):
            found += part
    return found


def _decided(days: Days, whole: Day, currency: str | None) -> tuple[int | None, ...]:
    if not days.versions:
        return (None, None)
    return tuple(
        sum(_chosen(whole, outcome, currency, decision).number for outcome in (FRAUD, GENUINE, OPEN))
        for decision in (REVIEW, BLOCK)
    )


def _money(portfolio: Portfolio, currency: str, part: Sum) -> Iterable[Money]:
    return [Money(part.minor, portfolio.minor_digits, currency)] if portfolio.has_amount else []


def _by_size(parts: dict[str, Sum]) -> list[tuple[str, Sum]]:
    return sorted(parts.items(), key=lambda item: (-item[1].number, item[0]))


def _share_text(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} transactions ({part / whole:.0%})" if whole else "Nothing"
