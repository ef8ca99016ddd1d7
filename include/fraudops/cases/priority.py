"""How bad something is, and what it is worth to look at it soon.

An item of a case (an alert or a rule's hit) is worth, in major units of money::

    worth    = expected loss + what its severity is worth (cases.worth)
    priority = sum of the worths of the case's items

The expected loss of an alert is score × amount (a refund loses nothing); a hit has none. So several small things about
one subject come before a single one of them, and every part of the number can be shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fraudops.labels.selective import SAMPLE
from fraudops.portfolio import SEVERITIES, Cases, Severity

CENTS = 2
"""Digits that are kept."""


def rank(severity: str) -> int:
    """Place from the least to the worst."""
    return SEVERITIES.index(severity)


def worst(severities: Iterable[str]) -> Severity:
    """The worst of some, ``info`` of none."""
    return SEVERITIES[max((rank(severity) for severity in severities), default=0)]


def severity_of_alert(cases: Cases, *, score: float, decision: str, route: str) -> Severity:
    """By the score, and ``high`` at least where the payment was blocked; ``low`` where chance alone chose it."""
    if route == SAMPLE:
        return "low"
    least: tuple[tuple[Severity, float], ...] = (
        ("critical", cases.scores.critical),
        ("high", cases.scores.high),
        ("medium", cases.scores.medium),
    )
    found: Severity = next((severity for severity, bound in least if score >= bound), "low")
    return worst((found, "high")) if decision == "block" else found


def expected_loss(score: float, amount_minor: int | None, minor_digits: int) -> float:
    """Score × amount in major units; nothing where there is no amount, or a refund."""
    if amount_minor is None or amount_minor <= 0:
        return 0.0
    return round(score * float(Decimal(amount_minor).scaleb(-minor_digits)), CENTS)


def worth_of(cases: Cases, severity: str, loss: float = 0.0) -> float:
    """What an item adds to the priority of its case."""
    return round(loss + float(getattr(cases.worth, severity)), CENTS)
