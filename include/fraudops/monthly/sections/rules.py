"""What the rules of law and policy found, and which of it led to known fraud; PSD2 fraud rates."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from sqlalchemy.orm import Session

from fraudops.errors import ContractError
from fraudops.evaluation.metrics import wilson
from fraudops.monthly.days import Days
from fraudops.monthly.pack import Cell, Grid, Money, Section, Share
from fraudops.monthly.sections.basis import moment, span
from fraudops.portfolio import Portfolio
from fraudops.portfolio.iso import minor_digits
from fraudops.rules import HITS
from fraudops.rules.fraud_rates import TYPES, FraudRate, fraud_rates, read_reference
from fraudops.rules.reading import Found, stored_hits
from fraudops.rules.registry import read_rules
from fraudops.rules.snoozing import Snoozes
from fraudops.store import Manifest
from fraudops.workspace import Workspace

_GRAVEST_FIRST = ("critical", "high", "medium", "low", "info")


def rules(
    ws: Workspace, session: Session, portfolio: Portfolio, days: Days, folder: Path
) -> tuple[Section | None, list[Manifest]]:
    """Hits by rule, with the share whose transactions turned out to be fraud; None where no rules run.

    Parameters
    ----------
    folder
        Of the rules' definitions.
    """
    if portfolio.compliance is None:
        return None, []
    keys = [key for key in days.keys if ws.store.manifest(HITS, portfolio.name, key) is not None]
    hits = stored_hits(ws.store, portfolio, keys, Snoozes.read(session, portfolio.name))
    titles = {name: rule.definition.title for name, rule in read_rules(folder).items()}
    by_rule: dict[tuple[str, str], list[Found]] = {}
    for hit in hits:
        by_rule.setdefault((hit.severity, hit.rule), []).append(hit)
    ordered = sorted(by_rule.items(), key=lambda item: (_rank(item[0][0]), item[0][1]))
    grid = Grid(
        "rules",
        "Hits by rule",
        ("Rule", "Severity", "Hits", "Snoozed", "With known fraud", "Precision as fraud"),
        tuple(_rule(titles.get(name, name), severity, found, days) for (severity, name), found in ordered),
        f"Hits of {span(keys)}, each by the numbers in force on its day; fraud known at {moment(days.as_of)}.",
        "No rule found anything." if keys else "The rules ran over no partition of the month.",
        widths=(6, 2, 2, 2, 3, 4),
    )
    sentences = (
        "A hit is something that law or policy asks to be looked at; it accuses nobody. Most are no fraud and need not "
        "be: the last column says how often a transaction of a hit was known to be fraud, and nothing about other "
        "crime.",
    )
    manifests = [ws.store.require(HITS, portfolio.name, key) for key in keys]
    return Section("rules", "Rules of law and policy", sentences, (grid,)), manifests


def payment_fraud_rates(ws: Workspace, portfolio: Portfolio, days: Days, folder: Path) -> Section | None:
    """The table of Regulation (EU) 2018/389, article 19, at the month's last partition; None where there is none."""
    compliance = portfolio.compliance
    if compliance is None or compliance.columns.channel is None or not days.keys:
        return None
    try:
        found = fraud_rates(ws, portfolio, read_reference(folder), days.keys[-1])
    except ContractError as error:
        return Section("fraud_rates", "Fraud rates of payments (PSD2)", (f"Not computed: {error.what}.",))
    lines = [line for line in found.lines if line.payments]
    digits, currency = minor_digits(compliance.currency), compliance.currency
    grid = Grid(
        "fraud_rates",
        "Value of known fraud over the value of all remote payments, 90 days",
        ("Payments", "Up to EUR", "Number", "Value", "Fraud", "Rate by value", "Reference", "All within"),
        tuple(_line(line, digits, currency) for line in lines),
        f"Transactions of {found.first} to {found.last}, as known at the end of it.",
        "No remote payments.",
        named_by=2,
        widths=(4, 2, 2, 4, 4, 3, 3, 2),
    )
    unconverted = (
        (f"{found.unconverted:,} payments are in no line: no rate of exchange was known for them.",)
        if found.unconverted
        else ()
    )
    law = "By law the rate of all payments of a type counts, not that of a band. Nothing is reported by itself."
    return Section("fraud_rates", "Fraud rates of payments (PSD2)", (law, *unconverted), (grid,))


# -- inside -------------------------------------------------------------------------------------------


def _rank(severity: str) -> int:
    return _GRAVEST_FIRST.index(severity) if severity in _GRAVEST_FIRST else len(_GRAVEST_FIRST)


def _rule(title: str, severity: str, found: list[Found], days: Days) -> tuple[Cell, ...]:
    with_fraud = sum(not days.frauds.isdisjoint(hit.transactions) for hit in found)
    snoozed = sum(hit.snoozed for hit in found)
    share = Share(with_fraud, len(found), *wilson(with_fraud, len(found)))
    return (title, severity, len(found), snoozed, with_fraud, share)


def _line(line: FraudRate, digits: int, currency: str) -> tuple[Cell, ...]:
    return (
        TYPES[line.kind],
        line.up_to or "all",
        line.payments,
        Money(line.value, digits, currency),
        Money(line.fraud_value, digits, currency),
        Share(line.fraud_value, line.value, digits=4),
        _percent(line.reference),
        {None: None, True: "yes", False: "no"}[line.overall_within],
    )


def _percent(share: Fraction | None) -> str | None:
    return None if share is None else f"{float(share * 100):.4f}\N{NO-BREAK SPACE}%"
