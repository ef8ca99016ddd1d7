"""What was alerted, what it turned out to be, and what it cost in false alarms."""

from __future__ import annotations

from fraudops.evaluation.metrics import wilson
from fraudops.monthly.days import ALLOW, BLOCK, FRAUD, GENUINE, OPEN, REVIEW, Day, Days
from fraudops.monthly.pack import Cell, Chart, Grid, Measured, Section, Share
from fraudops.monthly.sections.basis import labels_of
from fraudops.portfolio import Portfolio

_FINDINGS = {"fraud": "fraud", "not_fraud": "not fraud", "insufficient": "could not say"}
_ALERTED = (REVIEW, BLOCK)
_WIDTHS = (3, 2, 2, 2, 3, 5)


def alerts(portfolio: Portfolio, days: Days) -> Section:
    """Alerts by decision and outcome, the false-positive load, what investigators found."""
    whole = days.added_up()
    if not days.versions:
        return Section("alerts", "Alerts", ("No partition of the month was scored, so nothing was alerted.",))
    source = labels_of(days, decided=True)
    return Section(
        "alerts",
        "Alerts and what became of them",
        ("Precision is the share of the matured alerts that are fraud, with its 95 % interval.",),
        (
            Grid(
                "alerts",
                "By decision",
                ("Decision", "Alerts", "Fraud", "Genuine", "Not matured", "Precision"),
                (_decision("review", whole, (REVIEW,)), _decision("block", whole, (BLOCK,)),
                 _decision("all alerts", whole, _ALERTED)),
                source,
                widths=_WIDTHS,
            ),
            _load(portfolio, days, whole, source),
            _findings(days, whole),
        ),
        (_by_day(days, source),),
    )  # fmt: skip


def precision(whole: Day) -> Share:
    """Share of the matured alerts that are fraud."""
    frauds, genuine = (whole.total(outcome=name, decisions=_ALERTED).number for name in (FRAUD, GENUINE))
    return Share(frauds, frauds + genuine, *wilson(frauds, frauds + genuine))


def recall(whole: Day) -> Share:
    """Share of the matured frauds, of those that were scored, that were alerted."""
    caught = whole.total(outcome=FRAUD, decisions=_ALERTED).number
    every = caught + whole.total(outcome=FRAUD, decisions=(ALLOW,)).number
    return Share(caught, every, *wilson(caught, every))


# -- inside -------------------------------------------------------------------------------------------


def _decision(name: str, whole: Day, decisions: tuple[str, ...]) -> tuple[Cell, ...]:
    counts = [whole.total(outcome=outcome, decisions=decisions).number for outcome in (FRAUD, GENUINE, OPEN)]
    frauds, genuine, _ = counts
    return (name, sum(counts), *counts, Share(frauds, frauds + genuine, *wilson(frauds, frauds + genuine)))


def _load(portfolio: Portfolio, days: Days, whole: Day, source: str) -> Grid:
    frauds = whole.total(outcome=FRAUD, decisions=_ALERTED).number
    false = whole.total(outcome=GENUINE, decisions=_ALERTED).number
    genuine = whole.total(outcome=GENUINE, decisions=(ALLOW, *_ALERTED)).number
    every = whole.total(decisions=_ALERTED).number
    scored = sum(day.version is not None for day in days.days)
    length = portfolio.partition_hours / 24
    rows: list[tuple[Cell, ...]] = [
        ("Alerts a day", Measured(every / (scored * length), digits=1) if scored else None,
         f"the budget is {portfolio.policy.alerts_per_day:g} a day"),
        ("Genuine transactions alerted", false, "of those that have matured"),
        ("… for each fraud found", Measured(false / frauds, digits=1) if frauds else None, "false alarms for one hit"),
        ("… of all genuine ones", Share(false, genuine, digits=2), "customers who were held up for nothing"),
        ("Genuine transactions blocked", whole.total(outcome=GENUINE, decisions=(BLOCK,)).number,
         "the hardest kind of false alarm"),
        ("Frauds found", recall(whole), "of the matured frauds; the rest was allowed"),
    ]  # fmt: skip
    columns = ("Measure", "Value", "Meaning")
    return Grid("false_positive_load", "False-positive load", columns, tuple(rows), source, widths=(3, 3, 4))


def _findings(days: Days, whole: Day) -> Grid:
    every = whole.total(decisions=_ALERTED).number
    rows: list[tuple[Cell, ...]] = [(words, whole.findings[name]) for name, words in _FINDINGS.items()]
    rows.append(("nothing yet", every - whole.findings.total()))
    return Grid(
        "findings",
        "What investigators found about the month's alerts",
        ("Finding", "Alerts"),
        tuple(rows),
        labels_of(days, decided=True).replace("labels known", "findings known"),
        widths=(3, 1),
    )


def _by_day(days: Days, source: str) -> Chart:
    scored = [day for day in days.days if day.version is not None]
    series: dict[str, tuple[float | None, ...]] = {
        name: tuple(float(day.total(outcome=name, decisions=_ALERTED).number) for day in scored)
        for name in (FRAUD, GENUINE, OPEN)
    }
    keys = tuple(day.key for day in scored)
    return Chart("alerts_by_partition", "Alerts by partition", "bars", keys, series, "alerts", source)
