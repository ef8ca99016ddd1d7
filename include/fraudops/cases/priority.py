"""How bad a case is, and how soon it should be looked at.

Priority is in major units of money::

    priority = expected losses of its alerts (score × amount; a refund loses nothing; a hit has none)
             + what the severity of its worst item is worth (cases.worth)
             + cases.further × what the severities of its other items are worth

So several things about one subject come before a single one of them, a rule that hits the same customer day after day
does not come before a name on a watch list, and every part of the number can be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def worths(cases: Cases, severities: Sequence[str]) -> list[float]:
    """What each item of a case counts, beside its expected loss; the first of the worst ones counts whole."""
    found = [round(float(getattr(cases.worth, severity)) * cases.further, CENTS) for severity in severities]
    if found:
        first = max(range(len(found)), key=lambda place: rank(severities[place]))
        found[first] = float(getattr(cases.worth, severities[first]))
    return found


def priority_of(cases: Cases, severities: Sequence[str], losses: Iterable[float]) -> float:
    """The priority of a case with these items."""
    return round(sum(losses) + sum(worths(cases, severities)), CENTS)
